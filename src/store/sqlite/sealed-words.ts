import { spacedWords, wordsOf } from '../../mail/words.ts';

/*
 * Signatures of mail (DKIM, ARC) are a dozen words each that no other mail has, and nobody looks for them; in the index
 * they took more room than all else of a newsletter that thousands get. So it holds of each only the beginning, among
 * `starts`. A search for a word that begins like one of them looks into the header fields of the few mails concerned.
 */

/** Fields with a list of tags (RFC 6376 §3.2), and which of these hold signatures and hashes. */
const SIGNATURES = /^(?:(?:x-google-)?dkim-signature|arc-message-signature|arc-seal|domainkey-signature)$/i;
const SEALED_TAG = /^\s*bh?\s*=/;
/** What is in the index of a word; shorter ones are there themselves. */
const SEALED_CHARACTERS = 5;
const SEALED = /^[\da-z]{5,}$/;
/** In front of a beginning; no word holds it (it is no letter), and to FTS5 it is a part of one. */
const SEAL_MARK = '\ue002';
/** Stands for words that were left out: what is around them does not follow each other. */
export const GAP = '\ue003';
const GAPS = / \ue003(?: \ue003)+(?= )/g;
/** Of beginnings up to this long the index has lists for all words alike; longer ones are looked for behind the mark. */
const LISTED_CHARACTERS = 2;

type Field = { readonly name: string; readonly value: string };

/** The words of header fields, spaced as words.ts does, and those of signatures that are not among them. */
export function openWords(fields: readonly Field[]): { readonly words: string; readonly sealed: readonly string[] } {
  const sealed = new Set<string>();
  const words = fields.map(({ name, value }) => {
    if (!SIGNATURES.test(name)) return spacedWords(value);
    const parts = value.split(';').map((part) => {
      if (!SEALED_TAG.test(part)) return spacedWords(part);
      const left = wordsOf(part).map((word) => {
        if (!SEALED.test(word)) return word;
        sealed.add(word);
        return GAP;
      });
      return left.length === 0 ? '' : ` ${left.join(' ')} `;
    });
    return parts.join('');
  });
  return { words: words.join('').replaceAll('  ', ' ').replace(GAPS, ` ${GAP}`), sealed: [...sealed] };
}

/** What the index holds of words that are not in it, each once. */
export function sealsOf(sealed: readonly string[]): string[] {
  return [...new Set(sealed.map((word) => SEAL_MARK + word.slice(0, SEALED_CHARACTERS)))];
}

export function isSeal(start: string): boolean {
  return start.startsWith(SEAL_MARK);
}

/** Words whose beginnings are those that have lists, to be given to `startsOf` with the others. */
export function listedStarts(seals: readonly string[]): string {
  return seals.map((seal) => seal.slice(SEAL_MARK.length, SEAL_MARK.length + LISTED_CHARACTERS + 1)).join(' ');
}

/** In the language of FTS5, mails with a sealed word that has a short beginning; undefined if its list has them. */
export function sealedStart(start: string): string | undefined {
  return start.length > LISTED_CHARACTERS ? `starts : "${SEAL_MARK}${start}" *` : undefined;
}

/** In the language of FTS5, mails that may have a word of these as a sealed one; undefined if none can be. */
export function sealedMatch(words: readonly string[]): string | undefined {
  const seals = sealsOf(words.filter((word) => SEALED.test(word)));
  return seals.length === 0 ? undefined : `starts : (${seals.map((seal) => `"${seal}"`).join(' OR ')})`;
}
