import { parseAddressList } from './address-list.ts';
import { decodeUnlabelled, decodeWords } from './encoded-words.ts';
import type { Address } from './store.ts';

/**
 * Reads the header block of a mail without parsing the mail.
 *
 * This runs for each message on its way into the store, so it walks the bytes once, makes strings only of fields that
 * somebody asks for, and has an answer for everything: lines that are no field are skipped, limits cut instead of
 * refusing, nothing throws.
 */

/** How much of a header block is read; the rest is passed over. */
export interface HeaderLimits {
  readonly bytes: number;
  readonly fields: number;
}

export const HEADER_LIMITS: HeaderLimits = Object.freeze({ bytes: 65_536, fields: 1_000 });

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** One header field as it stands in the mail; the value is decoded when it is asked for. */
export class HeaderField {
  /** As written, case kept. */
  readonly name: string;
  private readonly source: Buffer;
  private readonly from: number;
  private readonly to: number;

  constructor(name: string, source: Buffer, from: number, to: number) {
    this.name = name;
    this.source = source;
    this.from = from;
    this.to = to;
  }

  /** The bytes between the colon and the line end, folds included; a view. */
  get raw(): Buffer {
    return this.source.subarray(this.from, this.to);
  }

  /** Unfolded and trimmed, encoded-words not decoded. Every fold counts as one space. */
  get text(): string {
    const whole = decodeUnlabelled(this.raw);
    if (!whole.includes('\n')) return whole.trim();
    return whole
      .split('\n')
      .map((line) => line.trim())
      .join(' ')
      .trim();
  }
}

/**
 * Reads the fields of a header block, which ends at the first empty line; CR LF and bare LF both end a line.
 * @param start the mail, or as much of its start as there is; the fields keep views of it
 * @returns the fields in order, and where the body begins (the length of `start` if that has no empty line)
 */
export function readHeaderFields(
  start: Buffer,
  limits: HeaderLimits = HEADER_LIMITS,
): { fields: HeaderField[]; bodyAt: number } {
  const fields: HeaderField[] = [];
  const end = Math.min(start.length, limits.bytes);
  let at = 0;
  while (at < end) {
    if (start[at] === LF) return { fields, bodyAt: at + 1 };
    if (start[at] === CR && start[at + 1] === LF) return { fields, bodyAt: at + 2 };
    if (fields.length >= limits.fields) break;
    const colon = nameEnd(start, at, end);
    const next = fieldEnd(start, at, end);
    if (colon > at) {
      const name = start.toString('latin1', at, colon);
      let valueAt = colon;
      while (start[valueAt] !== COLON) valueAt++;
      fields.push(new HeaderField(name, start, valueAt + 1, withoutLineEnd(start, valueAt + 1, Math.min(next, end))));
    }
    at = next;
  }
  return { fields, bodyAt: findBody(start, at) };
}

/** Finds the end of a field's name (a colon must follow, white space before it is forgiven); 0 if the line is no field. */
function nameEnd(start: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && start[at]! > SPACE && start[at]! < 0x7f && start[at] !== COLON) at++;
  const nameStop = at;
  while (at < end && (start[at] === SPACE || start[at] === TAB)) at++;
  return start[at] === COLON && at < end ? nameStop : 0;
}

/** Finds where the next field begins: behind the first line end that no white space follows. */
function fieldEnd(start: Buffer, from: number, end: number): number {
  let at = from;
  for (;;) {
    const lineEnd = start.indexOf(LF, at);
    if (lineEnd < 0) return start.length;
    at = lineEnd + 1;
    if (at >= end || (start[at] !== SPACE && start[at] !== TAB)) return at;
  }
}

function withoutLineEnd(start: Buffer, from: number, to: number): number {
  let stop = to;
  if (stop > from && start[stop - 1] === LF) stop--;
  if (stop > from && start[stop - 1] === CR) stop--;
  return stop;
}

/** Finds the first empty line at or behind the start of a line, when the limits have ended the reading before it. */
function findBody(start: Buffer, line: number): number {
  const from = Math.max(line - 1, 0);
  const bare = start.indexOf('\n\n', from);
  const full = start.indexOf('\n\r\n', from);
  if (full >= 0 && (bare < 0 || full < bare)) return full + 3;
  return bare >= 0 ? bare + 2 : start.length;
}

/** What a list of messages needs of the header block. */
export interface HeaderSummary {
  /** Without angle brackets. */
  readonly messageId: string;
  readonly from: Address | null;
  readonly to: Address[];
  readonly cc: Address[];
  /** Of the Bcc field only. */
  readonly bcc: Address[];
  readonly replyTo: Address[];
  readonly subject: string;
  /** The X-Tags field. */
  readonly tags: string;
}

/** Reads what a list shows out of the start of a mail; fields that are missing are empty. */
export function scanSummary(start: Buffer): HeaderSummary {
  return summariseFields(readHeaderFields(start).fields);
}

/** Reads what a list shows out of header fields: of From, Subject, Message-ID and X-Tags the first, of the others all. */
export function summariseFields(fields: readonly HeaderField[]): HeaderSummary {
  let messageId = '';
  let from: Address | null = null;
  let subject: string | undefined;
  let tags = '';
  const to: Address[] = [];
  const cc: Address[] = [];
  const bcc: Address[] = [];
  const replyTo: Address[] = [];
  for (const field of fields) {
    switch (field.name.toLowerCase()) {
      case 'from':
        from ??= parseAddressList(field.text)[0] ?? null;
        break;
      case 'to':
        addAddresses(field, to);
        break;
      case 'cc':
        addAddresses(field, cc);
        break;
      case 'bcc':
        addAddresses(field, bcc);
        break;
      case 'reply-to':
        addAddresses(field, replyTo);
        break;
      case 'subject':
        subject ??= decodeWords(field.text).trim();
        break;
      case 'x-tags':
        tags ||= decodeWords(field.text).trim();
        break;
      case 'message-id':
        messageId ||= withoutBrackets(field.text);
        break;
    }
  }
  return { messageId, from, to, cc, bcc, replyTo, subject: subject ?? '', tags };
}

// one by one: as arguments of a single push, a long list would not fit on the stack
function addAddresses(field: HeaderField, list: Address[]): void {
  for (const address of parseAddressList(field.text)) list.push(address);
}

/** Takes the angle brackets off an id (Message-ID, Content-ID) and whatever stands outside of them. */
export function withoutBrackets(text: string): string {
  const open = text.indexOf('<');
  const close = text.indexOf('>', open + 1);
  const inner = open >= 0 ? text.slice(open + 1, close < 0 ? undefined : close) : text;
  return inner.replace(/[\u0000-\u0020\u007f]+/g, '');
}
