import { hash } from 'node:crypto';
import { type AttachmentStream, MailParser, type MessageText } from 'mailparser';
import { readHeaderFields, scanSummary } from './headers.ts';
import { htmlToText } from './html-text.ts';
import type { ListUnsubscribe } from './list-unsubscribe.ts';
import { type MailTree, type ParserNode, type PartNode, plainTree, readTree } from './mime-tree.ts';
import { collapse, MIME_LIMITS, plainBody, readHeader, snippetOf } from './plain-mail.ts';
import type { Address } from './store.ts';

/**
 * Takes mails apart, for people who look at one and for the search.
 *
 * Header fields come from our own scanner, so that a list and an opened message never disagree; mailparser does the
 * body: structure, transfer encodings, charsets. Its helpful habits are all off (links in text, HTML made of text,
 * images written into HTML), and its texts are taken from the parts themselves and not from what it joins them to:
 * the HTML that a reader gets is the HTML that was sent, line ends as LF.
 *
 * Whatever the bytes, there is an answer: what could be read until the parser gave up, or at least the header fields
 * and the body as text. Slow for hostile mails, so callers on the event loop run it in a thread (mime-parser.ts).
 */

/** What the store keeps of a mail for lists and search. */
export interface MimeSummary {
  readonly messageId: string;
  readonly from: Address | null;
  readonly to: Address[];
  readonly cc: Address[];
  readonly bcc: Address[];
  readonly replyTo: Address[];
  readonly subject: string;
  /** Start of the text (of the HTML, if there is some), white space collapsed; at most 200 octets and `...`. */
  readonly snippet: string;
  readonly attachments: number;
  /** Parts that belong to the text, such as its images. */
  readonly inline: number;
  /** Names of attachments and inline parts, as many as have one. */
  readonly fileNames: readonly string[];
  /** For search: body text, text of the HTML, names of attachments; lower case, white space collapsed. */
  readonly text: string;
}

/** A header field in plain data. */
export interface ParsedHeader {
  /** As written. */
  readonly name: string;
  /** Unfolded, encoded-words not decoded. */
  readonly value: string;
}

/** A part that is not the text of the mail. */
export interface MailPart {
  /** Path in the tree of parts, as in `1.2`; `0` if the mail is nothing but this part. */
  readonly partId: string;
  /** Decoded; '' if it has none. A client's word: no path, and not to be used as one. */
  readonly fileName: string;
  /** Lower case, without parameters. */
  readonly contentType: string;
  /** Without angle brackets; '' if it has none. */
  readonly contentId: string;
  /** `inline` for what belongs to the text, such as images in HTML. */
  readonly place: 'attachment' | 'inline';
  /** Octets once decoded. */
  readonly bytes: number;
  readonly checksums: { readonly md5: string; readonly sha1: string; readonly sha256: string };
  readonly content: Buffer;
}

/** A mail taken apart; plain data that can cross to another thread. */
export interface ParsedMail {
  readonly messageId: string;
  readonly from: Address | null;
  readonly to: Address[];
  readonly cc: Address[];
  readonly bcc: Address[];
  readonly replyTo: Address[];
  readonly subject: string;
  /** Of the Date field; null if that is missing or no date. */
  readonly date: Date | null;
  /** Of the Return-Path field, without angle brackets. */
  readonly returnPath: string;
  readonly listUnsubscribe: ListUnsubscribe;
  /** All fields in the order of the mail. */
  readonly headers: readonly ParsedHeader[];
  /** The text parts, decoded, line ends as LF; '' if there are none. */
  readonly text: string;
  /** The HTML parts exactly as sent once decoded, line ends as LF; '' if there are none. */
  readonly html: string;
  /** All other parts in order. */
  readonly parts: readonly MailPart[];
  /** How they lie in each other, the texts among them. */
  readonly structure: PartNode;
  /** False if the parser gave up; what it had until then is here. */
  readonly complete: boolean;
}

/** Reads what lists and search need. Never throws: of a mail that cannot be parsed it gives what the header says. */
export async function summarise(raw: Buffer): Promise<MimeSummary> {
  const header = scanSummary(raw);
  const body = await readBody(searchedOf(raw), false);
  const text = body.text.slice(0, MIME_LIMITS.searchCharacters);
  const htmlText = htmlToText(body.html, MIME_LIMITS.searchCharacters);
  const names = body.parts.map((part) => part.fileName).filter((name) => name !== '');
  return {
    ...header,
    snippet: snippetOf(htmlText === '' ? text : htmlText),
    attachments: body.parts.filter((part) => part.place === 'attachment').length,
    inline: body.parts.filter((part) => part.place === 'inline').length,
    fileNames: names,
    text: collapse([text, htmlText, ...names].join(' '))
      .toLowerCase()
      .slice(0, MIME_LIMITS.searchCharacters),
  };
}

