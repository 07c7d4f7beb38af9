import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { INDEX_COLUMNS, inboxMark, kindMark, MARKS } from './search-index.ts';
import { type KindRow, SharedWords } from './shared-words.ts';
import { Vacuum } from './vacuum.ts';

/** What parsing found out about a message. */
export interface IndexEntry {
  readonly seq: number;
  readonly id: string;
  readonly snippet: string;
  readonly attachments: number;
  readonly inline: number;
  /** Names of attachments and inline parts. */
  readonly fileNames: readonly string[];
  /** Folded. */
  readonly text: string;
  /** For each column of the index but `marks`; none for a mail that could not be parsed. */
  readonly words: readonly string[];
}

/** What of it the index takes. */
export type WordEntry = Pick<IndexEntry, 'seq' | 'id' | 'snippet' | 'attachments' | 'inline' | 'words'>;

/** A snippet as the tables keep it: so many characters of that of the kind come before and after its own. */
export interface SnippetShare {
  readonly kind: number | null;
  readonly before: number;
  readonly own: string;
  readonly after: number;
}

/** What the tables of the messages are to be told. */
export interface IndexedWords {
  /** For each entry. */
  readonly snippets: readonly SnippetShare[];
  /** Kinds that have no row there yet. */
  readonly kinds: readonly KindRow[];
  /** Kinds whose row may go. */
  readonly swept: readonly number[];
}

/** How FTS5 keeps its parts (https://sqlite.org/fts5.html#configuration_options). */
const SETTINGS = {
  /**
   * Percent of a part that is to be of messages that are gone before it is written anew without them. A store that removes
   * one message for each that comes writes the part that holds the oldest anew each time that so much of it is gone: with
   * the 10 of FTS5 that was two thirds of all that its writer did, with this next to nothing. In return up to half of that
   * part, and no more, lies there for nothing.
   */
  deletemerge: 50,
  /** So many parts are merged at once, by itself and when asked: with the 4 of FTS5 each word is written half as often again. */
  automerge: 8,
  usermerge: 8,
  /** Octets of words that are gathered for a part: those of a step of the indexer. */
  hashsize: 4 * 1024 * 1024,
} as const;

/**
 * Writes the index of words, in transactions of its own: the only one who does. What it needs to know of the messages it
 * looks up before, lest they cannot copy their WAL while FTS5 merges.
 */
export class SearchWriter {
  readonly #database: DatabaseSync;
  readonly #shared: SharedWords;
  readonly #vacuum: Vacuum;
  readonly #isThere: StatementSync;
  readonly #places: StatementSync;
  readonly #keptKinds: StatementSync;
  readonly #putWords: StatementSync;
  readonly #putState: StatementSync;
  readonly #gone: StatementSync;
  readonly #isEmpty: StatementSync;
  readonly #deleteWords: StatementSync;
  readonly #merge: StatementSync;

