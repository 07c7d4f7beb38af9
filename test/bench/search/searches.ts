import { inboxName, rankOf, word } from './mails.ts';

/** A kind of search, and one of that kind by chance. */
export type Searches = Readonly<Record<string, () => string>>;

/** What people search for, from the commonest word to one that is nowhere. */
export function searchesOf(random: () => number, inboxes: number): Searches {
  const any = (): string => word(rankOf(random));
  return {
    'a word': any,
    'two words': () => `${any()} ${any()}`,
    'a rare word': () => word(20_000 + Math.floor(random() * 30_000)),
    'a word that is nowhere': () => `${any()}qqq`,
    'a phrase': () => `"${any()} ${any()}"`,
    'a prefix': () => `${any().slice(0, 4)}*`,
    'a field': () => `subject:${any()}`,
    'a sender': () => `from:${word(Math.floor(random() * 997))}`,
    'without a word': () => `${any()} -${any()}`,
    'either of two': () => `${any()} OR ${any()}`,
    'a header': () => `header:X-Campaign=${word(Math.floor(random() * 89))}`,
    'a word in an inbox': () => `inbox:${inboxName(Math.floor(random() * inboxes))} ${any()}`,
    'unread with a word': () => `is:unread ${any()}`,
    'all unread': () => 'is:unread',
    'all pinned': () => 'is:pinned',
    'all read': () => 'is:read',
    'with an attachment': () => 'has:attachment',
    'of today with a word': () => `after:${new Date().toISOString().slice(0, 10)} ${any()}`,
  };
}
