import { apiUrl } from './client.ts';
import type { Change } from './types.ts';

/** What the live connection tells the page. */
export interface LiveListener {
  /** Connected; everything since the last event follows. */
  up(): void;
  down(): void;
  change(change: Change): void;
  /** More happened than the daemon remembers: everything has to be read anew. */
  reset(): void;
  /**
   * Asked before each new try. False gives up: somebody has to log in first, and calls `start` after.
   * A throw is one more failed try.
   */
  ready(): Promise<boolean>;
}

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8_000;
const TYPES = ['received', 'deleted', 'changed'] as const;

/**
 * Server-sent events that survive a daemon's restart.
 *
 * The browser's own way of reconnecting gives up for good at the first answer that is no event stream, as a proxy
 * sends while the daemon restarts. So this closes at every error and tries again itself, each time from the last event
 * that it saw.
 */
export class Live {
  readonly #listener: LiveListener;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitMs = FIRST_WAIT_MS;
  #last = 0;

  constructor(listener: LiveListener) {
    this.#listener = listener;
  }

  get last(): number {
    return this.#last;
  }

  /** Connects, for what happens after the event `since`. */
  start(since: number): void {
    this.stop();
    this.#last = since;
    this.#open();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  /** Tries at once instead of waiting, as when the network is back. */
  hurry(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    void this.#retry();
  }

  #open(): void {
    this.#timer = undefined;
    const source = new EventSource(apiUrl('events', { since: this.#last }));
    this.#source = source;
    source.onopen = () => {
      this.#waitMs = FIRST_WAIT_MS;
      this.#listener.up();
    };
    source.onerror = () => this.#fail();
    for (const type of TYPES) source.addEventListener(type, (event) => this.#take(type, event));
    source.addEventListener('reset', (event) => {
      this.#remember(event);
      this.#listener.reset();
    });
  }

  #take(type: Change['type'], event: MessageEvent<string>): void {
    this.#remember(event);
    this.#listener.change({ ...(JSON.parse(event.data) as Omit<Change, 'type'>), type });
  }

  #remember(event: MessageEvent<string>): void {
    const id = Number(event.lastEventId);
    if (Number.isSafeInteger(id) && event.lastEventId !== '') this.#last = id;
  }

  #fail(): void {
    this.stop();
    this.#listener.down();
    this.#timer = setTimeout(() => void this.#retry(), this.#waitMs);
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
  }

  async #retry(): Promise<void> {
    this.#timer = undefined;
    try {
      if (await this.#listener.ready()) this.#open();
    } catch {
      this.#fail(); // still away, which the listener has been told
    }
  }
}
