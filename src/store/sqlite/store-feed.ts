import type { ChangeEvent, Feed } from '../../mail/feed.ts';
import type { Summary } from '../../mail/store.ts';
import type { FoundEvents } from './events.ts';
import { EVENT_TYPES, type EventBatch, type EventHead, type EventRow } from './journal.ts';
import { summaryOf } from './rows.ts';

type Listener = (event: ChangeEvent) => void;

export interface StoreFeedOptions {
  readonly latest: number;
  readonly read: (after: number, limit: number) => Promise<FoundEvents | 'gone'>;
  /** Told what a listener threw. */
  readonly onError: (error: unknown) => void;
}

/** Passes on what the writer thread has committed. */
export class StoreFeed implements Feed {
  readonly #options: StoreFeedOptions;
  readonly #listeners = new Set<Listener>();
  #latest: number;

  constructor(options: StoreFeedOptions) {
    this.#options = options;
    this.#latest = options.latest;
  }

  latest(): number {
    return this.#latest;
  }

  async since(id: number, limit: number): Promise<readonly ChangeEvent[] | 'gone'> {
    if (id === this.#latest) {
      // who begins to follow needs no thread that reads, and does not wait for one; who asks on and on lets others in
      await new Promise((resolve) => setImmediate(resolve));
      if (id === this.#latest) return [];
    }
    const found = await this.#options.read(id, limit);
    if (found === 'gone') return found;
    return found.map(({ row, lies, at, ...event }) => ({
      ...event,
      at: new Date(at),
      ...(row && { summary: summaryOf(row, lies) }),
    }));
  }

  subscribe(listener: Listener): () => void {
    const own: Listener = (event) => listener(event); // the same function may be given twice
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** To be called with every batch in the order of commits. */
  publish(batch: EventBatch | undefined): void {
    if (!batch) return;
    this.#latest = batch.first + batch.count - 1;
    if (this.#listeners.size === 0) return;
    const rows = new Rows(batch.rows);
    const at = new Date(batch.at);
    for (const [place, head] of (JSON.parse(batch.heads) as EventHead[]).entries()) {
      this.#tell(new LiveEvent(batch.first + place, at, head, rows, place));
    }
  }

  #tell(event: ChangeEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#options.onError(error);
      }
    }
  }
}

/** The summaries of a batch, read when the first is wanted. */
class Rows {
  readonly #text: string;
  #rows: readonly (EventRow | null)[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  at(place: number): EventRow | null {
    this.#rows ??= JSON.parse(this.#text) as (EventRow | null)[];
    return this.#rows[place] ?? null;
  }
}

class LiveEvent implements ChangeEvent {
  readonly id: number;
  readonly type: ChangeEvent['type'];
  readonly message: string;
  readonly inboxes: readonly string[];
  readonly at: Date;
  readonly #rows: Rows;
  readonly #place: number;

  constructor(id: number, at: Date, [type, message, inboxes]: EventHead, rows: Rows, place: number) {
    this.id = id;
    this.type = EVENT_TYPES[type]!;
    this.message = message;
    this.inboxes = inboxes;
    this.at = at;
    this.#rows = rows;
    this.#place = place;
  }

  get summary(): Summary | undefined {
    const row = this.#rows.at(this.#place);
    return row ? summaryOf({ snippet: null, attachments: null, ...row }, this.inboxes) : undefined;
  }
}
