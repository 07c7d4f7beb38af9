import type { StatementSync } from 'node:sqlite';
import { type JournalRow, unpackEvents } from './event-packer.ts';
import { EVENT_TYPES, type EventHead, type EventType } from './journal.ts';
import { SUMMARY_COLUMNS, type SummaryRow } from './rows.ts';

export interface FoundEvent {
  readonly id: number;
  readonly type: EventType;
  readonly message: string;
  readonly inboxes: readonly string[];
  readonly at: number;
  /** Undefined when the message is gone, or was by the event. */
  readonly row: SummaryRow | undefined;
  /** All inboxes of the message now; those of the event may be fewer. */
  readonly lies: readonly string[];
}

export type FoundEvents = readonly FoundEvent[];

/** Reads events that were written down, oldest first, with what is known of their messages now. */
export function readEvents(
  statement: (sql: string) => StatementSync,
  after: number,
  limit: number,
): FoundEvents | 'gone' {
  const bounds = statement(
    `SELECT min(first) AS first, min(last) AS begin, max(last) AS last
     FROM (SELECT first, last FROM events UNION ALL SELECT first, last FROM packed_events)`,
  ).get();
  const [first, last] = [Number(bounds?.first ?? 0), Number(bounds?.last ?? 0)];
  // from the very beginning, which is a row for no event, nothing has been lost yet
  const isWhole = after === 0 && Number(bounds?.begin) < first;
  // an id from the future is one of another store that stood here, and so is one from before the beginning
  if (after > last || (after < first - 1 && !isWhole)) return 'gone';
  const rowOf = statement(
    `SELECT ${SUMMARY_COLUMNS} FROM messages m LEFT JOIN texts t ON t.seq = m.seq WHERE m.id = ?`,
  );
  const inboxesOf = statement('SELECT name FROM placements JOIN inboxes USING (inbox) WHERE seq = ? ORDER BY name');
  const events: FoundEvent[] = [];
  for (const [first, at, heads] of rowsAfter(statement, after)) {
    for (const [place, [code, message, inboxes]] of heads.entries()) {
      const id = first + place;
      if (id <= after) continue;
      if (events.length >= limit) return events;
      const type = EVENT_TYPES[code]!;
      const row = type === 'deleted' ? undefined : (rowOf.get(message) as SummaryRow | undefined);
      const lies = row ? inboxesOf.all(row.seq).map(({ name }) => String(name)) : [];
      events.push({ id, type, message, inboxes, at, row, lies });
    }
  }
  return events;
}

/** Rows of the journal with events after an id, oldest first: those that are packed are older than the others. */
function* rowsAfter(statement: (sql: string) => StatementSync, after: number): Generator<JournalRow> {
  const packed = statement('SELECT batches FROM packed_events WHERE last > ? ORDER BY last');
  for (const { batches } of packed.iterate(after)) yield* unpackEvents(batches as Uint8Array);
  const plain = statement('SELECT first, at, heads FROM events WHERE last > ? ORDER BY last');
  for (const { first, at, heads } of plain.iterate(after)) {
    yield [Number(first), Number(at), JSON.parse(String(heads)) as EventHead[]];
  }
}
