import { rmSync, writeFileSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Naming } from '../../mail/inbox.ts';
import type { Selection } from '../../mail/store.ts';
import { StoreError } from '../errors.ts';
import { Arrivals } from './arrivals.ts';
import { openToWrite } from './database.ts';
import type { Arrival } from './facts.ts';
import { type Layout, layoutOf, makeDirectories } from './layout.ts';
import { Ledger } from './ledger.ts';
import { type StoreLock, takeLock } from './lock.ts';
import { createQueries, type Queries } from './queries.ts';
import { Removal, type Removed } from './removal.ts';
import { Reserve } from './reserve.ts';
import { Retention, type RetentionLimits } from './retention.ts';
import { asStoreError, isDiskError, MEMORY } from './sqlite-errors.ts';
import { sweep } from './sweep.ts';
import { Transactions } from './transaction.ts';

export interface WriterOptions {
  readonly directory: string;
  readonly naming: Naming;
  readonly limits: RetentionLimits;
}

/** Messages that are to be committed together. */
export interface Batch {
  /** JSON of Arrival[]. */
  readonly arrivals: string;
  /** Bytes of those without a file, one behind the other. */
  readonly contents: ArrayBuffer;
}

/** What became of each message of a batch: kept, known already, or why not. */
export type Fate = 'kept' | 'known' | { readonly code: string; readonly message: string };

export interface BatchOutcome {
  readonly fates: readonly Fate[];
  /** Ids that retention took out to make room. */
  readonly removed: readonly string[];
}

export interface IndexEntry {
  readonly seq: number;
  readonly id: string;
  readonly snippet: string;
  readonly attachments: number;
  readonly text: string;
}

/** Messages removed, or changed, in one transaction: others get their turn between two. */
const STEP = 500;
/** Expired messages that one batch takes along at most. */
const EXPIRE_WITH_BATCH = 1000;
/** What must fit on the disk before it counts as taking messages again. */
const PROBE_BYTES = 256 * 1024;

/** The one connection that changes the database. Every method is one or several whole transactions. */
export class Writer {
  readonly queries: Queries;
  readonly #layout: Layout | undefined;
  readonly #lock: StoreLock | undefined;
  readonly #database: DatabaseSync;
  readonly #ledger: Ledger;
  readonly #removal: Removal;
  readonly #retention: Retention;
  readonly #arrivals: Arrivals;
  readonly #transactions: Transactions;
  readonly #onRemoved: (ids: readonly string[], why: 'asked' | 'retention') => void;
  readonly #unlinking = new Set<Promise<void>>();

