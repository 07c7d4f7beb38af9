import type { StatementSync } from 'node:sqlite';
import type { AttemptFacts, DeadLetter, Delivery, TargetCounts, WholeDelivery } from '../../mail/deliveries.ts';
import { deliveryId } from './delivery-writer.ts';
import type { EventRow } from './journal.ts';
import { summaryOf } from './rows.ts';

type Statement = (sql: string) => StatementSync;

const COLUMNS = `d.seq, d.message, d.inboxes, d.is_wanted AS isWanted, d.attempts, d.queued_at AS queuedAt,
  d.due_at AS dueAt, t.name AS target`;
const FROM = 'FROM deliveries d JOIN delivery_targets t ON t.target = d.target';

/** What waits for a target behind a seq, oldest first. */
export function readWaiting(statement: Statement, target: string, after: number, limit: number): Delivery[] {
  return statement(`SELECT ${COLUMNS} ${FROM} WHERE t.name = ? AND d.died_at IS NULL AND d.seq > ? ORDER BY d.seq LIMIT ?`)
    .all(target, after, limit)
    .map(deliveryOf); // biome-ignore format: a query
}

/** One that waits, with its message as it came. */
export function readDelivery(statement: Statement, seq: number): WholeDelivery | undefined {
  const row = statement(`SELECT ${COLUMNS}, d.summary ${FROM} WHERE d.seq = ? AND d.died_at IS NULL`).get(seq);
  if (row === undefined) return undefined;
  const delivery = deliveryOf(row);
  const summary = JSON.parse(String(row.summary)) as EventRow;
  return { ...delivery, summary: summaryOf({ snippet: null, attachments: null, ...summary }, delivery.inboxes) };
}

/** Dead letters of a target, the latest first. */
export function readDead(statement: Statement, target: string, limit: number): DeadLetter[] {
  return statement(
    `SELECT ${COLUMNS}, d.died_at AS diedAt, d.why, d.summary ->> 'subject' AS subject ${FROM}
     WHERE t.name = ? AND d.died_at IS NOT NULL ORDER BY d.died_at DESC, d.seq DESC LIMIT ?`,
  )
    .all(target, limit)
    .map((row) => {
      const { id, message, inboxes, attempts } = deliveryOf(row);
      const [subject, why] = [String(row.subject), String(row.why)];
      return { id, message, inboxes, subject, attempts, diedAt: new Date(Number(row.diedAt)), why };
    });
}

/** What there is of each target. */
export function readTargetCounts(statement: Statement): TargetCounts[] {
  return statement(
    `SELECT name, is_active AS isActive, waiting, dead, last, (SELECT min(queued_at) FROM deliveries d
       WHERE d.target = t.target AND d.died_at IS NULL) AS oldest FROM delivery_targets t ORDER BY name`,
  )
    .all()
    .map((row) => ({
      name: String(row.name),
      isConfigured: row.isActive === 1,
      waiting: Number(row.waiting),
      dead: Number(row.dead),
      oldest: row.oldest === null ? null : new Date(Number(row.oldest)),
      last: row.last === null ? null : (JSON.parse(String(row.last)) as AttemptFacts),
    }));
}

function deliveryOf(row: Record<string, unknown>): Delivery {
  const message = String(row.message);
  return {
    seq: Number(row.seq),
    id: deliveryId(message, String(row.target)),
    message,
    inboxes: JSON.parse(String(row.inboxes)) as string[],
    isWanted: row.isWanted === 1,
    attempts: Number(row.attempts),
    queuedAt: Number(row.queuedAt),
    dueAt: Number(row.dueAt),
  };
}
