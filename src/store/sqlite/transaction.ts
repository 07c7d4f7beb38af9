import type { DatabaseSync } from 'node:sqlite';
import type { Ledger } from './ledger.ts';
import type { Removal, Removed } from './removal.ts';
import { asStoreError } from './sqlite-errors.ts';

/** Runs pieces of work, each as one transaction that is either on disk as a whole or has never been. */
export class Transactions {
  readonly #database: DatabaseSync;
  readonly #ledger: Ledger;
  readonly #removal: Removal;
  readonly #directory: string;

  constructor(database: DatabaseSync, ledger: Ledger, removal: Removal, directory: string) {
    this.#database = database;
    this.#ledger = ledger;
    this.#removal = removal;
    this.#directory = directory;
  }

  /**
   * @returns what the work returned and what it removed
   * @throws the system's error; nothing of the work is kept then
   */
  run<T>(work: () => T): { readonly result: T; readonly removed: Removed } {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const result = work();
      this.#ledger.flush();
      this.#database.exec('COMMIT');
      return { result, removed: this.#removal.collect() };
    } catch (cause) {
      this.#removal.collect();
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#ledger.reload();
      const error = asStoreError(cause, this.#directory);
      if ((error as { code?: string }).code === 'ENOSPC') this.#freeLog();
      throw error;
    }
  }

  /**
   * Like `run`, for what can be made again: its commit is not fsynced by itself but together with the next.
   */
  runLazily<T>(work: () => T): T {
    this.#database.exec('PRAGMA synchronous = NORMAL');
    try {
      return this.run(work).result;
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL');
    }
  }

  /**
   * Gives back the room of the WAL on a full disk: it is the reserve that lets messages be deleted there. Where even
   * that does not fit (the database would have to grow first), someone else has to make room.
   */
  #freeLog(): void {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      if ((error as { errcode?: number }).errcode === undefined) throw error;
    }
  }
}
