import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { GAP, isSeal, listedStarts } from './sealed-words.ts';
import { INDEX_COLUMNS, PHRASE_WORDS, SEARCHED_COLUMNS, startsOf } from './search-index.ts';

/*
 * Mails of one kind, such as a newsletter that greets each reader by name, have most words in common. These are in the
 * index once, as those of the kind (table `kinds`, index `shared_search`); each mail brings its own, and a mark for the
 * kind. What a search looks for it then finds in a mail itself or in its kind (search-index.ts, `Sharing`).
 *
 * A kind is a list of runs of words for each column: every mail of it has all of them, in this order. What lies between
 * two runs is a mail's own, and so is what crosses an edge: with the words of a gap go as many of the run on either side
 * as a phrase can reach over. Phrases that are longer are looked for piece by piece, and then in the messages themselves.
 * Runs reach over words of signatures that are not in the index (sealed-words.ts) only where the signatures are the same, as
 * those of copies of one mail are: others have short words between them at other places. Their seals a kind then has too.
 */

/** Shorter runs are not worth the words of context at their ends. */
const RUN_WORDS = 12;
/** Where runs are looked for: at places where so many words are the same. */
const SHINGLE_WORDS = 8;
/** Words that a kind must have, and the part of those of a mail. */
const LEAST_WORDS = 60;
const LEAST_PART = 0.6;
/** A search asks for each kind that has the word, so there may not be many. */
const MOST_KINDS = 64;
const MOST_KINDS_OF_SENDER = 4;
/** Senders of whom mails are remembered that were of no kind, and how many of each. */
const REMEMBERED_SENDERS = 64;
const REMEMBERED_MAILS = 3;
/** Passages of a mail that are looked for in another one before the two are compared word by word. */
const PROBES = 8;
/** Stands between words that do not follow each other; no word holds it (it is no letter), and to FTS5 it is one. */
const BREAK = ' \ue001 ';
const CONTEXT_WORDS = PHRASE_WORDS - 1;

const COLUMNS = INDEX_COLUMNS.slice(0, -1); // `marks` is nobody's text
const STARTS = COLUMNS.indexOf('starts');
const SENDER = COLUMNS.indexOf('sender');
const BODY = COLUMNS.indexOf('body');
const SEARCHED = SEARCHED_COLUMNS.map((column) => COLUMNS.indexOf(column));

/** For each column its runs, each with a space before, between and behind the words. */
type Runs = readonly (readonly string[])[];

interface Kind {
  readonly kind: number;
  readonly runs: Runs;
  readonly starts: ReadonlySet<string>;
  /** Of the mail that made it. */
  readonly snippet: string;
}

/** A mail as part of a kind. */
export interface Share {
  readonly kind: number;
  /** For each column but `marks` the words that are its own. */
  readonly words: readonly string[];
  /** That of the kind. */
  readonly snippet: string;
}

export class SharedWords {
  /** By sender. */
  readonly #kinds = new Map<string, Kind[]>();
  /** By sender, the last mails that were of no kind; least recently seen senders first. */
  readonly #single = new Map<string, readonly (readonly string[])[]>();
  /** Also one whose transaction came to nothing is not given to another. */
  #nextKind: number;
  readonly #isThere: StatementSync;
  readonly #count: StatementSync;
  readonly #put: StatementSync;
  readonly #putWords: StatementSync;
  readonly #unused: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteWords: StatementSync;

