import { decodeWords } from '../mail/encoded-words.ts';
import type { Filter, MessageOpinion } from '../mail/filter.ts';
import type { HeaderField } from '../mail/headers.ts';
import type { Verdict } from '../mail/sink.ts';
import { AgeingTable } from './ageing-table.ts';
import { withHeaderFields } from './head.ts';
import { type ContentLimits, SUBJECT_WINDOW_MS, TABLE_KEYS } from './limits.ts';

/**
 * Bans a subject that comes again and again: junk comes in waves of equal mails, and this catches a wave within its
 * first messages, wherever it comes from. So many equal subjects within two minutes, and the subject is refused for an
 * hour; apart from that a subject may have a limit per minute. Mails without a subject are let through.
 */

const BANNED: Verdict = { code: 554, enhanced: '5.7.1', text: 'Too many messages with this subject' };
const TOO_MANY: Verdict = {
  code: 450,
  enhanced: '4.7.1',
  text: 'Too many messages with this subject, try again later',
};

/** Subjects are told apart by so much of them. */
const SUBJECT_CHARACTERS = 256;

export interface RepeatedSubjectsOptions {
  readonly limits: ContentLimits;
  readonly isExempt: (address: string) => boolean;
  /** Is told of each new ban. */
  readonly banned: (subject: string, milliseconds: number) => void;
  readonly now?: () => number;
}

export function repeatedSubjects({
  limits,
  isExempt,
  banned,
  now = () => performance.now(),
}: RepeatedSubjectsOptions): Filter {
  const { subjectRepeats, subjectBanMs, subjectMessagesPerMinute } = limits;
  const seen = new AgeingTable(TABLE_KEYS, 1, SUBJECT_WINDOW_MS, now);
  const perMinute = new AgeingTable(TABLE_KEYS, 1, 60_000, now);
  /** End of each ban, the oldest first. */
  const bans = new Map<string, number>();
  const judge = (fields: readonly HeaderField[]): MessageOpinion | undefined => {
    const subject = subjectOf(fields);
    if (subject === '') return undefined;
    const until = bans.get(subject);
    if (until !== undefined) {
      if (now() < until) return { verdict: BANNED, reason: 'banned-subject' };
      bans.delete(subject);
    }
    if (subjectMessagesPerMinute > 0 && perMinute.add(subject, 0) > subjectMessagesPerMinute) {
      return { verdict: TOO_MANY, reason: 'subject-rate' };
    }
    if (subjectRepeats === 0 || seen.add(subject, 0) <= subjectRepeats) return undefined;
    if (bans.size >= TABLE_KEYS) bans.delete(bans.keys().next().value!);
    bans.set(subject, now() + subjectBanMs);
    banned(subject, subjectBanMs);
    return { verdict: BANNED, reason: 'banned-subject' };
  };
  return {
    name: 'subjects',
    message: ({ client }, { content }) => (isExempt(client.address) ? undefined : withHeaderFields(content, judge)),
  };
}

/** The subject to compare: what looks equal is equal, letters in one case and white space as one blank. */
function subjectOf(fields: readonly HeaderField[]): string {
  const field = fields.find(({ name }) => name.length === 7 && name.toLowerCase() === 'subject');
  if (!field) return '';
  const text = decodeWords(field.text).normalize('NFKC').replace(/\s+/g, ' ');
  return text.trim().toLowerCase().slice(0, SUBJECT_CHARACTERS);
}
