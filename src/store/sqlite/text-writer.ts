import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { encodeList } from './address-text.ts';
import type { IndexEntry, IndexedWords, SnippetShare } from './search-writer.ts';

/** What parsing and indexing found out about a message. */
export interface TextRow extends Omit<IndexEntry, 'snippet' | 'words'> {
  readonly snippet: SnippetShare;
}

/** A step of indexing whose words are in the index. */
export interface IndexedTexts extends Pick<IndexedWords, 'kinds' | 'swept'> {
  readonly rows: readonly TextRow[];
  /** Every message up to this seq is indexed then; 0 when nothing is known about that. */
  readonly upTo: number;
}

/** What the tables are to be told of entries whose words are in the index. */
export function indexedTexts(entries: readonly IndexEntry[], indexed: IndexedWords, upTo: number): IndexedTexts {
  const { snippets, kinds, swept } = indexed;
  const rows = entries.map(({ words: _words, ...entry }, place) => ({ ...entry, snippet: snippets[place]! }));
  return { rows, kinds, swept, upTo };
}

/** Writes what indexing finds out about messages into their tables, as steps of the writer's transactions. */
export class TextWriter {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #putText: StatementSync;
  readonly #putKind: StatementSync;
  readonly #deleteKind: StatementSync;
  readonly #isBeyond: StatementSync;
  readonly #cut: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO texts (seq, snippet, snippet_before, snippet_after, attachments, inline, file_names, kind)
       SELECT seq, ?, ?, ?, ?, ?, ?, ? FROM messages WHERE seq = ? AND id = ?`,
    );
    this.#putText = database.prepare(
      `INSERT OR REPLACE INTO search_texts (seq, text)
       SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM packed WHERE seq = ?1 AND text IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM messages WHERE seq = ?1 AND block IS NOT NULL)`,
    );
    this.#putKind = database.prepare('INSERT OR IGNORE INTO kinds (kind, sender, runs, snippet) VALUES (?, ?, ?, ?)');
    this.#deleteKind = database.prepare('DELETE FROM kinds WHERE kind = ?');
    this.#isBeyond = database.prepare('SELECT 1 FROM texts WHERE seq > ? LIMIT 1');
    this.#cut = database.prepare('DELETE FROM texts WHERE seq > ?');
  }

  /** Does nothing for messages that were removed meanwhile. */
  put({ rows, kinds, swept }: Omit<IndexedTexts, 'upTo'>): void {
    for (const { kind, sender, runs, snippet } of kinds) this.#putKind.run(kind, sender, runs, snippet);
    for (const row of rows) this.#putRow(row);
    this.sweep(swept);
  }

  /** Removes kinds that no mail is of any more. */
  sweep(kinds: readonly number[]): void {
    for (const kind of kinds) this.#deleteKind.run(kind);
  }

  /** Whether there is something of messages behind this seq. */
  hasBeyond(indexedTo: number): boolean {
    return this.#isBeyond.get(indexedTo) !== undefined;
  }

  /** Leaves only what is of messages up to this seq; the others are indexed again. */
  cut(indexedTo: number): void {
    if (indexedTo === 0)
      this.#database.exec('DELETE FROM texts'); // takes no row in hand
    else this.#cut.run(indexedTo);
  }

  #putRow({ seq, id, snippet: { kind, before, own, after }, attachments, inline, fileNames, text }: TextRow): void {
    const names = encodeList(fileNames);
    const { changes } = this.#put.run(own, before, after, attachments, inline, names, kind, seq, id);
    if (changes > 0) this.#putText.run(seq, text);
  }
}