  constructor(database: DatabaseSync) {
    this.#isThere = database.prepare('SELECT 1 FROM kinds WHERE kind = ?');
    this.#count = database.prepare('SELECT count(*) AS kinds FROM kinds');
    this.#put = database.prepare('INSERT INTO kinds (kind, sender, runs, snippet) VALUES (?, ?, ?, ?)');
    this.#putWords = database.prepare(
      `INSERT INTO shared_search (rowid, ${COLUMNS.join(', ')}) VALUES (?${', ?'.repeat(COLUMNS.length)})`,
    );
    this.#unused = database.prepare(
      'SELECT kind FROM kinds WHERE NOT EXISTS (SELECT 1 FROM texts WHERE texts.kind = kinds.kind)',
    );
    this.#delete = database.prepare('DELETE FROM kinds WHERE kind = ?');
    this.#deleteWords = database.prepare('DELETE FROM shared_search WHERE rowid = ?');
    this.#nextKind = Number(database.prepare('SELECT max(kind) AS last FROM kinds').get()?.last ?? 0) + 1;
    for (const row of database.prepare('SELECT kind, sender, runs, snippet FROM kinds').all()) {
      this.#know(String(row.sender), Number(row.kind), JSON.parse(String(row.runs)) as Runs, String(row.snippet));
    }
  }

  /**
   * Finds the kind of a mail, and makes one of it and an earlier mail if they are alike.
   * @param words for each column but `marks`
   * @param snippet that of a kind which is made
   * @returns undefined for a mail of no kind
   */
  share(words: readonly string[], snippet: string): Share | undefined {
    const sender = words[SENDER] ?? '';
    for (const kind of this.#kinds.get(sender) ?? []) {
      const own = ownWords(words, kind);
      // what this thread remembers may be of a transaction that came to nothing
      if (own && this.#isThere.get(kind.kind)) return { kind: kind.kind, words: own, snippet: kind.snippet };
    }
    for (const single of this.#single.get(sender) ?? []) {
      const kind = this.#make(sender, single, words, snippet);
      const own = kind && ownWords(words, kind);
      if (own) return { kind: kind.kind, words: own, snippet: kind.snippet };
    }
    this.#remember(sender, words);
    return undefined;
  }

  /** Removes kinds that no mail is of any more. */
  sweep(): void {
    for (const { kind } of this.#unused.all()) {
      this.#delete.run(kind!);
      this.#deleteWords.run(kind!);
      for (const [sender, kinds] of this.#kinds) {
        const left = kinds.filter((one) => one.kind !== kind);
        if (left.length > 0) this.#kinds.set(sender, left);
        else this.#kinds.delete(sender);
      }
    }
  }

  #make(sender: string, one: readonly string[], other: readonly string[], snippet: string): Kind | undefined {
    if ((this.#kinds.get(sender)?.length ?? 0) >= MOST_KINDS_OF_SENDER) return undefined;
    if (!mayBeAlike(one[BODY] ?? '', other[BODY] ?? '')) return undefined;
    const seals = commonSeals(one[STARTS]!, other[STARTS]!);
    const runs = COLUMNS.map((_, column) =>
      column === STARTS ? seals : commonRuns(one[column]!, other[column]!, seals.length > 0),
    );
    const shared = runs.reduce(
      (sum, some, column) => sum + (column === STARTS ? 0 : wordsIn(some.join(' ')).length),
      0,
    );
    const all = other.reduce((sum, text, column) => sum + (column === STARTS ? 0 : wordsIn(text).length), 0);
    if (shared < LEAST_WORDS || shared < all * LEAST_PART) return undefined;
    this.sweep();
    if (Number(this.#count.get()?.kinds) >= MOST_KINDS) return undefined;
    const kind = this.#nextKind++;
    const kept = snippet.includes('\0') ? '' : snippet.toWellFormed(); // SQLite counts characters up to that
    this.#put.run(kind, sender, JSON.stringify(runs), kept);
    const made = this.#know(sender, kind, runs, kept);
    const texts = runs.map((some, column) => (column === STARTS ? [...made.starts].join(' ') : some.join(BREAK)));
    this.#putWords.run(kind, ...texts);
    return made;
  }

  #know(sender: string, kind: number, runs: Runs, snippet: string): Kind {
    const seals = runs[STARTS] ?? [];
    const texts = [...SEARCHED.flatMap((column) => runs[column] ?? []), listedStarts(seals)];
    const starts = new Set([...wordsIn(startsOf(texts)), ...seals]);
    const known = { kind, runs, starts, snippet };
    this.#kinds.set(sender, [...(this.#kinds.get(sender) ?? []), known]);
    return known;
  }

  #remember(sender: string, words: readonly string[]): void {
    const last = [words, ...(this.#single.get(sender) ?? [])].slice(0, REMEMBERED_MAILS);
    this.#single.delete(sender);
    this.#single.set(sender, last);
    for (const oldest of this.#single.keys()) {
      if (this.#single.size <= REMEMBERED_SENDERS) break;
      this.#single.delete(oldest);
    }
  }
}

/** For each column what a mail has beyond the runs of a kind; undefined if it lacks one of them. */
function ownWords(words: readonly string[], { runs, starts }: Kind): string[] | undefined {
  const own: string[] = [];
  const seals = new Set(wordsIn(words[STARTS] ?? '').filter(isSeal));
  if (!(runs[STARTS] ?? []).every((seal) => seals.has(seal))) return undefined;
  for (const [column, text] of words.entries()) {
    const rest =
      column === STARTS
        ? wordsIn(text)
            .filter((start) => !starts.has(start))
            .join(' ')
        : outside(text, runs[column] ?? []);
    if (rest === undefined) return undefined;
    own.push(rest);
  }
  return own;
}

/** What of a text lies outside of runs or crosses an edge of one; undefined if not all of them are there in order. */
function outside(text: string, runs: readonly string[]): string | undefined {
  if (runs.length === 0) return text;
  const pieces: string[] = [];
  let at = 0; // on the space before what comes next
  let before: readonly string[] = [];
  for (const run of runs) {
    const found = text.indexOf(run, at);
    if (found < 0) return undefined;
    const gap = wordsIn(text.slice(at, found));
    const ends = wordsIn(run);
    if (at > 0 || gap.length > 0) pieces.push([...before, ...gap, ...ends.slice(0, CONTEXT_WORDS)].join(' '));
    before = ends.slice(-CONTEXT_WORDS);
    at = found + run.length - 1;
  }
  const gap = wordsIn(text.slice(at));
  if (gap.length > 0) pieces.push([...before, ...gap].join(' '));
  return pieces.join(BREAK);
}

/** Whether passages of one text are in another: most mails are told apart by this. */
function mayBeAlike(one: string, other: string): boolean {
  const words = wordsIn(one);
  if (words.length < RUN_WORDS) return false;
  let found = 0;
  for (let probe = 0; probe < PROBES; probe++) {
    const at = Math.floor(((words.length - SHINGLE_WORDS) * probe) / PROBES);
    if (other.includes(` ${words.slice(at, at + SHINGLE_WORDS).join(' ')} `)) found += 1;
  }
  return found >= PROBES / 2;
}

/** The seals of two mails if both have the same ones; else none. */
function commonSeals(one: string, other: string): string[] {
  const seals = wordsIn(one).filter(isSeal);
  const others = new Set(wordsIn(other).filter(isSeal));
  return seals.length === others.size && seals.every((seal) => others.has(seal)) ? seals : [];
}

/** Runs of words that two texts have in common, in the same order. */
function commonRuns(one: string, other: string, isOverGaps: boolean): string[] {
  const [a, b] = [wordsIn(one), wordsIn(other)];
  const shingle = (words: readonly string[], at: number): string => words.slice(at, at + SHINGLE_WORDS).join(' ');
  const places = new Map<string, number[]>();
  for (let at = 0; at + SHINGLE_WORDS <= a.length; at++) {
    const key = shingle(a, at);
    const known = places.get(key);
    if (known) known.push(at);
    else places.set(key, [at]);
  }
  const runs: string[] = [];
  let from = 0;
  for (let at = 0; at + SHINGLE_WORDS <= b.length; ) {
    const place = places.get(shingle(b, at))?.find((known) => known >= from);
    let length = 0;
    const isCommon = (word: string | undefined, as: string | undefined): boolean =>
      word !== undefined && word === as && (isOverGaps || word !== GAP);
    if (place !== undefined) while (isCommon(a[place + length], b[at + length])) length += 1;
    if (place === undefined || length < RUN_WORDS) {
      at += 1;
      continue;
    }
    runs.push(` ${b.slice(at, at + length).join(' ')} `);
    at += length;
    from = place + length;
  }
  return runs;
}

function wordsIn(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
