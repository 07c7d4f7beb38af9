import { parseAddress } from '../mail/address.ts';
import { decodeWords } from '../mail/encoded-words.ts';
import { type HeaderField, withoutBrackets } from '../mail/headers.ts';
import type { CheckedAnswer } from './answer.ts';
import { RESPONDER_LIMITS } from './limits.ts';
import { OWN_MESSAGE_ID } from './loop-rules.ts';

/** Writes mails, and sends none; loaded when the first is written. */
async function loadComposer() {
  const { createTransport } = await import('nodemailer');
  return createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
}

/** What of the mail that is answered stands in the answer. */
export interface Answered {
  /** Id in the store. */
  readonly id: string;
  /** The reverse-path: who gets the answer. */
  readonly sender: string;
  /** The address that it was sent to. */
  readonly address: string;
  readonly fields: readonly HeaderField[];
  readonly hostname: string;
}

/**
 * Writes an answer as a mail, with the fields that RFC 3834 §3 wants: it says that a program wrote it, whom it answers,
 * and where it comes from, should it ever come back. Lines end in CR LF; nothing in it starts a line of its own.
 */
export async function composeReply(answer: CheckedAnswer, to: Answered, at: Date = new Date()): Promise<Buffer> {
  const first = (name: string): string => to.fields.find((field) => field.name.toLowerCase() === name)?.text ?? '';
  const answered = idsOf(first('message-id')).slice(0, 1);
  // RFC 5322 §3.6.4: what it referred to, or else what it answered, then itself
  const before = idsOf(first('references') || first('in-reply-to'));
  const references = [...before, ...answered].slice(-RESPONDER_LIMITS.references);
  const composer = await loadComposer();
  const { message } = await composer.sendMail({
    from: mailbox(fullAddress(to.address, to.hostname)),
    to: mailbox(to.sender),
    subject: answer.subject ?? replySubject(decodeWords(first('subject'))),
    ...(answer.text !== '' && { text: answer.text }),
    ...(answer.html !== '' && { html: answer.html }),
    attachments: answer.attachments.map(({ fileName, contentType, content }) => ({
      filename: fileName,
      ...(contentType !== '' && { contentType }),
      content: Buffer.from(content.buffer, content.byteOffset, content.byteLength),
    })),
    date: at,
    messageId: `<${OWN_MESSAGE_ID}${to.id}.${hashOf(to.address)}@${to.hostname}>`,
    ...(answered.length > 0 && { inReplyTo: answered[0]! }),
    ...(references.length > 0 && { references: references.join(' ') }),
    headers: [
      { key: 'Auto-Submitted', value: 'auto-replied' },
      { key: 'X-Auto-Response-Suppress', value: 'All' },
      { key: 'X-Loop', value: to.address },
      ...Object.entries(answer.headers).map(([key, value]) => ({ key, value })),
    ],
    // nothing of an answer is a path or an address to read from
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return message as Buffer;
}

/** An address has a domain, at least ours. */
export function fullAddress(address: string, hostname: string): string {
  return parseAddress(address) ? address : `${address}@${hostname}`;
}

/** Tells the answers of several inboxes to one mail apart. */
function hashOf(address: string): string {
  let hash = 0x811c9dc5; // FNV-1a
  for (const octet of Buffer.from(address)) hash = Math.imul(hash ^ octet, 0x01000193) >>> 0;
  return hash.toString(36);
}

function mailbox(address: string): { name: string; address: string } {
  return { name: '', address };
}

/** Ids of a field, with their brackets; what no header can carry is left out. */
function idsOf(text: string): string[] {
  const ids = text.match(/<[^<>]*>/g) ?? [];
  return ids.map((id) => `<${withoutBrackets(id)}>`).filter((id) => /^<[\x21-\x3b=\x3f-\x7e]{1,250}>$/.test(id));
}

function replySubject(subject: string): string {
  const line = subject
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .toWellFormed()
    .trim();
  const short = [...line].slice(0, RESPONDER_LIMITS.subjectCharacters).join('');
  return /^re:/i.test(short) ? short : `Re: ${short}`.trimEnd();
}
