import { type Path, parseAddress } from '../mail/address.ts';
import type { HeaderField } from '../mail/headers.ts';
import { inboxOf } from '../mail/inbox.ts';
import type { Verification } from '../mail/verification.ts';
import { RESPONDER_LIMITS } from './limits.ts';

/*
 * Which mail is answered by nobody (RFC 3834 §2).
 *
 * Two programs that answer each other do so until somebody notices, and whoever forges a sender has the answer sent to a
 * stranger (backscatter). So a mail is answered only if nothing at all speaks against it: each rule below is enough.
 * Answers go to the reverse-path and never to Reply-To (§4), which a stranger sets to whom he likes and which SPF does
 * not vouch for; and they have a null reverse-path, to which no program answers.
 */

/** What the rules look at. */
export interface AnswerFacts {
  /** The reverse-path; '' for the null one. */
  readonly sender: string;
  /** Fields of the header. */
  readonly fields: readonly HeaderField[];
  /** Name of the inbox that it came to, and the address that it was sent to. */
  readonly inbox: string;
  readonly address: string;
  /** Name of the daemon. */
  readonly hostname: string;
  /** True for an address that an agent answers, or that mail is forwarded to. */
  readonly isOwn: (address: Path) => boolean;
  /** Null when nobody asked. */
  readonly verification: Verification | null;
  /** Whom to answer as far as is known who they are. */
  readonly senders: AnsweredSenders;
}

/** Everybody; everybody but whose mail fails SPF or DMARC; or only whose mail passes one of them, or nobody asked about. */
export type AnsweredSenders = 'any' | 'not-failed' | 'verified';
export const ANSWERED_SENDERS: readonly AnsweredSenders[] = ['any', 'not-failed', 'verified'];

/** Beginning of the Message-ID of everything that responders send. */
export const OWN_MESSAGE_ID = 'inboxd-auto.';

interface Rule {
  /** Fit to count by. */
  readonly reason: string;
  readonly refuses: (facts: AnswerFacts, values: (name: string) => readonly string[]) => boolean;
}

/** Local parts behind which nobody reads (RFC 3834 §2, RFC 2142, and custom). */
const ROBOT =
  /^(?:mailer-daemon|mail-daemon|postmaster|(?:do[-_.]?)?no[-_.]?t?[-_.]?reply|auto[-_.]?(?:reply|responder|mailer)|listserv|majordomo|mailman|bounces?|nobody|owner-.*|.*-(?:owner|request|bounces?|errors?)|(?:bounces?|noreply|no-reply|prvs|msprvs1|srs[01])[-+=_].*)$/i;

const RULES: readonly Rule[] = [
  { reason: 'null-sender', refuses: ({ sender }) => sender === '' },
  { reason: 'unanswerable', refuses: ({ sender }) => !isAnswerable(sender) },
  { reason: 'robot', refuses: ({ sender }) => ROBOT.test(localOf(sender)) },
  { reason: 'own-address', refuses: isOurs },
  { reason: 'auto-submitted', refuses: (_, values) => values('auto-submitted').some((value) => wordOf(value) !== 'no') },
  { reason: 'auto-submitted', refuses: (_, values) => AUTO_FIELDS.some((name) => values(name).length > 0) },
  { reason: 'suppressed', refuses: (_, values) => values('x-auto-response-suppress').some(suppresses) },
  { reason: 'precedence', refuses: (_, values) => values('precedence').some((value) => isBulk(wordOf(value))) },
  { reason: 'list', refuses: ({ fields }) => fields.some(({ name }) => /^(?:list-|mailing-list$)/i.test(name)) },
  { reason: 'report', refuses: (_, values) => values('content-type').some((value) => /^multipart\/report\b/i.test(value)) },
  { reason: 'report', refuses: (_, values) => values('x-failed-recipients').length > 0 },
  { reason: 'loop', refuses: comesFromUs },
  { reason: 'loop', refuses: (_, values) => values('received').length > RESPONDER_LIMITS.receivedFields },
  { reason: 'unverified', refuses: isUnverified },
]; // biome-ignore format: a table

