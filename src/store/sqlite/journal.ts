import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ChangeEvent } from '../../mail/feed.ts';
import type { SummaryRow } from './rows.ts';

/*
 * The events of a transaction are one row and one message to the event loop, with the events as JSON: next to what the
 * messages themselves cost, that is nothing, where a row for each would be an eighth of it.
 */

export type EventType = ChangeEvent['type'];
/** What is said about each event; its id follows from its place. */
export type EventHead = readonly [type: number, message: string, inboxes: readonly string[]];
export const EVENT_TYPES: readonly EventType[] = ['received', 'deleted', 'changed'];

/** A summary as it stands in the tables, for who may want it. */
export type EventRow = Omit<SummaryRow, 'snippet' | 'attachments'> & Partial<SummaryRow>;

/** The events of one transaction. */
export interface EventBatch {
  /** Id of the first; the others follow without a gap. */
  readonly first: number;
  readonly count: number;
  readonly at: number;
  /** JSON of EventHead[]. */
  readonly heads: string;
  /** JSON of (EventRow | null)[]. */
  readonly rows: string;
}

/** Events that are kept at least. */
export const KEPT_EVENTS = 100_000;
/** More than any store can commit, and few enough for ids of 15 digits. */
const EVENTS_PER_MS = 100;
/** Old ones are cut off once for so many new ones. */
const CUT_EVERY = 1000;

/** Writes down what happens, in the transaction in which it happens. */
export class Journal {
  #last: number;
  #cutAt = 0;
  #heads: EventHead[] = [];
  #rows: (EventRow | null)[] = [];
  #written: EventBatch | undefined;
  readonly #kept: number;
  readonly #put: StatementSync;
  readonly #cuts: readonly StatementSync[];

  constructor(database: DatabaseSync, kept: number = KEPT_EVENTS) {
    this.#kept = kept;
    this.#put = database.prepare('INSERT INTO events (last, first, at, heads) VALUES (?, ?, ?, ?)');
    this.#cuts = ['events', 'packed_events'].map((table) => database.prepare(`DELETE FROM ${table} WHERE last <= ?`));
    const { last } = database.prepare('SELECT max(last) AS last FROM events').get() ?? {};
    this.#last = Number(last ?? this.#begin(Date.now()));
  }

  /**
   * Begins to count, with a row for no event. A store in memory counts anew with every start, and one whose folder was
   * emptied: ids of another must not be taken for its own, so that each begins above all that went before.
   */
  #begin(now: number): number {
    const last = now * EVENTS_PER_MS;
    this.#put.run(last, last + 1, now, '[]');
    return last;
  }

  /** Id of the newest event. */
  get last(): number {
    return this.#last;
  }

  /** @param row what a list would show of the message, if it is still there */
  add(type: EventType, message: string, inboxes: readonly string[], row: EventRow | null = null): void {
    this.#heads.push([EVENT_TYPES.indexOf(type), message, inboxes]);
    this.#rows.push(row);
  }

  /** Writes what was added; a step of the transaction. */
  flush(): void {
    const count = this.#heads.length;
    if (count === 0) return;
    const first = this.#last + 1;
    const last = this.#last + count;
    const batch = {
      first,
      count,
      at: Date.now(),
      heads: JSON.stringify(this.#heads),
      rows: JSON.stringify(this.#rows),
    };
    this.#put.run(last, first, batch.at, batch.heads);
    if (last >= this.#cutAt) {
      for (const cut of this.#cuts) cut.run(first - this.#kept);
      this.#cutAt = last + CUT_EVERY;
    }
    this.#written = batch;
  }

  /** The events that are committed now. */
  collect(): EventBatch | undefined {
    const batch = this.#written;
    if (batch) this.#last += batch.count;
    this.#clear();
    return batch;
  }

  /** Nothing of the transaction has happened. */
  forget(): void {
    this.#clear();
    this.#cutAt = 0; // the cut was undone with it
  }

  #clear(): void {
    this.#heads = [];
    this.#rows = [];
    this.#written = undefined;
  }
}
