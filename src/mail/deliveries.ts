import type { Summary } from './store.ts';

/** Somebody who is to be told of mail; the store writes down what is owed to him as it takes a message. */
export interface DeliveryTarget {
  readonly name: string;
  /** Globs of the inboxes he is told of; empty is all. */
  readonly inboxes: readonly string[];
}

export interface DeliveryBounds {
  /** Deliveries that wait for one target; with more, the oldest become dead letters. */
  readonly waiting: number;
  /** Dead letters that are kept of one target; the oldest are forgotten first. */
  readonly dead: number;
}

/** A message that a target is yet to be told of. */
export interface Delivery {
  /** Order of arrival, in this run of the daemon. */
  readonly seq: number;
  /** The same for every attempt and over restarts. */
  readonly id: string;
  readonly message: string;
  /** Inboxes of the message that the target is told of. */
  readonly inboxes: readonly string[];
  /** Whether it is known that the target wants it. */
  readonly isWanted: boolean;
  readonly attempts: number;
  /** When it came into the queue, and not before when it is to be tried; milliseconds since 1970. */
  readonly queuedAt: number;
  readonly dueAt: number;
}

/** A delivery with the message as it was when it came: it may be gone since. */
export interface WholeDelivery extends Delivery {
  readonly summary: Summary;
}

export interface DeadLetter {
  readonly id: string;
  readonly message: string;
  readonly inboxes: readonly string[];
  readonly subject: string;
  readonly attempts: number;
  readonly diedAt: Date;
  readonly why: string;
}

/** What became of a delivery. */
export type Settlement = { readonly seq: number } & (
  | { readonly outcome: 'wanted' | 'unwanted' }
  | { readonly outcome: 'delivered'; readonly attempt: AttemptFacts }
  | {
      readonly outcome: 'later';
      /** To be counted against it. */
      readonly attempts: number;
      readonly dueAt: number;
      readonly attempt?: AttemptFacts;
    }
  | { readonly outcome: 'dead'; readonly attempts: number; readonly why: string; readonly attempt?: AttemptFacts }
);

/** One try to deliver, for people. */
export interface AttemptFacts {
  readonly at: number;
  /** Of the reply; 0 if there was none. */
  readonly status: number;
  /** '' if it was delivered. */
  readonly why: string;
  readonly milliseconds: number;
}

export interface TargetCounts {
  readonly name: string;
  /** False for one of an earlier configuration, for whom something is left. */
  readonly isConfigured: boolean;
  readonly waiting: number;
  readonly dead: number;
  /** When the oldest that waits was queued. */
  readonly oldest: Date | null;
  readonly last: AttemptFacts | null;
}

/** Deliveries that there was no room for. */
export interface Overflow {
  readonly target: string;
  /** Became dead letters. */
  readonly buried: number;
  /** Dead letters that are kept no longer. */
  readonly forgotten: number;
}

/**
 * What targets are yet to be told. A delivery is written down in the transaction that takes its message into the store,
 * and stays until it is settled: no crash loses one. When a method resolves, what it did is committed.
 */
export interface DeliveryQueue {
  /** What waits for a target behind a seq, oldest first, at most `limit`. */
  waiting(target: string, after: number, limit: number): Promise<readonly Delivery[]>;
  /** One that still waits; undefined if it was settled or made room for others. */
  get(seq: number): Promise<WholeDelivery | undefined>;
  settle(settlement: Settlement): Promise<void>;
  /** Dead letters of a target, the latest first. */
  dead(target: string, limit: number): Promise<readonly DeadLetter[]>;
  /**
   * Has dead letters wait again, behind all that wait, oldest first and as many as there is room for.
   * @param ids those of the deliveries; absent is all
   * @returns how many
   */
  replay(target: string, ids?: readonly string[]): Promise<number>;
  counts(): Promise<readonly TargetCounts[]>;
  /** Told when something may have been added; gives the way to stop. */
  onAdded(listener: () => void): () => void;
  onOverflow(listener: (overflow: Overflow) => void): () => void;
}
