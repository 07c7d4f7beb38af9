import { parseAddress } from '../mail/address.ts';
import { inboxNameFromText, inboxOf } from '../mail/inbox.ts';
import type { StoredMessage } from '../mail/store.ts';
import { visible } from '../report/visible.ts';

/** Which mail is waited for; what is absent does not matter. */
export interface Wanted {
  /** An address it was sent to, as SMTP was told. Without a `+tag` it means every tag. */
  readonly to?: string;
  /** A part of the subject, case aside, or a pattern. */
  readonly subject?: string | RegExp;
  /** A part of the sender's name or address, case aside, or a pattern. */
  readonly from?: string | RegExp;
}

/** Says whether a message is wanted. */
export type Judge = (message: StoredMessage) => boolean;

/**
 * Makes the judge of what is wanted.
 * @throws TypeError if `to` is no address
 */
export function judgeOf({ to, subject, from }: Wanted): Judge {
  const isRecipient = to === undefined ? undefined : recipientJudge(to);
  return (message) =>
    (isRecipient === undefined || message.envelope.to.some(isRecipient)) &&
    (subject === undefined || fits(subject, message.subject)) &&
    (from === undefined || fits(from, senderOf(message)));
}

/** What is wanted, in words. */
export function describeWanted({ to, subject, from }: Wanted): string {
  const parts = [
    to === undefined ? '' : ` to ${visible(to)}`,
    from === undefined ? '' : ` from ${patternText(from)}`,
    subject === undefined ? '' : ` with subject ${patternText(subject)}`,
  ];
  return `mail${parts.join('')}`;
}

/** A message in a line. */
export function describeMessage(message: StoredMessage): string {
  const to = message.envelope.to.map(({ address }) => visible(address)).join(', ');
  return `to ${to}, from ${visible(senderOf(message))}: "${visible(message.subject)}"`;
}

function recipientJudge(to: string): (recipient: StoredMessage['envelope']['to'][number]) => boolean {
  const path = parseAddress(to.trim());
  const wanted = path === undefined ? undefined : inboxOf(path);
  const inbox = wanted?.inbox ?? inboxNameFromText(to);
  if (inbox === undefined) throw new TypeError(`to: ${JSON.stringify(visible(to))} is no address`);
  const tag = wanted?.tag ?? '';
  return (recipient) => recipient.inbox === inbox && (tag === '' || recipient.tag === tag);
}

function senderOf({ from, envelope }: StoredMessage): string {
  if (from === null) return envelope.from;
  return from.name === '' ? from.address : `${from.name} <${from.address}>`;
}

/** `search` starts at the beginning whatever a global pattern did before. */
function fits(pattern: string | RegExp, text: string): boolean {
  if (typeof pattern !== 'string') return text.search(pattern) >= 0;
  return text.toLowerCase().includes(pattern.toLowerCase());
}

function patternText(pattern: string | RegExp): string {
  return typeof pattern === 'string' ? JSON.stringify(visible(pattern)) : visible(String(pattern));
}