  constructor(options: WriterOptions, onRemoved: (ids: readonly string[], why: 'asked' | 'retention') => void) {
    const { directory, naming, limits } = options;
    this.#onRemoved = onRemoved;
    this.#layout = directory === MEMORY ? undefined : layoutOf(directory);
    try {
      if (this.#layout) {
        makeDirectories(this.#layout);
        this.#lock = takeLock(this.#layout);
      }
      const reserve = this.#layout && new Reserve(this.#layout);
      this.#database = open(this.#layout, reserve);
      if (this.#layout) sweep(this.#database, this.#layout);
      this.#ledger = new Ledger(this.#database);
      this.#removal = new Removal(this.#database, this.#ledger);
      this.#retention = new Retention(this.#database, this.#ledger, this.#removal, limits);
      this.#arrivals = new Arrivals(this.#database, this.#ledger, naming, this.#layout?.contents ?? '');
      this.#transactions = new Transactions(this.#database, this.#ledger, this.#removal, directory, reserve);
      this.queries = createQueries(this.#database, this.#layout);
    } catch (error) {
      this.#lock?.release();
      throw openingError(error, directory);
    }
  }

  /** Brings the store under its bounds before the first message comes. */
  shrink(now: number): void {
    for (;;) {
      const { result, removed } = this.#transactions.runFreeing(() => this.#retention.shrink(STEP));
      this.#afterCommit(removed, 'retention');
      if (result === 0) break;
    }
    while (this.expire(now) > 0);
  }

  /** Keeps a batch in one transaction; when it returns, the batch is on disk. */
  save(batch: Batch, now: number): BatchOutcome {
    const arrivals = JSON.parse(batch.arrivals) as Arrival[];
    const contents = Buffer.from(batch.contents);
    const items: Item[] = [];
    let at = 0;
    for (const arrival of arrivals) {
      const end = arrival.file === null ? at + arrival.bytes : at;
      items.push({ arrival, content: contents.subarray(at, end) });
      at = end;
    }
    try {
      return this.#keep(items, now);
    } catch (error) {
      if (items.length > 1 && !isDiskError(error)) return this.#keepSingly(items, now);
      const fate = failure(error);
      return { fates: items.map(() => fate), removed: [] };
    }
  }

  /**
   * Writes what the indexer found out.
   * @param upTo every message up to this seq is indexed now; 0 when nothing is known about that
   */
  index(entries: readonly IndexEntry[], upTo: number): void {
    const put = this.#database.prepare(
      `INSERT OR REPLACE INTO texts (seq, snippet, attachments, text)
       SELECT seq, ?, ?, ? FROM messages WHERE seq = ? AND id = ?`,
    );
    this.#transactions.runLazily(() => {
      for (const { seq, id, snippet, attachments, text } of entries) put.run(snippet, attachments, text, seq, id);
      this.#ledger.totals.indexedTo = Math.max(this.#ledger.totals.indexedTo, upTo);
    });
  }

