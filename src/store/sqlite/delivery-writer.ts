import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DeliveryBounds, DeliveryTarget, Overflow, Settlement } from '../../mail/deliveries.ts';
import { matchesGlob } from '../../mail/glob.ts';
import type { EventRow } from './journal.ts';

/**
 * Writes down what targets of webhooks are to be told, in the transaction that takes the message into the tables.
 *
 * The journal of events would be a smaller queue: a cursor for each target, and nothing per message. But it is cut off
 * after so many events, and the message of an event may have given way to others before anybody reads it; either would
 * skip a delivery in silence. So a row per message and target, with the summary of the message as it came. That is
 * about as many octets as the message's own row, and nothing where there is no webhook. It is a copy for each target:
 * to share it would need a count of its users, and targets are few.
 *
 * Targets stand in a table of their own, so that whoever takes what a killed daemon left in the intake log does not
 * have to know the configuration: `inboxd ls` may be the first to open the store.
 *
 * Rows of targets that are configured no longer stay, in case they come back, and go when they are old.
 */
export class DeliveryWriter {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #targets: readonly TargetRow[];
  #nextSeq: number;
  #overflow = new Map<string, { buried: number; forgotten: number }>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#targets = this.#readTargets();
    // a number that was given out in this run is not given out again, whatever has been settled meanwhile
    this.#nextSeq = Number(this.#run('SELECT max(seq) AS last FROM deliveries').get()?.last ?? 0) + 1;
  }

  /** True while there never was a target. */
  get isUnused(): boolean {
    return this.#run('SELECT 1 FROM delivery_targets LIMIT 1').get() === undefined;
  }

  /** Has the table say which targets there are; a step of a transaction, after which `reload` is to be called. */
  configure(targets: readonly DeliveryTarget[], { waiting, dead }: DeliveryBounds, now: number): void {
    this.#run('UPDATE delivery_targets SET is_active = 0').run();
    for (const { name, inboxes } of targets) {
      this.#run(
        `INSERT INTO delivery_targets (name, inboxes, is_active, most_waiting, most_dead) VALUES (?, ?, 1, ?, ?)
         ON CONFLICT (name) DO UPDATE SET inboxes = excluded.inboxes, is_active = 1,
           most_waiting = excluded.most_waiting, most_dead = excluded.most_dead`,
      ).run(name, JSON.stringify(inboxes), waiting, dead);
    }
    const old = now - FORGOTTEN_AFTER_MS;
    this.#run('DELETE FROM deliveries WHERE died_at < ?').run(old);
    this.#run(
      `DELETE FROM deliveries WHERE queued_at < ? AND died_at IS NULL
       AND target IN (SELECT target FROM delivery_targets WHERE is_active = 0)`,
    ).run(old);
    this.#run(
      `UPDATE delivery_targets SET
         waiting = (SELECT count(*) FROM deliveries d WHERE d.target = delivery_targets.target AND died_at IS NULL),
         dead = (SELECT count(*) FROM deliveries d WHERE d.target = delivery_targets.target AND died_at IS NOT NULL)`,
    ).run();
    this.#run('DELETE FROM delivery_targets WHERE is_active = 0 AND waiting = 0 AND dead = 0').run();
    this.#overflow.clear();
    for (const target of this.#readTargets()) this.#makeRoom(target, now);
  }

  /** To be called when the targets in the table may be others. */
  reload(): void {
    this.#targets = this.#readTargets();
  }

  /** Writes down who is to be told of a message that has just come; a step of a transaction. */
  add(row: EventRow, inboxes: readonly string[], now: number): void {
    for (const target of this.#targets) {
      const told = target.globs.length === 0 ? inboxes : inboxes.filter((name) => isOneOf(target.globs, name));
      if (told.length === 0) continue;
      this.#run(
        `INSERT INTO deliveries (seq, target, message, inboxes, summary, is_wanted, attempts, queued_at, due_at)
         VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?)`,
      ).run(this.#nextSeq++, target.target, row.id, JSON.stringify(told.toSorted()), JSON.stringify(row), now, now);
      const counts = this.#run(
        'UPDATE delivery_targets SET waiting = waiting + 1 WHERE target = ? RETURNING waiting',
      ).get(target.target);
      if (Number(counts?.waiting) > target.mostWaiting) this.#makeRoom(target, now);
    }
  }

  /** Writes down what became of deliveries; one that waits no longer is passed over, unless it was delivered after all. */
  settle(settlements: readonly Settlement[], now: number): void {
    for (const settlement of settlements) {
      const row = this.#run('SELECT target, died_at FROM deliveries WHERE seq = ?').get(settlement.seq);
      if (row === undefined) continue;
      const target = Number(row.target);
      const isDead = row.died_at !== null;
      if ('attempt' in settlement && settlement.attempt) {
        const last = JSON.stringify(settlement.attempt);
        this.#run('UPDATE delivery_targets SET last = ? WHERE target = ?').run(last, target);
      }
      if (settlement.outcome === 'delivered' || settlement.outcome === 'unwanted') {
        this.#run('DELETE FROM deliveries WHERE seq = ?').run(settlement.seq);
        this.#count(target, isDead ? { waiting: 0, dead: -1 } : { waiting: -1, dead: 0 });
      } else if (!isDead) this.#keep(settlement, target, now);
    }
  }

  /** Has dead letters wait again. @returns how many */
  replay(name: string, ids: readonly string[] | undefined, now: number): number {
    const target = this.#targets.find((one) => one.name === name);
    if (target === undefined) return 0;
    const { waiting } = this.#run('SELECT waiting FROM delivery_targets WHERE target = ?').get(target.target)!;
    let room = Math.max(0, target.mostWaiting - Number(waiting));
    const wanted = ids && new Set(ids.map(messageOf));
    const rows = this.#run(
      'SELECT seq, message FROM deliveries WHERE target = ? AND died_at IS NOT NULL ORDER BY seq',
    ).all(target.target);
    let replayed = 0;
    for (const { seq, message } of rows) {
      if (wanted && !wanted.has(String(message))) continue;
      if (room-- <= 0) break;
      // a number of its own: whoever has read on does not look back
      this.#run(
        `UPDATE deliveries SET seq = ?, attempts = 0, queued_at = ?, due_at = ?, died_at = NULL, why = NULL
         WHERE seq = ?`,
      ).run(this.#nextSeq++, now, now, Number(seq));
      replayed++;
    }
    this.#count(target.target, { waiting: replayed, dead: -replayed });
    return replayed;
  }

  /** A transaction begins: what one that was rolled back left is nothing. */
  begin(): void {
    this.#overflow.clear();
  }

  /** What there was no room for since `begin`. */
  collect(): Overflow[] {
    const overflow = [...this.#overflow].map(([target, counts]) => ({ target, ...counts }));
    this.#overflow.clear();
    return overflow;
  }

  #keep(settlement: Exclude<Settlement, { outcome: 'delivered' }>, target: number, now: number): void {
    if (settlement.outcome === 'wanted') {
      this.#run('UPDATE deliveries SET is_wanted = 1 WHERE seq = ?').run(settlement.seq);
    } else if (settlement.outcome === 'later') {
      const { attempts, dueAt, seq } = settlement;
      this.#run('UPDATE deliveries SET attempts = ?, due_at = ? WHERE seq = ?').run(attempts, dueAt, seq);
    } else if (settlement.outcome === 'dead') {
      const { attempts, why, seq } = settlement;
      this.#run('UPDATE deliveries SET attempts = ?, why = ?, died_at = ? WHERE seq = ?').run(attempts, why, now, seq);
      this.#count(target, { waiting: -1, dead: 1 });
      const row = this.#readTargets('WHERE target = ?', target)[0];
      if (row) this.#forget(row);
    }
  }

  /** The oldest become dead letters, until what waits is within its bound. */
  #makeRoom(target: TargetRow, now: number): void {
    const { waiting } = this.#run('SELECT waiting FROM delivery_targets WHERE target = ?').get(target.target)!;
    const buried = Number(waiting) - target.mostWaiting;
    if (buried > 0) {
      this.#run(
        `UPDATE deliveries SET died_at = ?, why = ? WHERE seq IN
           (SELECT seq FROM deliveries WHERE target = ? AND died_at IS NULL ORDER BY seq LIMIT ?)`,
      ).run(now, `more than ${target.mostWaiting} waited`, target.target, buried);
      this.#count(target.target, { waiting: -buried, dead: buried });
      this.#overflowOf(target.name).buried += buried;
    }
    this.#forget(target);
  }

  /** The dead letters that died first go, until the rest is within its bound. */
  #forget(target: TargetRow): void {
    const { dead } = this.#run('SELECT dead FROM delivery_targets WHERE target = ?').get(target.target)!;
    const forgotten = Number(dead) - target.mostDead;
    if (forgotten <= 0) return;
    this.#run(
      `DELETE FROM deliveries WHERE seq IN
         (SELECT seq FROM deliveries WHERE target = ? AND died_at IS NOT NULL ORDER BY died_at, seq LIMIT ?)`,
    ).run(target.target, forgotten);
    this.#count(target.target, { waiting: 0, dead: -forgotten });
    this.#overflowOf(target.name).forgotten += forgotten;
  }

  #count(target: number, { waiting, dead }: { readonly waiting: number; readonly dead: number }): void {
    this.#run('UPDATE delivery_targets SET waiting = waiting + ?, dead = dead + ? WHERE target = ?').run(waiting, dead, target); // biome-ignore format: a line
  }

  #overflowOf(name: string): { buried: number; forgotten: number } {
    const counts = this.#overflow.get(name) ?? { buried: 0, forgotten: 0 };
    this.#overflow.set(name, counts);
    return counts;
  }

  #readTargets(where = 'WHERE is_active = 1', ...values: number[]): TargetRow[] {
    return this.#run(
      `SELECT target, name, inboxes, most_waiting AS mostWaiting, most_dead AS mostDead FROM delivery_targets ${where}`,
    )
      .all(...values)
      .map((row) => ({
        target: Number(row.target),
        name: String(row.name),
        globs: JSON.parse(String(row.inboxes)) as string[],
        mostWaiting: Number(row.mostWaiting),
        mostDead: Number(row.mostDead),
      }));
  }

  /** Prepared when first needed: most stores have no targets. */
  #run(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

interface TargetRow {
  readonly target: number;
  readonly name: string;
  readonly globs: readonly string[];
  readonly mostWaiting: number;
  readonly mostDead: number;
}

/** Dead letters, and what waits for a target that is configured no longer, are kept so long. */
const FORGOTTEN_AFTER_MS = 30 * 86_400_000;

/**
 * The id of a delivery. Made of what it is about, so that one whose row was lost with the power before it was synced,
 * and which is made again from the intake log, is the same for whoever has got it already. It holds no `.`, which is what
 * ends it where it is signed (Standard Webhooks).
 */
export function deliveryId(message: string, target: string): string {
  return `${message}:${target}`;
}

function messageOf(id: string): string {
  return id.split(':', 1)[0]!;
}

function isOneOf(globs: readonly string[], name: string): boolean {
  return globs.some((glob) => matchesGlob(glob, name));
}
