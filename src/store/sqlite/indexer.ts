import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Summary } from '../../mail/store.ts';
import { type Arrivals, NO_ARRIVALS, Pace } from './pace.ts';
import type { Unindexed } from './queries.ts';
import type { ReadMethods } from './reads.ts';
import type { IndexEntry } from './search-writer.ts';
import type { Caller } from './seldom-thread.ts';
import { Summariser } from './summariser.ts';
import type { Unparsed } from './summary-thread.ts';
import type { Thread } from './thread.ts';
import type { WriteMethods } from './writer-thread.ts';

/** What is parsed and written at once in the background. */
const STEP = { messages: 128, bytes: 4 * 1024 * 1024 };
/** While messages arrive, less at once: they, and the events of those that came, wait until it is written. */
const BUSY_STEP = { messages: 4, bytes: 1024 * 1024 };
/** Mail that comes in quick succession is taken together, and a page that is looked at first needs no second parsing. */
const GATHER_MS = 250;
const RETRY_MS = 10_000;
/** How long a list or search waits for parsing. */
const WAIT_MS = 2000;

export interface IndexerOptions {
  /** Has the mails that wait to be parsed. */
  readonly reader: Caller<ReadMethods>;
  /** Without one, nothing is kept of what was parsed and nothing runs in the background. */
  readonly writer?: Thread<WriteMethods, never>;
  /** Folder of the content files. */
  readonly contents: string;
  /** While messages come the background work keeps back. */
  readonly arrivals?: Arrivals;
  /** Told when all that had arrived is indexed. */
  readonly onIndexed?: () => void;
  /** Told when the background work fails, once until it works again. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Finds snippet, number of attachments and text for search of every message: in the background, oldest first, at the
 * lowest priority; and at once for a page that someone looks at.
 */
export class Indexer {
  readonly #options: IndexerOptions;
  readonly #background = new Summariser({ isBackground: true });
  readonly #foreground = new Summariser({ isBackground: false });
  #running: Promise<void> | undefined;
  #isWanted = false;
  #isClosed = false;
  #hasFailed = false;
  #indexedTo = 0;
  /** How many wait for the work to be done. */
  #waiting = 0;
  readonly #pace: Pace;

  constructor(options: IndexerOptions) {
    this.#options = options;
    this.#pace = new Pace(options.arrivals ?? NO_ARRIVALS);
  }

  /** Messages wait to be indexed. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWanted = true;
    if (this.#options.writer && !this.#isClosed) this.#running ??= this.#run();
  }

  /** Resolves when all that had arrived is indexed, or when that takes too long. */
  async caughtUp(): Promise<void> {
    if (!this.#running) return;
    this.#waiting += 1;
    this.#pace.hurry();
    try {
      await this.#atMost(this.#running);
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Fills in what is not known yet of these messages. What cannot be parsed in time stays empty for now. */
  async complete<S extends Summary>(messages: readonly S[], unindexed: readonly Unindexed[]): Promise<readonly S[]> {
    if (unindexed.length === 0) return messages;
    const parsing = this.#parseNow(unindexed);
    const entries = (await this.#atMost(parsing)) ?? [];
    const byId = new Map(entries.map((entry) => [entry.id, entry]));
    return messages.map((message) => {
      const entry = byId.get(message.id);
      return entry ? { ...message, snippet: entry.snippet, attachments: entry.attachments } : message;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pace.end();
    await Promise.all([this.#background.end(), this.#foreground.end()]);
    await this.#running;
  }

  async #parseNow(unindexed: readonly Unindexed[]): Promise<readonly IndexEntry[]> {
    const entries = await this.#foreground.summarise(unindexed.map((message) => this.#unparsed(message)));
    this.#options.writer?.call('index', { entries, upTo: 0 }).catch((error: unknown) => this.#fail(error));
    return entries;
  }

  async #run(): Promise<void> {
    await this.#pace.watch(GATHER_MS); // the first step is a short one too while more mail comes
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      try {
        while (!this.#isClosed && (await this.#pacedStep()));
        this.#hasFailed = false;
      } catch (error) {
        this.#fail(error);
        this.#isWanted = true;
        await this.#pace.pause(RETRY_MS);
      }
    }
    this.#running = undefined;
    if (!this.#isClosed) this.#options.onIndexed?.();
  }

  #pacedStep(): Promise<boolean> {
    return this.#pace.step(
      () => this.#step(this.#pace.isBusy ? BUSY_STEP : STEP),
      () => this.#waiting > 0,
    );
  }

  /** @returns whether there may be more */
  async #step(limits: typeof STEP): Promise<boolean> {
    const { reader, writer } = this.#options;
    const { entries: unindexed, upTo } = await reader.call('unindexed', limits);
    // whatever was looked at has been parsed for that already, and yet it has to be said that nothing is left
    if (unindexed.length === 0 && upTo <= this.#indexedTo) return false;
    const entries = await this.#background.summarise(unindexed.map((message) => this.#unparsed(message)));
    await writer!.call('index', { entries, upTo });
    this.#indexedTo = upTo;
    return unindexed.length > 0;
  }

  #unparsed({ seq, id, content, arrival }: Unindexed): Unparsed {
    return {
      seq,
      id,
      arrival,
      content: content.kind === 'blob' ? content.content : join(this.#options.contents, content.file),
    };
  }

  #fail(error: unknown): void {
    if (this.#isClosed || this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.onError?.(error);
  }

  /** Waits for work, but not for long; undefined then, and when it failed. */
  async #atMost<T>(work: Promise<T>): Promise<T | undefined> {
    const enough = new AbortController();
    const time = delay(WAIT_MS, undefined, { signal: enough.signal, ref: false }).catch(() => undefined);
    try {
      return (await Promise.race([work.catch((error: unknown) => void this.#fail(error)), time])) as T | undefined;
    } finally {
      enough.abort();
    }
  }
}
