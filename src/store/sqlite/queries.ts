import { statSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { InboxSummary, ListQuery, Page, Selection, StoredMessage, StoreStats } from '../../mail/store.ts';
import type { Layout } from './layout.ts';
import { SUMMARY_COLUMNS, type SummaryRow, storedMessageOf, summaryOf } from './rows.ts';
import { compileTerms, fold } from './search.ts';

/** A content as the database knows it: its bytes, or the file below `contents/` that has them. */
export type FoundContent =
  | { readonly kind: 'blob'; readonly bytes: number; readonly content: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'file'; readonly bytes: number; readonly file: string };

/** A message that waits to be indexed, with its content. */
export interface Unindexed {
  readonly seq: number;
  readonly id: string;
  readonly content: FoundContent;
}

export interface Backlog {
  readonly entries: readonly Unindexed[];
  /** Once these are indexed, every message up to this seq is. */
  readonly upTo: number;
}

export interface FoundPage extends Page {
  /** The messages on it whose snippet and attachments are not known yet. */
  readonly unindexed: readonly Unindexed[];
  /** True if more of them are unknown than are worth being parsed while someone waits. */
  readonly isPartial: boolean;
}

export interface FoundMessage {
  readonly message: StoredMessage;
  readonly unindexed: readonly Unindexed[];
}

/** All that is read from the database; every answer is of one moment. */
export interface Queries {
  list(query: ListQuery): FoundPage;
  get(id: string): FoundMessage | undefined;
  content(id: string): FoundContent | undefined;
  inboxes(query: { readonly contains?: string; readonly limit?: number }): InboxSummary[];
  stats(): Omit<StoreStats, 'deleted' | 'location'>;
  /** The next messages to be indexed, oldest first, with contents of at most so many octets but for the first. */
  unindexed(limits: { readonly messages: number; readonly bytes: number }): Backlog;
  /** seqs of what a selection means, oldest first. */
  select(selection: Selection): number[];
}

interface Matches {
  readonly seqs: readonly number[];
  readonly matches: number;
  readonly unreadMatches: number;
}

interface Counts {
  readonly messages: number;
  readonly unread: number;
}

/** @param layout of the store's folder; undefined for a database in memory */
export function createQueries(database: DatabaseSync, layout: Layout | undefined): Queries {
  return new SqliteQueries(database, layout);
}

const FROM = 'FROM messages m LEFT JOIN texts t ON t.seq = m.seq';

class SqliteQueries implements Queries {
  readonly #database: DatabaseSync;
  readonly #layout: Layout | undefined;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, layout: Layout | undefined) {
    this.#database = database;
    this.#layout = layout;
  }

  list(query: ListQuery): FoundPage {
    return this.#atOneMoment(() => {
      const { seqs, matches, unreadMatches } = this.#match(query);
      const unindexed: Unindexed[] = [];
      let isPartial = false;
      const messages = seqs.map((seq) => {
        const row = this.#statement(`SELECT ${SUMMARY_COLUMNS} ${FROM} WHERE m.seq = ?`).get(
          seq,
        ) as unknown as SummaryRow;
        if (row.snippet === null) {
          if (unindexed.length < MOST_UNINDEXED) unindexed.push({ seq, id: row.id, content: this.#contentOf(seq)! });
          else isPartial = true;
        }
        return summaryOf(row, this.#inboxesOf(seq));
      });
      return { messages, matches, unreadMatches, unindexed, isPartial };
    });
  }

  get(id: string): FoundMessage | undefined {
    return this.#atOneMoment(() => {
      const row = this.#statement(`SELECT ${SUMMARY_COLUMNS}, m.facts ${FROM} WHERE m.id = ?`).get(id) as
        | (SummaryRow & { readonly facts: string })
        | undefined;
      if (!row) return undefined;
      const message = storedMessageOf(row, this.#inboxesOf(row.seq));
      if (row.snippet !== null) return { message, unindexed: [] };
      return { message, unindexed: [{ seq: row.seq, id, content: this.#contentOf(row.seq)! }] };
    });
  }

  content(id: string): FoundContent | undefined {
    return this.#atOneMoment(() => {
      const row = this.#statement('SELECT seq FROM messages WHERE id = ?').get(id);
      return row && this.#contentOf(Number(row.seq));
    });
  }

  inboxes({ contains = '', limit = -1 }: { contains?: string; limit?: number }): InboxSummary[] {
    const rows = this.#statement(
      `SELECT i.name, i.messages, i.unread, i.bytes, m.received_at FROM inboxes i JOIN messages m ON m.seq = i.newest
       WHERE ? = '' OR instr(fold(i.name), ?) > 0 ORDER BY i.newest DESC, i.name LIMIT ?`,
    ).all(contains, fold(contains), limit);
    return rows.map((row) => ({
      inbox: String(row.name),
      messages: Number(row.messages),
      unread: Number(row.unread),
      bytes: Number(row.bytes),
      newest: new Date(Number(row.received_at)),
    }));
  }

  stats(): Omit<StoreStats, 'deleted' | 'location'> {
    return this.#atOneMoment(() => {
      const totals = this.#statement(
        `SELECT messages, unread, bytes, file_bytes AS fileBytes, (SELECT count(*) FROM inboxes) AS inboxes FROM totals`,
      ).get() as unknown as Counts & { bytes: number; fileBytes: number; inboxes: number };
      const { messages, unread, inboxes, bytes, fileBytes } = totals;
      return { messages, unread, inboxes, contentBytes: bytes, ...this.#sizes(fileBytes) };
    });
  }

  unindexed({ messages, bytes }: { messages: number; bytes: number }): Backlog {
    return this.#atOneMoment(() => {
      const rows = this.#statement(
        `SELECT m.seq, m.id, m.bytes ${FROM}
         WHERE m.seq > (SELECT indexed_to FROM totals) AND t.seq IS NULL ORDER BY m.seq LIMIT ?`,
      ).all(messages);
      const entries: Unindexed[] = [];
      let sum = 0;
      for (const row of rows) {
        sum += Number(row.bytes);
        if (entries.length > 0 && sum > bytes) break;
        const seq = Number(row.seq);
        entries.push({ seq, id: String(row.id), content: this.#contentOf(seq)! });
      }
      const isAll = entries.length === rows.length && rows.length < messages;
      return { entries, upTo: isAll ? this.#lastSeq() : entries.at(-1)!.seq };
    });
  }

  select(selection: Selection): number[] {
    if ('ids' in selection) {
      const find = this.#statement('SELECT seq FROM messages WHERE id = ?');
      const found = selection.ids.map((id) => find.get(id)?.seq).filter((seq) => seq !== undefined);
      return [...new Set(found.map(Number))].sort((a, b) => a - b);
    }
    if ('inbox' in selection) {
      const sql = 'SELECT seq FROM placements JOIN inboxes USING (inbox) WHERE name = ? ORDER BY seq';
      return this.#column(sql, [selection.inbox]);
    }
    if ('terms' in selection) {
      const { sql, values } = compileTerms(selection.terms);
      return this.#column(`SELECT m.seq AS seq ${FROM} WHERE ${sql} ORDER BY m.seq`, values);
    }
    return this.#column('SELECT seq FROM messages ORDER BY seq', []);
  }

  /** What a query means, with the seqs of its page, newest first. */
  #match(query: ListQuery): Matches {
    const { inbox, terms = [], before, start = 0, limit = -1 } = query;
    if (terms.length === 0 && !before) return this.#matchByCounters(inbox, start, limit);
    const condition = compileTerms(terms);
    let sql = `SELECT m.seq AS seq, m.is_read AS isRead ${FROM} WHERE (${condition.sql})`;
    const values = [...condition.values];
    if (before) {
      sql += ' AND m.received_at < ?';
      values.push(before.getTime());
    }
    if (inbox !== undefined) {
      sql += ' AND m.seq IN (SELECT seq FROM placements JOIN inboxes USING (inbox) WHERE name = ?)';
      values.push(inbox);
    }
    const seqs: number[] = [];
    let matches = 0;
    let unreadMatches = 0;
    for (const row of this.#statement(`${sql} ORDER BY m.seq DESC`).iterate(...values)) {
      if (matches >= start && (limit < 0 || seqs.length < limit)) seqs.push(Number(row.seq));
      matches += 1;
      if (!row.isRead) unreadMatches += 1;
    }
    return { seqs, matches, unreadMatches };
  }

  /** Without conditions the counters know, and only the page itself is read. */
  #matchByCounters(inbox: string | undefined, start: number, limit: number): Matches {
    if (inbox === undefined) {
      const counts = this.#statement('SELECT messages, unread FROM totals').get() as unknown as Counts;
      const seqs = this.#column('SELECT seq FROM messages ORDER BY seq DESC LIMIT ? OFFSET ?', [limit, start]);
      return { seqs, matches: counts.messages, unreadMatches: counts.unread };
    }
    const entry = this.#statement('SELECT inbox, messages, unread FROM inboxes WHERE name = ?').get(inbox) as
      | (Counts & { readonly inbox: number })
      | undefined;
    if (!entry) return { seqs: [], matches: 0, unreadMatches: 0 };
    const sql = 'SELECT seq FROM placements WHERE inbox = ? ORDER BY seq DESC LIMIT ? OFFSET ?';
    const seqs = this.#column(sql, [entry.inbox, limit, start]);
    return { seqs, matches: entry.messages, unreadMatches: entry.unread };
  }

  #lastSeq(): number {
    return Number(this.#statement('SELECT max(seq) AS last FROM messages').get()?.last ?? 0);
  }

  #contentOf(seq: number): FoundContent | undefined {
    const row = this.#statement(
      'SELECT m.bytes, m.file, c.content FROM messages m LEFT JOIN contents c ON c.seq = m.seq WHERE m.seq = ?',
    ).get(seq) as { bytes: number; file: string | null; content: Uint8Array<ArrayBuffer> | null } | undefined;
    if (!row) return undefined;
    if (row.file !== null) return { kind: 'file', bytes: row.bytes, file: row.file };
    return { kind: 'blob', bytes: row.bytes, content: row.content ?? new Uint8Array(0) };
  }

  #inboxesOf(seq: number): string[] {
    const sql = 'SELECT name FROM placements JOIN inboxes USING (inbox) WHERE seq = ? ORDER BY name';
    return this.#statement(sql)
      .all(seq)
      .map(({ name }) => String(name));
  }

  #sizes(fileBytes: number): Pick<StoreStats, 'diskBytes' | 'reusableBytes'> {
    const pages = this.#statement(
      `SELECT page_size AS size, page_count AS count, freelist_count AS free
       FROM pragma_page_size(), pragma_page_count(), pragma_freelist_count()`,
    ).get() as { size: number; count: number; free: number };
    return {
      diskBytes: (this.#layout ? fileSizes(this.#layout) : pages.size * pages.count) + fileBytes,
      reusableBytes: pages.size * pages.free,
    };
  }

  #column(sql: string, values: readonly SQLInputValue[]): number[] {
    return this.#statement(sql)
      .all(...values)
      .map(({ seq }) => Number(seq));
  }

  /** Prepared once; searches make a new text for each shape of query, so the number kept is bounded. */
  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      if (this.#statements.size >= KEPT_STATEMENTS) this.#statements.clear();
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #atOneMoment<T>(read: () => T): T {
    this.#database.exec('BEGIN');
    try {
      return read();
    } finally {
      this.#database.exec('COMMIT');
    }
  }
}

const KEPT_STATEMENTS = 100;
/** Messages of a page that are handed out to be parsed at once: a page of any list that people look at. */
const MOST_UNINDEXED = 100;

/** Octets of the database, of the files that SQLite keeps beside it and of the reserve. */
function fileSizes({ database, reserve }: Layout): number {
  const paths = [database, `${database}-wal`, `${database}-shm`, reserve];
  return paths.reduce((bytes, path) => bytes + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
}
