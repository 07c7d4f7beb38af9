import { GAP } from './sealed-words.ts';
import { INDEX_COLUMNS, PHRASE_WORDS, SEARCHED_COLUMNS, startsOf } from './search-index.ts';

/*
 * Runs of words that mails of one kind have in common, and how the index has them: as one word in the place of all, the mark
 * of the run. What is a mail's own thus stands next to what it stands next to in the mail, and a phrase that reaches over
 * an edge is found with marks for the words beyond it.
 *
 * A long run is in every mail of its kind. A short one may be in all of them or in some, since two mails easily have a few
 * words in common that a third has not; only its mark tells.
 */

/** From so many words on a run is a long one. */
const LONG_WORDS = 12;
/** Shorter ones take less room in each mail than marks would. */
const SHORT_WORDS = 3;
/** Of a column; a search asks for each that has what is looked for. */
const MOST_SHORT = 32;
/** Where long runs are looked for: at places where so many words are the same. */
const SHINGLE_WORDS = 8;
/** Dates and numbers of one day are no part of a short run: the next mail has others. */
const NUMBER = /^\d+$/;
/** Around the parts of a mark; no word holds it (it is no letter), and to FTS5 it is a part of one. */
const RUN_MARK = '\ue004';

/** Columns of the index but `marks`, which is nobody's text. */
export const COLUMNS = INDEX_COLUMNS.slice(0, -1);
const IS_SEARCHED = COLUMNS.map((column) => (SEARCHED_COLUMNS as readonly string[]).includes(column));

export interface Run {
  /** With a space before, between and behind the words. */
  readonly text: string;
  readonly isLong: boolean;
  readonly mark: string;
  /** Beginnings of its words as `starts` has them; none for a column that a search without a field does not look at. */
  readonly starts: ReadonlySet<string>;
}

/** @param column place among `COLUMNS` */
export function runsOf(kind: number, column: number, texts: readonly string[]): Run[] {
  return texts.map((text, place) => ({
    text,
    isLong: wordsIn(text).length >= LONG_WORDS,
    mark: RUN_MARK + [kind, column, place].map((part) => part.toString(36)).join(RUN_MARK),
    starts: new Set(IS_SEARCHED[column] ? wordsIn(startsOf([text])) : []),
  }));
}

/**
 * Puts marks in the place of runs.
 * @returns undefined if a long one is not there, or not in order; else the words, and the short runs that are among them
 */
export function withMarks(text: string, runs: readonly Run[]): { words: string; short: Run[] } | undefined {
  const limits = placesOfLong(text, runs);
  if (!limits) return undefined;
  const words: string[] = [];
  const short: Run[] = [];
  let at = 0; // on the space before what comes next
  for (const [place, run] of runs.entries()) {
    const limit = limits[place]!;
    const found = run.isLong ? limit : text.indexOf(run.text, at);
    if (!run.isLong && (found < 0 || found + run.text.length - 1 > limit)) continue;
    words.push(...wordsIn(text.slice(at, found)), run.mark);
    if (!run.isLong) short.push(run);
    at = found + run.text.length - 1;
  }
  if (short.length === 0 && runs.length === 1 && text === runs[0]!.text) return { words: '', short }; // no edge
  words.push(...wordsIn(text.slice(at)));
  return { words: words.join(' '), short };
}

/** Where each long run is, and for a short one the next long one; undefined if one is missing. */
function placesOfLong(text: string, runs: readonly Run[]): number[] | undefined {
  const places: number[] = [];
  let at = 0;
  for (const { isLong, text: words } of runs) {
    const found = isLong ? text.indexOf(words, at) : -1;
    if (isLong && found < 0) return undefined;
    places.push(found);
    if (isLong) at = found + words.length - 1;
  }
  let next = text.length;
  return places
    .map((_, place) => places.length - 1 - place)
    .map((place) => {
      if (places[place]! >= 0) next = places[place]!;
      return next;
    })
    .reverse();
}

/** Runs of words that two texts have in common, in the same order: the long ones, and between these the short ones. */
export function commonRuns(one: string, other: string, isOverGaps: boolean): string[] {
  const [a, b] = [wordsIn(one), wordsIn(other)];
  const isLong = (word: string): boolean => isOverGaps || word !== GAP;
  const isShort = (word: string): boolean => isLong(word) && !NUMBER.test(word);
  const common: Stretch[] = [];
  let [fromA, fromB] = [0, 0];
  let left = MOST_SHORT;
  const end = { a: a.length, b: b.length, words: 0 };
  for (const long of [...stretchesOf(a, b, { shingle: SHINGLE_WORDS, least: LONG_WORDS, isShared: isLong }), end]) {
    const between = [a.slice(fromA, long.a), b.slice(fromB, long.b)] as const;
    const looking = { shingle: SHORT_WORDS, least: SHORT_WORDS, isShared: isShort };
    const short = stretchesOf(...between, looking).slice(0, left);
    left -= short.length;
    for (const one of short) common.push({ ...one, b: one.b + fromB });
    if (long !== end) common.push(long);
    [fromA, fromB] = [long.a + long.words, long.b + long.words];
  }
  return common.map(({ b: at, words }) => ` ${b.slice(at, at + words).join(' ')} `);
}