/** Older programs mark their answers with these. */
const AUTO_FIELDS = ['x-autoreply', 'x-autorespond', 'x-autoresponse', 'x-auto-reply', 'x-autoreply-from'];

/** @returns the reason not to answer a mail, or undefined if it may be answered */
export function whyNotToAnswer(facts: AnswerFacts): string | undefined {
  const values = valuesOf(facts.fields);
  return RULES.find(({ refuses }) => refuses(facts, values))?.reason;
}

/** @returns the reason not to forward a mail: it was forwarded from here already, or goes in circles */
export function whyNotToForward(facts: Pick<AnswerFacts, 'fields' | 'address' | 'hostname'>): string | undefined {
  const values = valuesOf(facts.fields);
  const circles = values('received').length > RESPONDER_LIMITS.receivedFields;
  return circles || comesFromUs(facts, values) ? 'loop' : undefined;
}

function valuesOf(fields: readonly HeaderField[]): (name: string) => readonly string[] {
  return (name) => fields.filter((field) => field.name.toLowerCase() === name).map(({ text }) => text.trim());
}

/** The first word of a value, in lower case; parameters and comments may follow (RFC 3834 §5). */
function wordOf(value: string): string {
  return (
    value
      .replace(/^(?:\s|\([^()]*\))*/, '')
      .split(/[\s;(]/, 1)[0]
      ?.toLowerCase() ?? ''
  );
}

function isBulk(word: string): boolean {
  return word === 'bulk' || word === 'list' || word === 'junk';
}

/** Microsoft's field: `OOF` and `AutoReply` are answers of programs, `All` is everything. */
function suppresses(value: string): boolean {
  return /(?:^|[\s,;])(?:all|oof|autoreply)(?:$|[\s,;])/i.test(value);
}

function isAnswerable(sender: string): boolean {
  return (parseAddress(sender)?.domain ?? '') !== '';
}

function localOf(sender: string): string {
  return parseAddress(sender)?.local ?? '';
}

function isOurs({ sender, inbox, address, isOwn }: AnswerFacts): boolean {
  const path = parseAddress(sender);
  if (!path) return false;
  const full = inboxOf(path).inbox;
  const to = parseAddress(address);
  return full === inbox || (to !== undefined && inboxOf(to).inbox === full) || isOwn(path);
}

/** What we send names the address that it comes from in X-Loop, and us in its Message-ID. */
function comesFromUs(
  { address, hostname }: Pick<AnswerFacts, 'address' | 'hostname'>,
  values: (name: string) => readonly string[],
): boolean {
  const looped = values('x-loop').some((value) => value.toLowerCase() === address.toLowerCase());
  const host = `@${hostname.toLowerCase()}>`;
  const isOwnId = (id: string): boolean => id.startsWith(`<${OWN_MESSAGE_ID}`) && id.toLowerCase().endsWith(host);
  return looped || values('message-id').some(isOwnId);
}

/**
 * Would the answer go to somebody who did not write? SPF speaks of the very address that gets it. DMARC speaks of From,
 * and only for an address of that domain; where it passes by DKIM, an SPF that forwarding broke says nothing.
 */
function isUnverified({ senders, verification, sender, fields }: AnswerFacts): boolean {
  if (senders === 'any' || verification === null) return false;
  if (verification.status !== 'done') return true; // made so that nobody can tell, or nobody could
  const { spf, dmarc } = verification;
  const from = fields.filter(({ name }) => name.toLowerCase() === 'from').map(({ text }) => text);
  const domain = parseAddress(sender)?.domain.toLowerCase() ?? '';
  const vouchesForSender =
    dmarc?.result === 'pass' &&
    from.length === 1 &&
    from[0]!.toLowerCase().replace(/>.*$/s, '').trimEnd().endsWith(`@${domain}`);
  if (spf?.result === 'pass' || vouchesForSender) return dmarc?.result === 'fail';
  if (senders === 'verified') return true;
  return spf?.result === 'fail' || spf?.result === 'softfail' || dmarc?.result === 'fail';
}
