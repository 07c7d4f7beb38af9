import { hash } from 'node:crypto';
import { parseAddressList } from '../mail/address-list.ts';
import { type HeaderField, readHeaderFields } from '../mail/headers.ts';
import { rfcDate } from '../mail/trace.ts';
import { RESPONDER_LIMITS } from './limits.ts';
import { OWN_MESSAGE_ID } from './loop-rules.ts';
import { fullAddress } from './reply.ts';

/*
 * Mail to postmaster@ and its like goes on to one person, whole: the body and its parts byte for byte.
 *
 * The prefix of the subject breaks the DKIM signature of whoever wrote it, and SPF does not vouch for us; mail whose
 * From domain publishes `p=reject` would then be refused by the person's server, and complaints about abuse come from
 * just such domains. So the mail goes out as a list would send it: From is the address that it was sent to, which we may
 * speak for, with the writer's name; the writer is in Reply-To, so that answering reaches him; and what stood in these
 * fields is kept in X-Original-From. What was forwarded is told by Resent- fields (RFC 5322 §3.6.6). The reverse-path is
 * null: a bounce would come back to the very inbox, and go out again.
 */

/** What is forwarded, and where it goes. */
export interface Forwarded {
  readonly id: string;
  /** The address that it was sent to. */
  readonly address: string;
  readonly target: string;
  readonly hostname: string;
  /** Our Received field (RFC 5321 §4.4). */
  readonly trace: Buffer;
}

/** Fields that are written anew. */
const REPLACED = new Set(['from', 'reply-to', 'subject', 'sender', 'return-path', 'bcc', 'x-original-from', 'x-loop']);
const NAME_CHARACTERS = 100;

/**
 * Gives the header that takes the place of a mail's own, and where its body begins.
 * @param start the mail, or as much of its start as holds the header
 */
export function forwardHead(start: Buffer, mail: Forwarded, at: Date = new Date()): { head: Buffer; bodyAt: number } {
  const limits = { bytes: RESPONDER_LIMITS.headerBytes, fields: RESPONDER_LIMITS.headerFields };
  const { fields, bodyAt } = readHeaderFields(start, limits);
  const rawOf = (name: string): Buffer | undefined => fields.find((field) => field.name.toLowerCase() === name)?.raw;
  const address = fullAddress(mail.address, mail.hostname);
  const local = address.slice(0, address.lastIndexOf('@'));
  const writer = parseAddressList(fields.find(({ name }) => name.toLowerCase() === 'from')?.text ?? '')[0];
  const shown = (writer?.name || writer?.address || 'Somebody').replace(/[^\p{L}\p{M}\p{N} ._@+-]/gu, '');
  const id = hash('sha1', `${mail.id} ${address}`).slice(0, 16);
  const lines: Buffer[] = [
    line('Resent-Date', rfcDate(at)),
    line('Resent-From', `<${address}>`),
    line('Resent-To', `<${mail.target}>`),
    line('Resent-Message-ID', `<${OWN_MESSAGE_ID}${mail.id}.${id}@${mail.hostname}>`),
    line('X-Loop', mail.address),
    line('From', `${encodeName(`${shown.slice(0, NAME_CHARACTERS)} via ${local}`)} <${address}>`),
    line('Subject', Buffer.concat([Buffer.from(`[${encodePrefix(local)}@] `), trimStart(rawOf('subject'))])),
  ];
  const replyTo = rawOf('reply-to') ?? rawOf('from');
  if (replyTo) lines.push(line('Reply-To', trimStart(replyTo)));
  const from = rawOf('from');
  if (from) lines.push(line('X-Original-From', trimStart(from)));
  const kept = fields.filter(({ name }) => !REPLACED.has(name.toLowerCase())).map(lineOf);
  return { head: Buffer.concat([mail.trace, ...lines, ...kept, Buffer.from('\r\n')]), bodyAt };
}

/** Makes a stream of a mail as it is forwarded. */
export async function* forwardStream(content: AsyncIterable<Buffer>, mail: Forwarded): AsyncIterable<Buffer> {
  let start: Buffer = Buffer.alloc(0);
  let isOpen = false;
  for await (const view of content) {
    if (isOpen) {
      yield Buffer.from(view);
      continue;
    }
    start = Buffer.concat([start, view]);
    if (!holdsHeader(start)) continue;
    isOpen = true;
    const { head, bodyAt } = forwardHead(start, mail);
    yield head;
    if (bodyAt < start.length) yield start.subarray(bodyAt);
  }
  if (isOpen) return;
  const { head, bodyAt } = forwardHead(start, mail);
  yield head;
  if (bodyAt < start.length) yield start.subarray(bodyAt);
}

function holdsHeader(start: Buffer): boolean {
  if (start.length >= RESPONDER_LIMITS.headerBytes * 2) return true;
  return start.includes('\r\n\r\n') || start.includes('\n\n') || start.subarray(0, 2).toString('latin1') === '\r\n';
}

function line(name: string, value: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${name}: `), Buffer.from(value), Buffer.from('\r\n')]);
}

/** A field as it stood, its folds included. */
function lineOf({ name, raw }: HeaderField): Buffer {
  return Buffer.concat([Buffer.from(`${name}:`, 'latin1'), raw, Buffer.from('\r\n')]);
}

function trimStart(raw: Buffer | undefined): Buffer {
  let at = 0;
  while (raw && (raw[at] === 0x20 || raw[at] === 0x09)) at++;
  return raw?.subarray(at) ?? Buffer.alloc(0);
}

function encodeName(name: string): string {
  return /^[\x20-\x7e]*$/.test(name) ? `"${name}"` : encodedWords(name);
}

function encodePrefix(local: string): string {
  return /^[\x21-\x7e]*$/.test(local) ? local : 'inbox';
}

/** RFC 2047, in words of at most 75 characters, none of which ends within a character. */
function encodedWords(text: string): string {
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 42) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  return [...words, word].map((one) => `=?UTF-8?B?${Buffer.from(one).toString('base64')}?=`).join(' ');
}
