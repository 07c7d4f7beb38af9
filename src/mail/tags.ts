import type { Address } from './store.ts';

/** Letters of a tag that a mail brings along; of another, people may make what they like. */
const OUTSIDE = /[^\p{L}\p{N}\- _.@]/gu;
const TAG_CHARACTERS = 100;

/** What of a mail's header tags it. */
export interface TagSources {
  /** The X-Tags field, names with commas between. */
  readonly tags: string;
  readonly from: Address | null;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  /** Those that no field names too. */
  readonly bcc: readonly Address[];
}

/** The tags that a mail brings along, as Mailpit reads them: of X-Tags, and what follows `+` in its addresses. */
export function tagsOfMail({ tags, from, to, cc, bcc }: TagSources): string[] {
  const names = tags === '' ? [] : tags.split(',');
  for (const list of [to, cc, bcc, from ? [from] : []]) {
    for (const { address } of list) {
      const plus = address.indexOf('+', 1);
      const at = plus < 0 ? -1 : address.indexOf('@', plus);
      if (at > 0) names.push(...address.slice(plus + 1, at).split('+'));
    }
  }
  return names.length === 0 ? names : cleanTags(names);
}

/** Brings tags to Mailpit's alphabet; what is left of some is nothing. */
export function cleanTags(tags: readonly string[]): string[] {
  return tags
    .map((tag) => tag.replace(OUTSIDE, ' ').replace(/\s+/g, ' ').trim().slice(0, TAG_CHARACTERS).trim())
    .filter((tag) => tag !== '');
}