/** So many words that are the same from these places on. */
interface Stretch {
  readonly a: number;
  readonly b: number;
  readonly words: number;
}

interface Looking {
  readonly shingle: number;
  readonly least: number;
  readonly isShared: (word: string) => boolean;
}

function stretchesOf(a: readonly string[], b: readonly string[], { shingle, least, isShared }: Looking): Stretch[] {
  const key = (words: readonly string[], at: number): string => words.slice(at, at + shingle).join(' ');
  const places = new Map<string, number[]>();
  for (let at = 0; at + shingle <= a.length; at++) {
    const known = places.get(key(a, at));
    if (known) known.push(at);
    else places.set(key(a, at), [at]);
  }
  const found: Stretch[] = [];
  let from = 0;
  for (let at = 0; at + shingle <= b.length; ) {
    const place = places.get(key(b, at))?.find((known) => known >= from);
    let words = 0;
    const isCommon = (word: string | undefined, as: string | undefined): boolean =>
      word !== undefined && word === as && isShared(word);
    if (place !== undefined) while (isCommon(a[place + words], b[at + words])) words += 1;
    if (place === undefined || words < least) {
      at += 1;
      continue;
    }
    found.push({ a: place, b: at, words });
    at += words;
    from = place + words;
  }
  return found;
}

/** What of a run a phrase can reach: its ends, and all of a short one. */
export interface Reach {
  /** Place among `COLUMNS`. */
  readonly column: number;
  readonly mark: string;
  readonly isLong: boolean;
  readonly words: number;
  readonly first: readonly string[];
  readonly last: readonly string[];
}

const REACH_WORDS = LONG_WORDS - 1;

/** @param columns for each column the texts of its runs */
export function reachesOf(kind: number, columns: readonly (readonly string[])[]): Reach[] {
  return columns.flatMap((texts, column) =>
    runsOf(kind, column, texts).map(({ mark, isLong, text }) => {
      const words = wordsIn(text);
      const reach = isLong ? PHRASE_WORDS : REACH_WORDS;
      return { column, mark, isLong, words: words.length, first: words.slice(0, reach), last: words.slice(-reach) };
    }),
  );
}

/** What is looked for: words, the last of which may be a beginning. */
export interface Phrase {
  readonly words: readonly string[];
  readonly isPrefix: boolean;
}

/**
 * How a phrase stands in mails of a kind, as far as marks take part in it.
 * @param runs of one column, in order
 * @returns in the language of FTS5
 */
export function markedPhrases(phrase: Phrase, runs: readonly Reach[]): string[] {
  const found: string[] = [];
  const { words, isPrefix } = phrase;
  const follow = (at: number, sofar: readonly string[], next: number): void => {
    if (at >= words.length) {
      if (next >= 0) found.push(`"${sofar.join(' ')}"`);
      return;
    }
    const own = [...sofar, words[at]!];
    if (at < words.length - 1) follow(at + 1, own, next);
    else if (next >= 0) found.push(`"${own.join(' ')}"${isPrefix ? ' *' : ''}`);
    for (let place = Math.max(next, 0); place < runs.length; place++) {
      const run = runs[place]!;
      const length = Math.min(run.words, words.length - at);
      if (at + length === words.length && at === 0 && run.isLong) continue; // within the run: the kind tells
      if (startsAt(phrase, at, run.first.slice(0, length))) follow(at + length, [...sofar, run.mark], place + 1);
    }
  };
  follow(0, [], -1);
  for (const [place, run] of runs.entries()) {
    // that begins within a run; the whole of it was looked at above
    for (let length = 1; length < Math.min(run.words, words.length); length++) {
      if (startsAt(phrase, 0, run.last.slice(-length))) follow(length, [run.mark], place + 1);
    }
    if (!run.isLong && isWithin(phrase, run.last)) found.push(`"${run.mark}"`);
  }
  return [...new Set(found)];
}

/** Whether words stand in a phrase from a place on. */
function startsAt({ words, isPrefix }: Phrase, at: number, some: readonly string[]): boolean {
  return some.every((word, place) => {
    const wanted = words[at + place];
    if (wanted === undefined) return false;
    return at + place === words.length - 1 && isPrefix ? word.startsWith(wanted) : word === wanted;
  });
}

function isWithin(phrase: Phrase, some: readonly string[]): boolean {
  return some.some(
    (_, from) =>
      some.length - from >= phrase.words.length && startsAt(phrase, 0, some.slice(from, from + phrase.words.length)),
  );
}

export function wordsIn(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
