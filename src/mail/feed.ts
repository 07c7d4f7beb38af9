import type { Summary } from './store.ts';

/** One change of the store. */
export interface ChangeEvent {
  /** Grows with every event, also over restarts, and is never used again; not by a later store in memory either. */
  readonly id: number;
  /** `deleted`: it no longer lies in `inboxes`; it may lie in others. `changed`: read, pinned, tags or what was found out about its sender. */
  readonly type: 'received' | 'deleted' | 'changed';
  readonly message: string;
  readonly inboxes: readonly string[];
  readonly at: Date;
  /**
   * Of `received` and `changed`, unless the message is gone meanwhile. `snippet` and `attachments` of a message that has
   * just come are still empty: whoever shows them reads the message. Made when first looked at, so that events nobody
   * looks into cost nothing.
   */
  readonly summary?: Summary | undefined;
}

/** What happened in the store, in order. */
export interface Feed {
  /** Id of the newest event; before the first, one that is not used and below it. */
  latest(): number;
  /** Events after `id`, oldest first, at most `limit`; 'gone' when some of them are no longer kept. */
  since(id: number, limit: number): Promise<readonly ChangeEvent[] | 'gone'>;
  /** Told of every event after its commit; gives the way to stop. */
  subscribe(listener: (event: ChangeEvent) => void): () => void;
}
