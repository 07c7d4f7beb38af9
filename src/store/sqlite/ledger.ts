import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Counters of one inbox. */
export interface InboxEntry {
  readonly inbox: number;
  readonly name: string;
  messages: number;
  unread: number;
  pinned: number;
  bytes: number;
  /** seq of its newest message. */
  newest: number;
}

export interface Totals {
  messages: number;
  unread: number;
  pinned: number;
  bytes: number;
  fileBytes: number;
  indexedTo: number;
  /** Grows when messages go or change. */
  revision: number;
  /** Number of the newest frame of the intake log whose messages are in the tables. */
  loggedTo: number;
  /** Every message up to this seq is packed, or not worth it. */
  packedTo: number;
}

/** Inboxes remembered between transactions. */
const REMEMBERED_INBOXES = 10_000;

/**
 * The counters of the store, so that no limit and no list has to count rows. Changed in memory while a transaction
 * runs, written once at its end by `flush`; after a rollback `reload` forgets the changes.
 */
export class Ledger {
  totals: Totals = {
    messages: 0,
    unread: 0,
    pinned: 0,
    bytes: 0,
    fileBytes: 0,
    indexedTo: 0,
    revision: 0,
    loggedTo: 0,
    packedTo: 0,
  };
  /** seq that the next message gets; never one used before while the store is open. */
  nextSeq = 1;
  #nextInbox = 1;
  readonly #byName = new Map<string, InboxEntry>();
  readonly #byKey = new Map<number, InboxEntry>();
  readonly #changed = new Set<InboxEntry>();
  /** Those without a row yet. */
  readonly #isNew = new Set<InboxEntry>();
  /** Totals as the database has them; what has not changed costs no fsync. */
  #written: readonly number[] = [];
  readonly #database: DatabaseSync;
  readonly #findByName: StatementSync;
  readonly #findByKey: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #delete: StatementSync;
  readonly #putTotals: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const columns = 'inbox, name, messages, unread, pinned, bytes, newest';
    this.#findByName = database.prepare(`SELECT ${columns} FROM inboxes WHERE name = ?`);
    this.#findByKey = database.prepare(`SELECT ${columns} FROM inboxes WHERE inbox = ?`);
    this.#insert = database.prepare(`INSERT INTO inboxes (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
    this.#update = database.prepare(
      'UPDATE inboxes SET messages = ?, unread = ?, pinned = ?, bytes = ?, newest = ? WHERE inbox = ?',
    );
    this.#delete = database.prepare('DELETE FROM inboxes WHERE inbox = ?');
    this.#putTotals = database.prepare(
      'UPDATE totals SET messages = ?, unread = ?, pinned = ?, bytes = ?, file_bytes = ?, indexed_to = ?, revision = ?, logged_to = ?, packed_to = ?',
    );
    this.reload();
  }

  /** The entry of an inbox, made if there is none yet. */
  inbox(name: string): InboxEntry {
    const known = this.find(name);
    if (known) return known;
    const entry = { inbox: this.#nextInbox++, name, messages: 0, unread: 0, pinned: 0, bytes: 0, newest: 0 };
    this.#isNew.add(entry);
    return this.#remember(entry);
  }

  find(name: string): InboxEntry | undefined {
    const known = this.#byName.get(name);
    if (known) return known;
    const row = this.#findByName.get(name) as InboxEntry | undefined;
    return row && this.#remember(row);
  }

  entry(key: number): InboxEntry {
    const known = this.#byKey.get(key);
    if (known) return known;
    const row = this.#findByKey.get(key) as InboxEntry | undefined;
    if (!row) throw new Error(`Placement in the unknown inbox ${key}`);
    return this.#remember(row);
  }

  /** To be called after every change of an entry. */
  touch(entry: InboxEntry): void {
    this.#changed.add(entry);
  }

  /** Writes what changed; the last step of a transaction. */
  flush(): void {
    for (const entry of this.#changed) {
      const { inbox, name, messages, unread, pinned, bytes, newest } = entry;
      if (messages > 0) {
        if (!this.#isNew.delete(entry)) this.#update.run(messages, unread, pinned, bytes, newest, inbox);
        else this.#insert.run(inbox, name, messages, unread, pinned, bytes, newest);
      } else {
        if (!this.#isNew.delete(entry)) this.#delete.run(inbox);
        this.#byName.delete(name);
        this.#byKey.delete(inbox);
      }
    }
    this.#changed.clear();
    const { messages, unread, pinned, bytes, fileBytes, indexedTo, revision, loggedTo, packedTo } = this.totals;
    const values = [messages, unread, pinned, bytes, fileBytes, indexedTo, revision, loggedTo, packedTo];
    if (values.some((value, place) => value !== this.#written[place])) this.#putTotals.run(...values);
    this.#written = values;
    if (this.#byKey.size > REMEMBERED_INBOXES) this.#forget();
  }

  /** Takes all counters from the database again. */
  reload(): void {
    this.#forget();
    this.#changed.clear();
    this.#isNew.clear();
    this.#written = [];
    this.totals = this.#database
      .prepare(
        'SELECT messages, unread, pinned, bytes, file_bytes AS fileBytes, indexed_to AS indexedTo, revision, logged_to AS loggedTo, packed_to AS packedTo FROM totals',
      )
      .get() as unknown as Totals;
    const { indexedTo, packedTo } = this.totals; // a base bears the number of its message, which may be gone
    const used = Math.max(this.#largest('seq', 'messages'), this.#largest('seq', 'gone'), indexedTo, packedTo);
    this.nextSeq = Math.max(this.nextSeq, used + 1);
    this.#nextInbox = Math.max(this.#nextInbox, this.#largest('inbox', 'inboxes') + 1);
  }

  #largest(column: string, table: string): number {
    const row = this.#database.prepare(`SELECT max(${column}) AS largest FROM ${table}`).get();
    return Number(row?.largest ?? 0);
  }

  #remember<T extends InboxEntry>(entry: T): T {
    this.#byName.set(entry.name, entry);
    this.#byKey.set(entry.inbox, entry);
    return entry;
  }

  #forget(): void {
    this.#byName.clear();
    this.#byKey.clear();
  }
}
