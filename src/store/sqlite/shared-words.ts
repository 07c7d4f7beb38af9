import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { COLUMNS, commonRuns, type Run, runsOf, withMarks, wordsIn } from './runs.ts';
import { isSeal, listedStarts } from './sealed-words.ts';
import { kindMark, startsOf } from './search-index.ts';

/*
 * Mails of one kind, such as a newsletter that greets each reader by name, have most words in common. These are in the
 * index once, as those of the kind (table `kinds`, index `shared_search`); each mail brings its own, and a mark for the
 * kind. What a search looks for it then finds in a mail itself or in its kind (search-index.ts, `Sharing`).
 *
 * A kind is a list of runs of words for each column (runs.ts). The words of long runs, which every mail of it has in this
 * order, are in the index of the kind; a mail has the marks of runs and what lies between them.
 * Runs reach over words of signatures that are not in the index (sealed-words.ts) only where the signatures are the same, as
 * those of copies of one mail are: others have short words between them at other places. Their seals a kind then has too.
 */

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
const PROBE_WORDS = 8;
/** Stands between words that do not follow each other; no word holds it (it is no letter), and to FTS5 it is one. */
const BREAK = ' \ue001 ';

const STARTS = COLUMNS.indexOf('starts');
const SENDER = COLUMNS.indexOf('sender');
const BODY = COLUMNS.indexOf('body');

/** For each column the texts of its runs; for `starts` the seals. */
type Texts = readonly (readonly string[])[];

/** A kind as the table `kinds` has it. */
export interface KindRow {
  readonly kind: number;
  readonly sender: string;
  /** JSON of Texts. */
  readonly runs: string;
  readonly snippet: string;
}

interface Kind {
  readonly row: KindRow;
  /** For each column but `starts`. */
  readonly runs: readonly (readonly Run[])[];
  readonly seals: readonly string[];
  /** What its long runs and seals are in the column `starts`. */
  readonly starts: ReadonlySet<string>;
}

/** A mail as part of a kind. */
export interface Share {
  readonly kind: KindRow;
  /** For each column but `marks` the words that are its own. */
  readonly words: readonly string[];
}

/**
 * Finds and makes kinds, and writes their words. Their rows are another's to write (text-writer.ts); what this knows of a
 * kind may be of a transaction that came to nothing, so its words are written again where they are missing.
 */
export class SharedWords {
  /** By sender. */
  readonly #kinds = new Map<string, Kind[]>();
  /** By sender, the last mails that were of no kind; least recently seen senders first. */
  readonly #single = new Map<string, readonly (readonly string[])[]>();
  readonly #isThere: StatementSync;
  readonly #count: StatementSync;
  readonly #putWords: StatementSync;
  readonly #putLast: StatementSync;
  readonly #all: StatementSync;
  readonly #isUsed: StatementSync;
  readonly #deleteWords: StatementSync;
  /** Also a number whose transaction came to nothing is not given to another. */
  #lastKind: number;
  /** Kinds that were found to be of no mail any more. */
  #swept: number[] = [];

