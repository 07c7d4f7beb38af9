import { decodeUnlabelled } from './encoded-words.ts';
import { type HeaderField, type HeaderLimits, readHeaderFields, summariseFields, withoutBrackets } from './headers.ts';
import { readListUnsubscribe } from './list-unsubscribe.ts';
import { parseMailDate } from './mail-date.ts';
import type { ParsedHeader, ParsedMail } from './mime.ts';
import { plainTree } from './mime-tree.ts';
import type { OpenedMail } from './opened-mail.ts';

/*
 * What can be said of a mail without taking it apart. The event loop needs it for mails that were given up, and nothing
 * else of opening them: parser, words of codes and of links are some 20 MiB, which stay in the threads that use them.
 */

/** Bounds of what is read out of one mail. mailparser itself stops at 1 000 parts and at 1 MiB of header per part. */
export const MIME_LIMITS = Object.freeze({
  /** Header block of an opened message. */
  header: Object.freeze({ bytes: 1_048_576, fields: 20_000 }) satisfies HeaderLimits,
  /** Text kept for the search, and HTML read to get it. */
  searchCharacters: 524_288,
  snippetBytes: 200,
  /** Body shown of a mail that cannot be taken apart. */
  fallbackBytes: 1_048_576,
  /** Until a parser that neither ends nor fails is given up. */
  parseMs: 30_000,
});

/** Gives header and body as they stand, and looks for nothing in them: what is left of a mail that cannot be opened. */
export function openPlainly(raw: Buffer): OpenedMail {
  const parsed = parsePlainly(raw);
  return { ...parsed, shownText: parsed.text, htmlText: '', codes: [], links: [] };
}

/** Gives the header fields of a mail and its body as it stands: what is left when a mail cannot be parsed. */
export function parsePlainly(raw: Buffer): ParsedMail {
  return { ...readHeader(raw), ...plainTree(plainBody(raw)), parts: [], complete: false };
}

/** Reads what the header says of a mail. */
export function readHeader(raw: Buffer): Omit<ParsedMail, 'text' | 'html' | 'parts' | 'structure' | 'complete'> {
  const { fields } = readHeaderFields(raw, MIME_LIMITS.header);
  const first = (name: string): string => fields.find((field) => field.name.toLowerCase() === name)?.text ?? '';
  return {
    ...summariseFields(fields),
    date: parseMailDate(first('date')) ?? null,
    returnPath: withoutBrackets(first('return-path')),
    listUnsubscribe: readListUnsubscribe(first('list-unsubscribe'), first('list-unsubscribe-post')),
    headers: fields.map((field: HeaderField): ParsedHeader => ({ name: field.name, value: field.text })),
  };
}

/** Gives the start of what comes after the header, undecoded, line ends as LF. */
export function plainBody(raw: Buffer): string {
  const { bodyAt } = readHeaderFields(raw);
  const body = raw.subarray(bodyAt, bodyAt + MIME_LIMITS.fallbackBytes);
  return decodeUnlabelled(body).replaceAll('\r\n', '\n');
}

/** Makes one blank of white space and of characters that control something. */
export function collapse(text: string): string {
  return text.replace(/[\s\u0000-\u001f\u007f\ufeff]+/g, ' ').trim();
}

/** Cuts at 200 octets of UTF-8, between characters. */
export function snippetOf(text: string): string {
  const start = Buffer.from(collapse(text.slice(0, 16_384)));
  if (start.length <= MIME_LIMITS.snippetBytes) return start.toString();
  let end = MIME_LIMITS.snippetBytes;
  while (end > 0 && (start[end]! & 0xc0) === 0x80) end--;
  return `${start.toString('utf8', 0, end)}...`;
}
