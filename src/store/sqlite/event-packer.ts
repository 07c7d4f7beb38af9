import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EventHead } from './journal.ts';
import { pack, parsePacked, unpack } from './packing.ts';

/*
 * Old rows of the journal are packed, many in one: ids and inboxes of events that follow each other begin alike. The newest
 * row stays as it is, since the journal counts on from it, and so does the one for no event that every journal begins with.
 */

/** A row of the journal. */
export type JournalRow = readonly [first: number, at: number, heads: readonly EventHead[]];

/** What is packed at once: so many events, or fewer that are as much. */
const STEP = { events: 256, characters: 64 * 1024 };

interface Row {
  readonly last: number;
  readonly first: number;
  readonly at: number;
  readonly heads: string;
}

/** Packs what is in the table `events`, as steps of the writer's transactions. */
export class EventPacker {
  readonly #oldest: StatementSync;
  readonly #put: StatementSync;
  readonly #clear: StatementSync;

  constructor(database: DatabaseSync) {
    this.#oldest = database.prepare(
      `SELECT last, first, at, heads FROM events
       WHERE last >= first AND last < (SELECT max(last) FROM events) ORDER BY last`,
    );
    this.#put = database.prepare('INSERT INTO packed_events (last, first, batches) VALUES (?, ?, ?)');
    this.#clear = database.prepare('DELETE FROM events WHERE last >= first AND last <= ?');
  }

  /** @returns whether there may be more */
  step(): boolean {
    const texts: string[] = [];
    let [events, characters, first, last] = [0, 0, 0, 0];
    for (const row of this.#oldest.iterate() as Iterable<Row>) {
      texts.push(`[${row.first},${row.at},${row.heads}]`);
      if (events === 0) first = row.first;
      events += row.last - row.first + 1;
      characters += row.heads.length;
      last = row.last;
      if (events >= STEP.events || characters >= STEP.characters) break;
    }
    if (events < STEP.events && characters < STEP.characters) return false;
    this.#put.run(last, first, pack(Buffer.from(`[${texts.join(',')}]`)));
    this.#clear.run(last);
    return true;
  }
}

/**
 * Reads what was packed.
 * @throws STORE_CORRUPT
 */
export function unpackEvents(frame: Uint8Array): readonly JournalRow[] {
  return parsePacked(unpack(frame), 'The journal') as JournalRow[];
}
