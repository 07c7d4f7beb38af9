import { hasUnseenCharacters } from '../mail/address.ts';
import { RESPONDER_LIMITS } from './limits.ts';

/*
 * What an agent gives is looked at twice: in its thread, so that nothing huge crosses over, and on the event loop, since
 * nothing keeps a module from posting there what it likes.
 */

/** An answer with all that is optional filled in, but for the subject; looked at again, it is the same. */
export interface CheckedAnswer {
  /** Undefined for that of the mail. */
  readonly subject: string | undefined;
  readonly text: string;
  readonly html: string;
  readonly attachments: readonly CheckedAttachment[];
  readonly headers: Readonly<Record<string, string>>;
}

export interface CheckedAttachment {
  readonly fileName: string;
  /** '' to be guessed. */
  readonly contentType: string;
  readonly content: Uint8Array;
}

/** The answer, undefined for none; or why it cannot be sent, for its author. */
export type Checked =
  | { readonly ok: true; readonly answer: CheckedAnswer | undefined }
  | { readonly ok: false; readonly why: string };

const KEYS = ['subject', 'text', 'html', 'attachments', 'headers'];
const ATTACHMENT_KEYS = ['fileName', 'content', 'contentType'];
/** Fields that an agent may write: none that says who sent what to whom, how it is built, or that it may be answered. */
const FIELD =
  /^(?:X-(?!Loop$|Auto-Response-Suppress$)[A-Za-z0-9-]{1,60}|Organization|Keywords|Comments|Content-Language|Importance|Priority|Sensitivity)$/i;
const CONTENT_TYPE = /^[\w!#$&^.+-]{1,60}\/[\w!#$&^.+-]{1,60}$/;

/** Looks at what an agent has given. */
export function checkAnswer(given: unknown): Checked {
  try {
    return { ok: true, answer: given === undefined || given === null ? undefined : readAnswer(given) };
  } catch (error) {
    if (error instanceof Unfit) return { ok: false, why: error.message };
    throw error;
  }
}

/** Leaves the reading of an answer; never gets out of this file. */
class Unfit extends Error {}

function readAnswer(given: unknown): CheckedAnswer {
  const answer = readRecord(given, KEYS, 'an answer');
  const { subjectCharacters, textCharacters } = RESPONDER_LIMITS;
  const subject = answer.subject === undefined ? undefined : readLine(answer.subject, 'subject', subjectCharacters);
  const text = readText(answer.text, 'text', textCharacters);
  const html = readText(answer.html, 'html', textCharacters);
  const attachments = readAttachments(answer.attachments);
  if (text === '' && html === '' && attachments.length === 0) throw new Unfit('has neither text, html nor attachments');
  return { subject, text, html, attachments, headers: readHeaders(answer.headers) };
}

function readRecord(given: unknown, keys: readonly string[], what: string): Record<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new Unfit(`${what} is an object, not ${Array.isArray(given) ? 'an array' : typeof given}`);
  }
  const strange = Object.keys(given).find((key) => !keys.includes(key));
  if (strange !== undefined)
    throw new Unfit(`${what} has ${keys.join(', ')}, and no ${JSON.stringify(strange.slice(0, 50))}`);
  return given as Record<string, unknown>;
}

function readText(given: unknown, name: string, most: number): string {
  if (given === undefined) return '';
  if (typeof given !== 'string') throw new Unfit(`${name} is a string, not ${typeof given}`);
  if (given.length > most) throw new Unfit(`${name} has more than ${most} characters`);
  return given;
}

/** Text that stands in a header: one line, nothing in it that nobody sees. */
function readLine(given: unknown, name: string, most: number): string {
  if (typeof given !== 'string') throw new Unfit(`${name} is a string, not ${typeof given}`);
  const text = readText(given, name, most);
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new Unfit(`${name} has a line end or another control character`);
  if (!text.isWellFormed()) throw new Unfit(`${name} has half a character`);
  return text;
}

function readHeaders(given: unknown): CheckedAnswer['headers'] {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new Unfit('headers is an object');
  const entries = Object.entries(given);
  const { headers, headerCharacters } = RESPONDER_LIMITS;
  if (entries.length > headers) throw new Unfit(`headers has more than ${headers} fields`);
  const lines = entries.map(([name, value]) => {
    if (!FIELD.test(name)) throw new Unfit(`headers may not have ${JSON.stringify(name.slice(0, 80))}`);
    return [name, readLine(value, name, headerCharacters)] as const;
  });
  return Object.fromEntries(lines);
}

function readAttachments(given: unknown): readonly CheckedAttachment[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw new Unfit('attachments is an array');
  const { attachments, attachmentBytes } = RESPONDER_LIMITS;
  if (given.length > attachments) throw new Unfit(`attachments has more than ${attachments}`);
  let bytes = 0;
  return given.map((one: unknown) => {
    const { fileName, contentType = '', content } = readRecord(one, ATTACHMENT_KEYS, 'an attachment');
    if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
      throw new Unfit('content of an attachment is a string or a Uint8Array');
    }
    bytes += typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
    if (bytes > attachmentBytes) throw new Unfit(`attachments have more than ${attachmentBytes} bytes together`);
    return {
      fileName: readFileName(fileName),
      contentType: readContentType(contentType),
      content: typeof content === 'string' ? new TextEncoder().encode(content) : content,
    };
  });
}

function readFileName(given: unknown): string {
  const name = readLine(given, 'fileName', 200);
  if (name === '' || hasUnseenCharacters(name) || /[/\\]/.test(name)) {
    throw new Unfit('fileName is a name without slashes and without characters that nobody sees');
  }
  return name;
}

function readContentType(given: unknown): string {
  if (given === '' || (typeof given === 'string' && CONTENT_TYPE.test(given))) return given;
  throw new Unfit('contentType is of the form text/plain');
}
