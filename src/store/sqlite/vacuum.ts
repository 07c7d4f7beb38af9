import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** So much stays free for what comes next: a fixed part, and one of all there is. */
const SPARE_BYTES = 128 * 1024;
const SPARE_PART = 1 / 128;
/** What one step gives back at most: between two of them others get their turn. */
const STEP_BYTES = 1024 * 1024;

/**
 * Gives free pages of the database back to the disk. A database that was made by a version without this keeps its size:
 * it would have to be written anew as a whole. What is free in it is used for what comes.
 */
export class Vacuum {
  readonly #database: DatabaseSync;
  readonly #pages: StatementSync;
  readonly #isIncremental: boolean;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#pages = database.prepare(
      `SELECT page_size AS size, page_count AS count, freelist_count AS free
       FROM pragma_page_size(), pragma_page_count(), pragma_freelist_count()`,
    );
    this.#isIncremental = database.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum === INCREMENTAL;
  }

  /** A step of a transaction. @returns whether there is more to give back */
  step(): boolean {
    if (!this.#isIncremental) return false;
    const { size, count, free } = this.#pages.get() as { size: number; count: number; free: number };
    const surplus = free - Math.ceil(SPARE_BYTES / size + count * SPARE_PART);
    if (surplus <= 0) return false;
    const pages = Math.min(surplus, Math.ceil(STEP_BYTES / size));
    this.#database.exec(`PRAGMA incremental_vacuum(${pages})`);
    return surplus > pages;
  }
}

const INCREMENTAL = 2;
