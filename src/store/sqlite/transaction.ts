import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';
import type { EventBatch, Journal } from './journal.ts';
import type { Ledger } from './ledger.ts';
import type { Removal, Removed } from './removal.ts';
import type { Reserve } from './reserve.ts';
import { asStoreError } from './sqlite-errors.ts';

/** What a transaction leaves to be done or told. */
export interface Committed<T> {
  readonly result: T;
  readonly removed: Removed;
  readonly events: EventBatch | undefined;
  /** What the commit took, fsync included. */
  readonly commitMs: number;
}

/** Runs pieces of work, each as one transaction that is either on disk as a whole or has never been. */
export class Transactions {
  readonly #database: DatabaseSync;
  readonly #ledger: Ledger;
  readonly #removal: Removal;
  readonly #journal: Journal;
  readonly #directory: string;
  readonly #reserve: Reserve | undefined;

  constructor(
    database: DatabaseSync,
    parts: { readonly ledger: Ledger; readonly removal: Removal; readonly journal: Journal },
    directory: string,
    reserve?: Reserve,
  ) {
    this.#database = database;
    this.#ledger = parts.ledger;
    this.#removal = parts.removal;
    this.#journal = parts.journal;
    this.#directory = directory;
    this.#reserve = reserve;
  }

  /**
   * @returns what the work returned and what it removed
   * @throws the system's error; nothing of the work is kept then
   */
  run<T>(work: () => T): Committed<T> {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const result = work();
      this.#ledger.flush();
      this.#journal.flush();
      const from = performance.now();
      this.#database.exec('COMMIT');
      const commitMs = performance.now() - from;
      this.#reserve?.restore();
      return { result, removed: this.#removal.collect(), events: this.#journal.collect(), commitMs };
    } catch (cause) {
      this.#removal.collect();
      this.#journal.forget();
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#ledger.reload();
      throw asStoreError(cause, this.#directory);
    }
  }

  /** Like `run`, for work that makes room: on a full disk it is tried again with the reserve. */
  runFreeing<T>(work: () => T): Committed<T> {
    try {
      return this.run(work);
    } catch (error) {
      if (!this.#reserve || (error as { code?: string }).code !== 'ENOSPC') throw error;
      this.#reserve.spend();
      this.#restartLog(); // also without a reserve: what the WAL took is free again then
      return this.run(work);
    }
  }

  /**
   * Like `run`, for what can be made again: its commit is not fsynced by itself but together with the next, and on a
   * full disk it leaves the last room to others.
   */
  runLazily<T>(work: () => T): T {
    this.ensureRoom();
    return this.runUnsynced(work).result;
  }

  /** @throws ENOSPC while what is left on the disk is for other things than what can be made again */
  ensureRoom(): void {
    if (this.#reserve?.isNeeded) throw new StoreError('ENOSPC', 'Too little space left on the disk');
  }

  /** Like `run`, for what is on disk elsewhere: its commit is fsynced together with the next. */
  runUnsynced<T>(work: () => T): Committed<T> {
    this.#database.exec('PRAGMA synchronous = NORMAL');
    try {
      return this.run(work);
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL');
    }
  }

  /** Copies the WAL into the database and cuts its file off; what does not fit stays in the WAL. */
  #restartLog(): void {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      if ((error as { errcode?: number }).errcode === undefined) throw error;
    }
  }
}