/** Octets that the characters of a search can take as they travel: four of UTF-8, each of them three in quoted-printable. */
const SEARCHED_BYTES = MIME_LIMITS.searchCharacters * 12;

/** What of a mail a search can see: one that is a single text is cut behind that, so that the rest takes no memory. */
function searchedOf(raw: Buffer): Buffer {
  if (raw.length <= SEARCHED_BYTES) return raw;
  const { fields, bodyAt } = readHeaderFields(raw, MIME_LIMITS.header);
  const type = fields.find(({ name }) => name.toLowerCase() === 'content-type')?.text.trim() ?? '';
  return type === '' || /^text\//i.test(type) ? raw.subarray(0, bodyAt + SEARCHED_BYTES) : raw;
}

/** Takes a mail apart for a reader. Never throws; see `complete`. */
export async function parseMessage(raw: Buffer): Promise<ParsedMail> {
  const header = readHeader(raw);
  const body = await readBody(raw, true);
  const parts = body.parts.map(({ chunks, ...part }): MailPart => withContent(part, Buffer.concat(chunks)));
  const { text, html, structure, complete } = body;
  return { ...header, text, html, parts, structure, complete };
}

type PartFacts = Omit<MailPart, 'checksums' | 'content'>;

function withContent(part: PartFacts, content: Buffer): MailPart {
  const checksums = { md5: hash('md5', content), sha1: hash('sha1', content), sha256: hash('sha256', content) };
  return { ...part, checksums, content };
}

interface Body extends MailTree {
  readonly parts: readonly (PartFacts & { readonly chunks: readonly Buffer[] })[];
  readonly complete: boolean;
}

const PARSER_OPTIONS = {
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  skipImageLinks: true,
  keepDeliveryStatus: true,
  // of its splitter: an attached message is a part like any other and is not mixed into the text
  ignoreEmbedded: true,
};

/** Runs mailparser over the mail and gathers what it had read when it ended, failed or took too long. */
function readBody(raw: Buffer, keepContent: boolean): Promise<Body> {
  const parser = new MailParser(PARSER_OPTIONS);
  const parts: (PartFacts & { bytes: number; chunks: Buffer[] })[] = [];
  return new Promise((resolve) => {
    let settled = false;
    const settle = (complete: boolean): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      const tree = readTree((parser as unknown as { tree?: ParserNode | false }).tree || undefined, parts);
      const isFound = complete || tree.text !== '' || tree.html !== '' || parts.length > 0;
      resolve({ ...(isFound ? tree : plainTree(plainBody(raw))), parts, complete });
      if (!complete) parser.destroy();
    };
    const timer = setTimeout(() => settle(false), MIME_LIMITS.parseMs);
    parser.on('error', () => settle(false)); // a malformed mail is no fault of ours: `complete` tells the reader
    parser.on('end', () => settle(true));
    parser.on('data', (data: AttachmentStream | MessageText) => {
      if (data.type !== 'attachment') return;
      const part = { ...factsOf(data), bytes: 0, chunks: [] as Buffer[] };
      parts.push(part);
      data.content.on('data', (chunk: Buffer) => {
        part.bytes += chunk.length;
        if (keepContent) part.chunks.push(chunk);
      });
      data.content.on('error', () => settle(false));
      data.content.on('end', () => data.release());
    });
    feed(parser, raw);
  });
}

/** Octets that the parser gets at once: it makes an object of each line before it looks at the first. */
const FEED_BYTES = 64 * 1024;

/** Gives a mail to the parser no faster than it takes it apart. */
function feed(parser: MailParser, raw: Buffer, from = 0): void {
  for (let at = from; at + FEED_BYTES < raw.length; at += FEED_BYTES) {
    if (parser.write(raw.subarray(at, at + FEED_BYTES))) continue;
    parser.once('drain', () => feed(parser, raw, at + FEED_BYTES));
    return;
  }
  parser.end(raw.subarray(raw.length - ((raw.length - 1) % FEED_BYTES) - 1));
}

function factsOf(part: AttachmentStream): Omit<PartFacts, 'bytes'> {
  // mailparser guesses a type for application/octet-stream; the mail's own word is in the header
  const header = part.headers.get('content-type') as { value?: unknown } | undefined;
  const stated = typeof header?.value === 'string' ? header.value.trim().toLowerCase() : '';
  const contentType = stated.includes('/') ? stated : part.contentType || 'application/octet-stream';
  const disposition = part.contentDisposition ?? '';
  const isRoot = part.partId === null || part.partId === undefined;
  const attached = disposition === '' ? isRoot || contentType === 'application/octet-stream' : disposition !== 'inline';
  return {
    partId: isRoot ? '0' : part.partId!,
    fileName: part.filename ?? '',
    contentType,
    contentId: part.cid ?? '',
    place: attached || contentType === 'application/octet-stream' ? 'attachment' : 'inline',
  };
}