  constructor(database: DatabaseSync) {
    this.#isThere = database.prepare('SELECT 1 FROM shared_search WHERE rowid = ?');
    this.#count = database.prepare('SELECT count(*) AS kinds FROM shared_search');
    this.#putWords = database.prepare(
      `INSERT INTO shared_search (rowid, ${COLUMNS.join(', ')}) VALUES (?${', ?'.repeat(COLUMNS.length)})`,
    );
    this.#putLast = database.prepare('UPDATE search_state SET last_kind = ?');
    this.#all = database.prepare('SELECT kind FROM kinds UNION SELECT rowid FROM shared_search');
    this.#isUsed = database.prepare('SELECT 1 FROM search WHERE search MATCH ? LIMIT 1');
    this.#deleteWords = database.prepare('DELETE FROM shared_search WHERE rowid = ?');
    const rows = database.prepare('SELECT kind, sender, runs, snippet FROM kinds').all() as unknown as KindRow[];
    for (const row of rows) this.#know(kindOf({ ...row }));
    const { last } = database.prepare('SELECT last_kind AS last FROM search_state').get() as { last: number };
    this.#lastKind = Math.max(last, ...rows.map(({ kind }) => kind));
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
      if (!own) continue;
      if (!this.#isThere.get(kind.row.kind)) this.#write(kind);
      return { kind: kind.row, words: own };
    }
    for (const single of this.#single.get(sender) ?? []) {
      const kind = this.#make(sender, single, words, snippet);
      const own = kind && ownWords(words, kind);
      if (own) return { kind: kind.row, words: own };
    }
    this.#remember(sender, words);
    return undefined;
  }

  /** Removes the words of kinds that no mail is of any more. */
  sweep(): void {
    for (const { kind } of this.#all.all()) {
      if (this.#isUsed.get(`marks : ${kindMark(Number(kind))}`)) continue;
      this.#swept.push(Number(kind));
      this.#deleteWords.run(kind!);
      for (const [sender, kinds] of this.#kinds) {
        const left = kinds.filter(({ row }) => row.kind !== kind);
        if (left.length > 0) this.#kinds.set(sender, left);
        else this.#kinds.delete(sender);
      }
    }
  }

  /** Kinds that were swept since the last call: their rows may go. */
  collectSwept(): number[] {
    const swept = this.#swept;
    this.#swept = [];
    return swept;
  }

  #make(sender: string, one: readonly string[], other: readonly string[], snippet: string): Kind | undefined {
    if ((this.#kinds.get(sender)?.length ?? 0) >= MOST_KINDS_OF_SENDER) return undefined;
    if (!mayBeAlike(one[BODY] ?? '', other[BODY] ?? '')) return undefined;
    const seals = commonSeals(one[STARTS]!, other[STARTS]!);
    const texts = COLUMNS.map((_, column) =>
      column === STARTS ? seals : commonRuns(one[column]!, other[column]!, seals.length > 0),
    );
    const kept = snippet.includes('\0') ? '' : snippet.toWellFormed(); // SQLite counts characters up to that
    const row = { sender, runs: JSON.stringify(texts), snippet: kept };
    const { runs } = kindOf({ ...row, kind: 0 });
    const shared = runs.flat().reduce((sum, { isLong, text }) => sum + (isLong ? wordsIn(text).length : 0), 0);
    const all = other.reduce((sum, text, column) => sum + (column === STARTS ? 0 : wordsIn(text).length), 0);
    if (shared < LEAST_WORDS || shared < all * LEAST_PART) return undefined;
    this.sweep();
    if (Number(this.#count.get()?.kinds) >= MOST_KINDS) return undefined;
    this.#lastKind += 1;
    this.#putLast.run(this.#lastKind);
    const kind = kindOf({ ...row, kind: this.#lastKind });
    this.#write(kind);
    return this.#know(kind);
  }

  #write({ row, runs, starts }: Kind): void {
    const words = runs.map((some) => some.filter(({ isLong }) => isLong).map(({ text }) => text));
    const columns = COLUMNS.map((_, column) =>
      column === STARTS ? [...starts].join(' ') : words[column]!.join(BREAK),
    );
    this.#putWords.run(row.kind, ...columns);
  }

  #know(kind: Kind): Kind {
    const { sender } = kind.row;
    this.#kinds.set(sender, [...(this.#kinds.get(sender) ?? []), kind]);
    return kind;
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

function kindOf(row: KindRow): Kind {
  const texts = JSON.parse(row.runs) as Texts;
  const seals = texts[STARTS] ?? [];
  const runs = COLUMNS.map((_, column) => (column === STARTS ? [] : runsOf(row.kind, column, texts[column] ?? [])));
  const starts = new Set([...wordsIn(startsOf([listedStarts(seals)])), ...seals]);
  for (const run of runs.flat()) if (run.isLong) for (const start of run.starts) starts.add(start);
  return { row, runs, seals, starts };
}

/** For each column what a mail has beyond the runs of a kind; undefined if it lacks one that it must have. */
function ownWords(words: readonly string[], { runs, seals, starts }: Kind): string[] | undefined {
  const all = wordsIn(words[STARTS] ?? '');
  const own = new Set(all.filter(isSeal));
  if (!seals.every((seal) => own.has(seal))) return undefined;
  const known: ReadonlySet<string>[] = [starts];
  const left: string[] = [];
  for (const [column, text] of words.entries()) {
    const marked = column === STARTS ? { words: '', short: [] } : withMarks(text, runs[column] ?? []);
    if (!marked) return undefined;
    left.push(marked.words);
    known.push(...marked.short.map((run) => run.starts));
  }
  left[STARTS] = all.filter((start) => !known.some((some) => some.has(start))).join(' ');
  return left;
}

/** Whether passages of one text are in another: most mails are told apart by this. */
function mayBeAlike(one: string, other: string): boolean {
  const words = wordsIn(one);
  if (words.length < PROBE_WORDS) return false;
  let found = 0;
  for (let probe = 0; probe < PROBES; probe++) {
    const at = Math.floor(((words.length - PROBE_WORDS) * probe) / PROBES);
    if (other.includes(` ${words.slice(at, at + PROBE_WORDS).join(' ')} `)) found += 1;
  }
  return found >= PROBES / 2;
}

/** The seals of two mails if both have the same ones; else none. */
function commonSeals(one: string, other: string): string[] {
  const seals = wordsIn(one).filter(isSeal);
  const others = new Set(wordsIn(other).filter(isSeal));
  return seals.length === others.size && seals.every((seal) => others.has(seal)) ? seals : [];
}
