import { TAG_LIMITS } from '../../mail/store.ts';
import { fold } from '../../mail/words.ts';
import { plain } from './address-text.ts';

/** Tags by what tells them apart, in its order: the first spelling of each stays, and what is too many goes. */
export function foldTags(names: readonly string[]): Map<string, string> {
  const tags = new Map<string, string>();
  for (const name of names) {
    const tag = tidy(name).slice(0, TAG_LIMITS.characters).toWellFormed();
    if (tag !== '' && !tags.has(fold(tag))) tags.set(fold(tag), tag);
  }
  return new Map([...tags].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, TAG_LIMITS.perMessage));
}

export function foldTag(name: string): string {
  return fold(tidy(name));
}

function tidy(name: string): string {
  return plain(name).replace(/\s+/g, ' ').trim();
}
