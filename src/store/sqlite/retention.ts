import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isOfOurTime, isThere } from './gone.ts';
import type { InboxEntry, Ledger } from './ledger.ts';
import type { Removal } from './removal.ts';

/** Bounds of the store; 0 switches one off. */
export interface RetentionLimits {
  readonly keepPerInbox: number;
  /** Octets of raw messages in each inbox. */
  readonly keepBytesPerInbox?: number;
  readonly keepBytes: number;
  readonly keepAgeMs: number;
}

/**
 * Holds the bounds as messages arrive, in their transaction: whoever looks sees them held. Oldest go first.
 *
 * Messages are taken one after the other even when they are committed together, so that what is kept does not depend
 * on how the writer happened to group them; a message of a batch may therefore give way to a later one of the same
 * batch. The message that has just arrived never gives way to itself: one that is larger than `keepBytes` stays, alone,
 * until the next arrives.
 *
 * Pinned messages are not counted by `keepPerInbox` and not looked at for their age; `keepBytesPerInbox` counts their
 * octets and leaves them, and the newest of the others. `keepBytes` is the bound of a disk
 * and holds for them too: they go when nothing else but the newest message is left.
 */
export class Retention {
  readonly #limits: RetentionLimits;
  readonly #ledger: Ledger;
  readonly #removal: Removal;
  readonly #oldest: StatementSync;
  readonly #oldestUnpinned: StatementSync;
  readonly #oldestIn: StatementSync;
  readonly #oldestUnpinnedIn: StatementSync;
  readonly #expired: StatementSync;
  readonly #overfull: StatementSync;

  constructor(database: DatabaseSync, ledger: Ledger, removal: Removal, limits: RetentionLimits) {
    this.#limits = limits;
    this.#ledger = ledger;
    this.#removal = removal;
    this.#oldest = database.prepare('SELECT seq FROM messages ORDER BY seq LIMIT 1');
    this.#oldestUnpinned = database.prepare(
      'SELECT seq FROM messages WHERE is_pinned = 0 AND seq < (SELECT max(seq) FROM messages) ORDER BY seq LIMIT 1',
    );
    const places = `SELECT seq FROM placements WHERE inbox = ? AND ${isThere('seq')} AND ${isOfOurTime('seq')}`;
    this.#oldestIn = database.prepare(`${places} ORDER BY seq LIMIT 1`);
    this.#oldestUnpinnedIn = database.prepare(
      `${places} AND seq NOT IN (SELECT seq FROM messages WHERE is_pinned = 1) ORDER BY seq LIMIT 1`,
    );
    this.#expired = database.prepare(
      'SELECT seq FROM messages WHERE received_at < ? AND seq < ? AND is_pinned = 0 ORDER BY received_at LIMIT ?',
    );
    this.#overfull = database.prepare(
      'SELECT inbox FROM inboxes WHERE messages - pinned > ? OR (bytes > ? AND messages - pinned > 1) LIMIT 1',
    );
  }

  /** Makes room for a message that has just been put into these inboxes. */
  afterArrival(inboxes: readonly InboxEntry[]): void {
    const { keepBytes } = this.#limits;
    if (this.#boundsInboxes) for (const entry of inboxes) this.#trim(entry, Number.POSITIVE_INFINITY);
    if (keepBytes === 0) return;
    while (this.#isOverBytes()) this.#removeOldest();
  }

  /**
   * Takes out messages that are too old.
   * @param before messages from this seq on stay, whatever their age
   * @param most so many at a time
   * @returns how many it took out
   */
  expire(now: number, before: number, most: number): number {
    if (this.#limits.keepAgeMs === 0) return 0;
    const rows = this.#expired.all(now - this.#limits.keepAgeMs, before, most);
    for (const { seq } of rows) this.#removal.message(Number(seq));
    return rows.length;
  }

  /** Brings a store under bounds that were wider when it was last open, at most so many messages at a time. */
  shrink(most: number): number {
    let removed = 0;
    while (removed < most && this.#isOverBytes()) {
      this.#removeOldest();
      removed++;
    }
    if (!this.#boundsInboxes || removed >= most) return removed;
    const row = this.#overfull.get(this.#messagesPerInbox, this.#bytesPerInbox);
    return row ? removed + this.#trim(this.#ledger.entry(Number(row.inbox)), most - removed) : removed;
  }

  #trim(entry: InboxEntry, most: number): number {
    let removed = 0;
    for (; removed < most && this.#isOverfull(entry); removed++) {
      const oldest = entry.pinned === 0 ? this.#oldestIn : this.#oldestUnpinnedIn;
      this.#removal.placements([entry], Number(oldest.get(entry.inbox)!.seq));
    }
    return removed;
  }

  get #boundsInboxes(): boolean {
    return this.#limits.keepPerInbox > 0 || (this.#limits.keepBytesPerInbox ?? 0) > 0;
  }

  get #messagesPerInbox(): number {
    return this.#limits.keepPerInbox || Number.MAX_SAFE_INTEGER;
  }

  get #bytesPerInbox(): number {
    return this.#limits.keepBytesPerInbox || Number.MAX_SAFE_INTEGER;
  }

  #isOverfull({ messages, pinned, bytes }: InboxEntry): boolean {
    const others = messages - pinned;
    return others > this.#messagesPerInbox || (bytes > this.#bytesPerInbox && others > 1);
  }

  #isOverBytes(): boolean {
    const { totals } = this.#ledger;
    return this.#limits.keepBytes > 0 && totals.bytes > this.#limits.keepBytes && totals.messages > 1;
  }

  #removeOldest(): void {
    const { pinned } = this.#ledger.totals;
    const unpinned = pinned === 0 ? undefined : this.#oldestUnpinned.get();
    this.#removal.message(Number((unpinned ?? this.#oldest.get()!).seq));
  }
}
