/*
 * What a word is, for the search: the index, a scan of what is not indexed yet and `matches` all ask here, so that they
 * never disagree.
 *
 * A word is a run of letters, digits and marks. Scripts that are written without spaces, or that glue endings to a word,
 * have no such runs that anyone would search for; there every character is a word of its own, and what a person types is
 * looked for as a phrase of them. That finds any part of a text in Chinese, Japanese, Thai or Korean, with one index for
 * all languages; an index of trigrams would find no word of two characters, which in Chinese most are, and is three times
 * the size of the text.
 */
const WORDS =
  /[[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]&&[\p{L}\p{N}]]\p{M}*|(?:[[\p{L}\p{N}]--[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]]\p{M}*)+/gv;
/** Most texts are this and need no Unicode tables. */
const ASCII = /^[\x00-\x7f]*$/;
const ASCII_WORDS = /[0-9A-Za-z]+/g;
/** Longer runs are encoded data; nobody types them, and each would be in the index for ever. */
const WORD_CHARACTERS = 64;

/**
 * Brings text to the form that is compared: composed, lower case, one form of sigma.
 * Full case folding (ß as ss) is not attempted.
 */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  const lower = text.normalize('NFC').toLowerCase();
  return lower.includes('ς') ? lower.replaceAll('ς', 'σ') : lower;
}

/** The words of a text, folded, each cut at 64 characters. */
export function wordsOf(text: string): string[] {
  const words: string[] = ASCII.test(text) ? (text.match(ASCII_WORDS) ?? []) : (fold(text).match(WORDS) ?? []);
  const isFolded = !ASCII.test(text);
  return words.map((word) => {
    const cut = word.length > WORD_CHARACTERS ? word.slice(0, WORD_CHARACTERS) : word;
    return isFolded ? cut : cut.toLowerCase();
  });
}

/** The words of a text with a space before, between and behind them: a phrase is then a substring. */
export function spacedWords(text: string): string {
  const words = wordsOf(text);
  return words.length === 0 ? '' : ` ${words.join(' ')} `;
}

/** What to look for in `spacedWords`; undefined for a text without a word. */
export function spacedPhrase(text: string, isPrefix: boolean): string | undefined {
  const words = wordsOf(text);
  if (words.length === 0) return undefined;
  return isPrefix ? ` ${words.join(' ')}` : ` ${words.join(' ')} `;
}