  /** Removes what is selected, in steps between which messages can arrive. */
  async remove(selection: Selection): Promise<string[]> {
    const ids: string[] = [];
    const idOf = this.#database.prepare('SELECT id FROM messages WHERE seq = ?');
    for await (const seqs of this.#steps(selection)) {
      const { result, removed } = this.#transactions.runFreeing(() => {
        const entry = 'inbox' in selection ? this.#ledger.find(selection.inbox) : undefined;
        const taken: string[] = [];
        for (const seq of seqs) {
          const row = idOf.get(seq);
          if (!row) continue; // gone since it was selected
          if (!('inbox' in selection)) this.#removal.message(seq);
          else if (!entry || !this.#removal.placement(entry, seq)) continue;
          taken.push(String(row.id));
        }
        return taken;
      });
      ids.push(...result);
      this.#afterCommit(removed, 'asked');
    }
    return ids;
  }

  /** Marks what is selected as read or unread. */
  async markRead(selection: Selection, read: boolean): Promise<string[]> {
    const ids: string[] = [];
    const mark = this.#database.prepare(
      'UPDATE messages SET is_read = ?1 WHERE seq = ?2 AND is_read <> ?1 RETURNING id',
    );
    const places = this.#database.prepare('SELECT inbox FROM placements WHERE seq = ?');
    const change = read ? -1 : 1;
    for await (const seqs of this.#steps(selection)) {
      const { result } = this.#transactions.run(() => {
        const changed: string[] = [];
        for (const seq of seqs) {
          const row = mark.get(read ? 1 : 0, seq);
          if (!row) continue;
          changed.push(String(row.id));
          this.#ledger.totals.unread += change;
          for (const { inbox } of places.all(seq)) {
            const entry = this.#ledger.entry(Number(inbox));
            entry.unread += change;
            this.#ledger.touch(entry);
          }
        }
        return changed;
      });
      ids.push(...result);
    }
    return ids;
  }

  /** Removes expired messages, a step of them. */
  expire(now: number): number {
    const { result, removed } = this.#transactions.runFreeing(() =>
      this.#retention.expire(now, Number.MAX_SAFE_INTEGER, STEP),
    );
    this.#afterCommit(removed, 'retention');
    return result;
  }

  /** Writes something and removes it again, to learn whether the disk takes messages. */
  probe(): void {
    this.#transactions.run(() => {});
    if (!this.#layout) return;
    const path = join(this.#layout.spool, 'probe');
    try {
      writeFileSync(path, Buffer.alloc(PROBE_BYTES), { mode: 0o600, flush: true });
    } finally {
      rmSync(path, { force: true });
    }
  }

  /** Closes the database and gives the folder free. */
  async close(): Promise<void> {
    await Promise.all(this.#unlinking);
    this.#database.close(); // copies the WAL; where that does not fit, the WAL stays and the next start reads it
    this.#lock?.release();
  }

  #keep(items: readonly Item[], now: number): BatchOutcome {
    const first = this.#ledger.nextSeq;
    const { result, removed } = this.#transactions.run(() => {
      const fates = items.map(({ arrival, content }): Fate => {
        const inboxes = this.#arrivals.add(arrival, content);
        if (!inboxes) return 'known';
        this.#retention.afterArrival(inboxes);
        return 'kept';
      });
      this.#retention.expire(now, first, EXPIRE_WITH_BATCH);
      return fates;
    });
    this.#unlink(removed.files);
    return { fates: result, removed: removed.ids };
  }

  /** One message of the batch is at fault and not the disk: it must not take the others with it. */
  #keepSingly(items: readonly Item[], now: number): BatchOutcome {
    const fates: Fate[] = [];
    const removed: string[] = [];
    for (const item of items) {
      try {
        const outcome = this.#keep([item], now);
        fates.push(...outcome.fates);
        removed.push(...outcome.removed);
      } catch (error) {
        fates.push(failure(error));
      }
    }
    return { fates, removed };
  }

  async *#steps(selection: Selection): AsyncGenerator<readonly number[]> {
    const seqs = this.queries.select(selection);
    for (let at = 0; at < seqs.length; at += STEP) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve));
      yield seqs.slice(at, at + STEP);
    }
  }

  #afterCommit({ ids, files }: Removed, why: 'asked' | 'retention'): void {
    this.#unlink(files);
    if (ids.length > 0) this.#onRemoved(ids, why);
  }

  /** A file that cannot be unlinked now has no row any more and goes when the store is next opened. */
  #unlink(files: readonly string[]): void {
    for (const file of files) {
      const unlinking = unlink(join(this.#layout!.contents, file)).catch(() => {});
      this.#unlinking.add(unlinking);
      void unlinking.then(() => this.#unlinking.delete(unlinking));
    }
  }
}

interface Item {
  readonly arrival: Arrival;
  readonly content: Buffer;
}

/** Opens the database; on a full disk with the room of the reserve, so that messages can be read and removed. */
function open(layout: Layout | undefined, reserve: Reserve | undefined): DatabaseSync {
  if (!layout || !reserve) return openToWrite(MEMORY);
  try {
    return openToWrite(layout.database, reserve.bytes);
  } catch (cause) {
    const { code } = asStoreError(cause, layout.directory) as { code?: string };
    if (code !== 'ENOSPC' || !reserve.spend()) throw cause;
    return openToWrite(layout.database, reserve.bytes);
  }
}

function failure(error: unknown): Fate {
  const { code, message } = error as { code?: string; message: string };
  return { code: code ?? 'STORE_FAILED', message };
}

function openingError(cause: unknown, directory: string): Error {
  const error = asStoreError(cause, directory) as Error & { code?: string };
  if (error.code === 'STORE_CORRUPT' && !(cause instanceof StoreError)) {
    return new StoreError('STORE_CORRUPT', `The database in ${directory} is damaged: ${error.message}`, { cause });
  }
  if (error.code === undefined || error.code.startsWith('STORE_')) return error;
  return new StoreError('STORE_UNWRITABLE', `Cannot keep mail in ${directory}: ${error.message}`, { cause });
}