  /** @param database the index with the messages attached, or the other way round */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#shared = new SharedWords(database);
    this.#vacuum = new Vacuum(database);
    this.#isThere = database.prepare('SELECT 1 FROM messages WHERE seq = ? AND id = ?');
    this.#places = database.prepare('SELECT inbox FROM placements WHERE seq = ?');
    this.#keptKinds = database.prepare('SELECT kind FROM kinds');
    this.#putWords = database.prepare(
      `INSERT OR REPLACE INTO search (rowid, ${INDEX_COLUMNS.join(', ')}) VALUES (?${', ?'.repeat(INDEX_COLUMNS.length)})`,
    );
    this.#putState = database.prepare('UPDATE search_state SET indexed_to = ?1 WHERE indexed_to < ?1');
    this.#gone = database.prepare(
      'SELECT seq, EXISTS (SELECT 1 FROM messages m WHERE m.seq = g.seq) AS isThere FROM gone g ORDER BY seq LIMIT ?',
    );
    this.#isEmpty = database.prepare('SELECT NOT EXISTS (SELECT 1 FROM messages) AS isEmpty');
    this.#deleteWords = database.prepare('DELETE FROM search WHERE rowid = ?');
    this.#merge = database.prepare("INSERT INTO search (search, rank) VALUES ('merge', ?)");
    this.#configure();
  }

  /**
   * Puts the words of messages into the index; passes over those that are gone.
   * @param upTo every message up to this seq is in the index then; 0 when nothing is known about that
   */
  put(entries: readonly WordEntry[], upTo: number): IndexedWords {
    const inboxes = entries.map(({ seq, id }) => (this.#isThere.get(seq, id) ? this.#places.all(seq) : undefined));
    const kept = new Set(this.#keptKinds.all().map(({ kind }) => Number(kind)));
    const kinds = new Map<number, KindRow>();
    const snippets = this.#run(() => {
      const shares = entries.map((entry, place) => {
        const keys = inboxes[place]?.map(({ inbox }) => Number(inbox));
        const kind = keys && this.#put(entry, keys);
        if (kind && !kept.has(kind.kind)) kinds.set(kind.kind, kind);
        return { kind: kind?.kind ?? null, ...outsideOf(kind?.snippet ?? '', entry.snippet) };
      });
      this.#putState.run(upTo);
      return shares;
    });
    return { snippets, kinds: [...kinds.values()], swept: this.#shared.collectSwept() };
  }

  /**
   * Takes out the words of messages that were removed.
   * @param most so many at most
   * @returns whose words are not in the index any more
   */
  forget(most: number): number[] {
    const gone = this.#gone.all(most);
    if (gone.length === 0) return [];
    const isEmpty = this.#isEmpty.get()?.isEmpty === 1;
    this.#run(() => {
      if (isEmpty) this.#database.exec("INSERT INTO search (search) VALUES ('delete-all')");
      else {
        for (const { seq, isThere } of gone) if (!isThere) this.#deleteWords.run(seq!);
        // FTS5 gets to parts of messages that are gone when there is nothing else to merge: so there must be a time for it
        this.#merge.run(gone.length);
      }
    });
    return gone.map(({ seq }) => Number(seq));
  }

  /** Removes what is kept for kinds of mail that are gone, and gives free room back to the disk, a little at a time. */
  tidy(): { readonly swept: readonly number[]; readonly isMore: boolean } {
    const isMore = this.#run(() => {
      this.#shared.sweep();
      return this.#vacuum.step();
    });
    return { swept: this.#shared.collectSwept(), isMore };
  }

  /** @returns the kind of the mail, if it is of one */
  #put({ seq, snippet, attachments, inline, words }: WordEntry, inboxes: readonly number[]): KindRow | undefined {
    const share = words.length === 0 ? undefined : this.#shared.share(words, snippet);
    const marks = inboxes.map(inboxMark);
    if (attachments > 0) marks.push(MARKS.attachment);
    if (inline > 0) marks.push(MARKS.inline);
    if (share) marks.push(kindMark(share.kind.kind));
    const columns = INDEX_COLUMNS.slice(0, -1).map((_, place) => (share?.words ?? words)[place] ?? '');
    this.#putWords.run(seq, ...columns, marks.join(' '));
    return share?.kind;
  }

  /** The index keeps its settings with itself. */
  #configure(): void {
    const kept = this.#database.prepare('SELECT v FROM search_config WHERE k = ?');
    const put = this.#database.prepare('INSERT INTO search (search, rank) VALUES (?, ?)');
    for (const [name, value] of Object.entries(SETTINGS)) if (kept.get(name)?.v !== value) put.run(name, BigInt(value));
  }

  #run<T>(work: () => T): T {
    this.#database.exec('BEGIN');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

/** What of a text is not at the ends of another one, and how many characters, as SQLite counts them, are. */
function outsideOf(other: string, text: string): { before: number; own: string; after: number } {
  const [others, all] = [[...other], [...text.toWellFormed()]];
  const most = Math.min(others.length, all.length);
  let before = 0;
  while (before < most && others[before] === all[before]) before += 1;
  let after = 0;
  while (after < most - before && others.at(-1 - after) === all.at(-1 - after)) after += 1;
  return { before, own: all.slice(before, all.length - after).join(''), after };
}
