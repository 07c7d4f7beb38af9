import { statSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { DeadLetter, Delivery, TargetCounts, WholeDelivery } from '../../mail/deliveries.ts';
import type {
  ContentForm,
  InboxPage,
  InboxQuery,
  ListQuery,
  Page,
  PendingMessage,
  Selection,
  StoredMessage,
  StoreStats,
} from '../../mail/store.ts';
import { fold } from '../../mail/words.ts';
import { listedText } from './blocks.ts';
import { Counts } from './counts.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { readDead, readDelivery, readTargetCounts, readWaiting } from './delivery-reads.ts';
import { type FoundEvents, readEvents } from './events.ts';
import { readFacts } from './facts.ts';
import { isThere } from './gone.ts';
import { KindRuns } from './kind-runs.ts';
import type { Layout } from './layout.ts';
import { type Listing, listingOf, seqsOf } from './listing.ts';
import { SUMMARY_COLUMNS, type SummaryRow, storedMessageOf, summaryOf } from './rows.ts';
import { nameIn } from './search.ts';
import { WORDS } from './search-database.ts';
import { ARRIVAL_COLUMNS } from './search-index.ts';
import { Unpacker } from './unpacker.ts';

/** A content as the database knows it: its bytes, or the file below `contents/` that has them. */
export type FoundContent =
  | { readonly kind: 'blob'; readonly bytes: number; readonly content: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'file'; readonly bytes: number; readonly file: string };

/** A message that waits to be indexed, with its content. */
export interface Unindexed {
  readonly seq: number;
  readonly id: string;
  readonly content: FoundContent;
  /** Of `ARRIVAL_COLUMNS`. */
  readonly arrival: readonly string[];
}

export interface BacklogLimits {
  readonly messages: number;
  /** Octets of contents, but for the first one. */
  readonly bytes: number;
  /** Only those behind this seq: others are being indexed. */
  readonly after?: number;
}

export interface Backlog {
  readonly entries: readonly Unindexed[];
  /** Once these are indexed, every message up to this seq is. */
  readonly upTo: number;
  /** False if that is so already. */
  readonly isBehind: boolean;
  /** Words of messages that are gone are still in the index. */
  readonly isForgetting: boolean;
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
  content(id: string, form: ContentForm): FoundContent | undefined;
  inboxes(query: InboxQuery): InboxPage;
  tags(): Map<string, number>;
  /** Messages whose verification is pending, oldest first, behind that of the id `after`. */
  pending(limit: number, after: string | undefined): PendingMessage[];
  /** Events after an id, at most `limit`; 'gone' when some of them are no longer kept. */
  events(after: number, limit: number): FoundEvents | 'gone';
  waitingDeliveries(target: string, after: number, limit: number): Delivery[];
  delivery(seq: number): WholeDelivery | undefined;
  deadLetters(target: string, limit: number): DeadLetter[];
  deliveryCounts(): TargetCounts[];
  stats(): Omit<StoreStats, 'deleted' | 'location'>;
  /** The next messages to be indexed, oldest first. */
  unindexed(limits: BacklogLimits): Backlog;
  /** Whether there is something that is indexed and not packed. */
  isPackable(): boolean;
  /** seqs of what a selection means, oldest first. */
  select(selection: Selection): number[];
}

/** @param layout of the store's folder; undefined for a database in memory */
export function createQueries(database: DatabaseSync, layout: Layout | undefined): Queries {
  return new SqliteQueries(database, layout);
}

const FROM = 'FROM messages m LEFT JOIN texts t ON t.seq = m.seq';
/** Rows of a list of seqs, in its order. */
const ROWS = `SELECT ${SUMMARY_COLUMNS}, (SELECT json_group_array(name ORDER BY name)
    FROM placements p JOIN inboxes i ON i.inbox = p.inbox WHERE p.seq = m.seq) AS inboxes
  FROM json_each(?) l CROSS JOIN messages m ON m.seq = l.value LEFT JOIN texts t ON t.seq = m.seq ORDER BY l.key`;

class SqliteQueries implements Queries {
  readonly #database: DatabaseSync;
  readonly #layout: Layout | undefined;
  readonly #unpacker: Unpacker;
  readonly #runs = new KindRuns();
  readonly #statements = new Map<string, StatementSync>();
  readonly #counts = new Counts(({ sql, values }) => this.#statement(sql).get(...values));

  constructor(database: DatabaseSync, layout: Layout | undefined) {
    this.#database = database;
    this.#layout = layout;
    this.#unpacker = new Unpacker(database);
  }

  list(query: ListQuery): FoundPage {
    return this.#atOneMoment(() => {
      const listing = this.#listing(query);
      const { seqs, next } = this.#page(listing, query);
      const unindexed: Unindexed[] = [];
      let isPartial = false;
      // in one statement: it takes half the time of one for each message
      const rows = this.#statement(ROWS).all(JSON.stringify(seqs)) as unknown as (SummaryRow & { inboxes: string })[];
      const messages = rows.map((row) => {
        if (row.snippet === null) {
          if (unindexed.length < MOST_UNINDEXED) unindexed.push(this.#unindexed(row.seq, row.id));
          else isPartial = true;
        }
        return summaryOf(row, JSON.parse(row.inboxes) as string[]);
      });
      const counts = this.#count(listing, query);
      return { messages, ...(next !== undefined && { next }), ...counts, unindexed, isPartial };
    });
  }

  get(id: string): FoundMessage | undefined {
    return this.#atOneMoment(() => {
      const row = this.#statement(`SELECT ${SUMMARY_COLUMNS} ${FROM} WHERE m.id = ?`).get(id) as SummaryRow | undefined;
      if (!row) return undefined;
      const facts = this.#unpacker.facts(row.seq);
      const message = storedMessageOf({ ...row, facts }, this.#inboxesOf(row.seq));
      if (row.snippet !== null) return { message, unindexed: [] };
      return { message, unindexed: [this.#unindexed(row.seq, id)] };
    });
  }

  content(id: string, form: ContentForm): FoundContent | undefined {
    return this.#atOneMoment(() => {
      const row = this.#statement('SELECT seq FROM messages WHERE id = ?').get(id);
      if (!row) return undefined;
      const seq = Number(row.seq);
      return (form === 'received' ? this.#receivedContentOf(seq) : undefined) ?? this.#contentOf(seq);
    });
  }

  inboxes({ contains = '', scope, limit = -1, cursor }: InboxQuery): InboxPage {
    const seen = scope ? nameIn('i.name', scope) : { sql: '1', values: [] };
    const [newest, key] = cursor === undefined ? [Number.MAX_SAFE_INTEGER, 0] : decodeCursor(cursor, 2);
    const rows = this.#statement(
      `SELECT i.inbox, i.name, i.messages, i.unread, i.bytes, i.newest, m.received_at
       FROM (SELECT * FROM inboxes i
             WHERE (? = '' OR instr(fold(i.name), ?) > 0) AND (i.newest < ? OR (i.newest = ? AND i.inbox > ?))
               AND (${seen.sql})
             ORDER BY i.newest DESC, i.inbox LIMIT ?) i
       JOIN messages m ON m.seq = i.newest ORDER BY i.newest DESC, i.inbox`,
    ).all(...[fold(contains), fold(contains), newest!, newest!, key!], ...seen.values, limit < 0 ? limit : limit + 1);
    const page = limit < 0 ? rows : rows.slice(0, limit);
    const last = page.at(-1);
    const inboxes = page.map((row) => ({
      inbox: String(row.name),
      messages: Number(row.messages),
      unread: Number(row.unread),
      bytes: Number(row.bytes),
      newest: new Date(Number(row.received_at)),
    }));
    if (!last || rows.length === page.length) return { inboxes };
    return { inboxes, next: encodeCursor(Number(last.newest), Number(last.inbox)) };
  }

  pending(limit: number, after = ''): PendingMessage[] {
    return this.#statement(
      `SELECT seq, id FROM messages WHERE is_pending = 1 AND seq > coalesce((SELECT seq FROM messages WHERE id = ?), 0)
       ORDER BY seq LIMIT ?`,
    )
      .all(after, limit)
      .map(({ seq, id }) => {
        const { envelope, received, client } = readFacts(this.#unpacker.facts(Number(seq)));
        return { id: String(id), mailFrom: (received?.envelope ?? envelope).from, client };
      });
  }

  tags(): Map<string, number> {
    const rows = this.#statement(
      'SELECT min(tag) AS tag, count(*) AS messages FROM message_tags GROUP BY folded',
    ).all();
    return new Map(rows.map(({ tag, messages }) => [String(tag), Number(messages)]));
  }

  waitingDeliveries(target: string, after: number, limit: number): Delivery[] {
    return readWaiting((sql) => this.#statement(sql), target, after, limit);
  }

  delivery(seq: number): WholeDelivery | undefined {
    return readDelivery((sql) => this.#statement(sql), seq);
  }

  deadLetters(target: string, limit: number): DeadLetter[] {
    return readDead((sql) => this.#statement(sql), target, limit);
  }

  deliveryCounts(): TargetCounts[] {
    return readTargetCounts((sql) => this.#statement(sql));
  }

  events(after: number, limit: number): FoundEvents | 'gone' {
    return this.#atOneMoment(() => readEvents((sql) => this.#statement(sql), after, limit));
  }

  stats(): Omit<StoreStats, 'deleted' | 'location'> {
    return this.#atOneMoment(() => {
      const totals = this.#statement(
        `SELECT messages, unread, bytes, file_bytes AS fileBytes, (SELECT count(*) FROM inboxes) AS inboxes,
           (SELECT count(DISTINCT seq) FROM placements WHERE seq > indexed_to AND ${isThere('seq')}) AS unindexed
         FROM totals`,
      ).get() as unknown as Omit<StoreStats, 'contentBytes'> & { bytes: number; fileBytes: number };
      const { messages, unread, inboxes, bytes, fileBytes, unindexed } = totals;
      return { messages, unread, inboxes, unindexed, contentBytes: bytes, ...this.#sizes(fileBytes) };
    });
  }

  unindexed({ messages, bytes, after = 0 }: BacklogLimits): Backlog {
    return this.#atOneMoment(() => {
      const rows = this.#statement(
        `SELECT m.seq, m.id, m.bytes ${FROM}
         WHERE m.seq > max(?, (SELECT indexed_to FROM totals)) AND t.seq IS NULL ORDER BY m.seq LIMIT ?`,
      ).all(after, messages);
      const entries: Unindexed[] = [];
      let sum = 0;
      for (const row of rows) {
        sum += Number(row.bytes);
        if (entries.length > 0 && sum > bytes) break;
        const seq = Number(row.seq);
        entries.push(this.#unindexed(seq, String(row.id)));
      }
      const isAll = entries.length === rows.length && rows.length < messages;
      const upTo = isAll ? this.#lastSeq() : entries.at(-1)!.seq;
      const known = this.#statement(
        'SELECT indexed_to AS indexedTo, EXISTS (SELECT 1 FROM gone) AS isForgetting FROM totals',
      ).get() as { indexedTo: number; isForgetting: number };
      const isBehind = upTo > Math.max(after, known.indexedTo);
      return { entries, upTo, isBehind, isForgetting: known.isForgetting === 1 };
    });
  }

  isPackable(): boolean {
    const next = this.#statement(
      'SELECT 1 FROM totals CROSS JOIN messages WHERE seq > packed_to AND seq <= indexed_to LIMIT 1',
    );
    return next.get() !== undefined;
  }

  select(selection: Selection): number[] {
    if ('all' in selection) return this.#column('SELECT seq FROM messages ORDER BY seq', []);
    if ('query' in selection) return this.#seqs(selection).reverse();
    if ('inbox' in selection) {
      if (selection.ids === undefined) return this.#seqs({ inbox: selection.inbox }).reverse();
      const liesThere = this.#statement(
        'SELECT 1 FROM placements JOIN inboxes USING (inbox) WHERE seq = ? AND name = ?',
      );
      return this.#seqsOf(selection.ids).filter((seq) => liesThere.get(seq, selection.inbox));
    }
    const seqs = this.#seqsOf(selection.ids);
    if (selection.scope === undefined) return seqs;
    const seen = nameIn('name', selection.scope);
    const isSeen = this.#statement(
      `SELECT 1 FROM placements JOIN inboxes USING (inbox) WHERE seq = ? AND (${seen.sql}) LIMIT 1`,
    );
    return seqs.filter((seq) => isSeen.get(seq, ...seen.values));
  }

  #seqsOf(ids: readonly string[]): number[] {
    const find = this.#statement('SELECT seq FROM messages WHERE id = ?');
    const found = ids.map((id) => find.get(id)?.seq).filter((seq) => seq !== undefined);
    return [...new Set(found.map(Number))].sort((a, b) => a - b);
  }

  /** All that a query finds, newest first. */
  #seqs(query: ListQuery): number[] {
    return this.#walk(this.#listing(query), Number.POSITIVE_INFINITY);
  }

  #listing(query: ListQuery): Listing {
    return listingOf(query, (sql, values) => this.#statement(sql).all(...values), this.#runs);
  }

  #page(listing: Listing, { limit = -1, start = 0 }: ListQuery): { seqs: number[]; next?: string } {
    if (limit === 0) return { seqs: [] };
    const seqs = this.#walk(listing, limit < 0 ? Number.POSITIVE_INFINITY : limit + 1, start);
    if (limit < 0 || seqs.length <= limit) return { seqs };
    seqs.length = limit;
    return { seqs, next: encodeCursor(seqs.at(-1)!) };
  }

  /** So many seqs of a list behind the first `skipped`. */
  #walk({ walks, isOldestFirst }: Listing, most: number, skipped = 0): number[] {
    const seqs: number[] = [];
    let toSkip = skipped;
    for (const [at, walk] of walks.entries()) {
      if (seqs.length >= most) break;
      // how many a walk has skipped only the last one need not know
      const isLast = at === walks.length - 1;
      const limit = Number.isFinite(most) ? most - seqs.length + (isLast ? 0 : toSkip) : -1;
      const { sql, values } = seqsOf(walk, isOldestFirst, limit, isLast ? toSkip : 0);
      const found = this.#column(sql, values);
      for (const seq of isLast ? found : found.slice(toSkip)) seqs.push(seq);
      toSkip = Math.max(0, toSkip - found.length);
    }
    return seqs;
  }

  #count(listing: Listing, query: ListQuery): Pick<Page, 'matches' | 'unreadMatches' | 'isMore'> {
    if (query.counts) return this.#counts.all(listing, query);
    return query.countTo === undefined ? {} : this.#counts.some(listing, query.countTo);
  }

  #unindexed(seq: number, id: string): Unindexed {
    const columns = ARRIVAL_COLUMNS.map((column) => `${listedText(column)} AS ${column}`).join(', ');
    const row = this.#statement(`SELECT ${columns} FROM messages m WHERE m.seq = ?`).get(seq)!;
    return { seq, id, content: this.#contentOf(seq)!, arrival: Object.values(row).map(String) };
  }

  #lastSeq(): number {
    return Number(this.#statement('SELECT max(seq) AS last FROM messages').get()?.last ?? 0);
  }

  #contentOf(seq: number): FoundContent | undefined {
    const row = this.#statement('SELECT bytes, file FROM messages WHERE seq = ?').get(seq) as
      | { bytes: number; file: string | null }
      | undefined;
    if (!row) return undefined;
    if (row.file !== null) return { kind: 'file', bytes: row.bytes, file: row.file };
    return { kind: 'blob', bytes: row.bytes, content: this.#unpacker.content(seq) ?? new Uint8Array(0) };
  }

  /** What came, if filters have made something else of it. */
  #receivedContentOf(seq: number): FoundContent | undefined {
    const row = this.#statement('SELECT bytes, file, content FROM received_contents WHERE seq = ?').get(seq) as
      | ContentRow
      | undefined;
    return row && foundContent(row);
  }

  #inboxesOf(seq: number): string[] {
    const sql = 'SELECT name FROM placements JOIN inboxes USING (inbox) WHERE seq = ? ORDER BY name';
    return this.#statement(sql)
      .all(seq)
      .map(({ name }) => String(name));
  }

  #sizes(fileBytes: number): Pick<StoreStats, 'diskBytes' | 'reusableBytes'> {
    const octets = (of: 'page_count' | 'freelist_count'): number =>
      ['main', WORDS].reduce((sum, place) => sum + this.#pragma(place, 'page_size') * this.#pragma(place, of), 0);
    return {
      diskBytes: (this.#layout ? fileSizes(this.#layout) : octets('page_count')) + fileBytes,
      reusableBytes: octets('freelist_count'),
    };
  }

  #pragma(place: string, name: string): number {
    return Number(this.#statement(`PRAGMA ${place}.${name}`).get()?.[name] ?? 0);
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

interface ContentRow {
  readonly bytes: number;
  readonly file: string | null;
  readonly content: Uint8Array<ArrayBuffer> | null;
}

function foundContent({ bytes, file, content }: ContentRow): FoundContent {
  if (file !== null) return { kind: 'file', bytes, file };
  return { kind: 'blob', bytes, content: content ?? new Uint8Array(0) };
}

const KEPT_STATEMENTS = 100;
/** Messages of a page that are handed out to be parsed at once: a page of any list that people look at. */
const MOST_UNINDEXED = 100;

/** Octets of the databases, of the files that SQLite keeps beside it and of the reserve. */
function fileSizes({ database, search, reserve }: Layout): number {
  const paths = [...[database, search].flatMap((path) => [path, `${path}-wal`, `${path}-shm`]), reserve];
  return paths.reduce((bytes, path) => bytes + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
}
