import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Summary } from '../../mail/store.ts';
import { type Arrivals, NO_ARRIVALS, Pace } from './pace.ts';
import type { Backlog, BacklogLimits, Unindexed } from './queries.ts';
import type { ReadMethods } from './reads.ts';
import type { SearchMethods } from './search-methods.ts';
import type { IndexEntry } from './search-writer.ts';
import type { Caller } from './seldom-thread.ts';
import { Summariser } from './summariser.ts';
import type { Unparsed } from './summary-thread.ts';
import { indexedTexts } from './text-writer.ts';
import type { Thread } from './thread.ts';
import type { WriteMethods } from './writer-thread.ts';

/** What is parsed and written at once in the background. */
const STEP = { messages: 256, bytes: 4 * 1024 * 1024 };
/** While messages arrive, less at once: this thread and that of the writer have their part in each step. */
const BUSY_STEP = { messages: 32, bytes: 1024 * 1024 };
/** With a step so many times as many messages that are gone are taken out: the more, the more of them lie on one page. */
const FORGET_TIMES = 8;
/** Messages put into the index after which free room is given back. */
const TIDY_AFTER = 500;
/** Mail that comes in quick succession is taken together, and a page that is looked at first needs no second parsing. */
const GATHER_MS = 250;
const RETRY_MS = 10_000;
/** How long a list or search waits for parsing. */
const WAIT_MS = 2000;

/** Who keeps what was parsed. */
export interface IndexKeepers {
  /** The index of words. */
  readonly search: Caller<SearchMethods>;
  /** The tables of the messages. */
  readonly writer: Thread<WriteMethods, never>;
}

export interface IndexerOptions {
  /** Has the mails that wait to be parsed. */
  readonly reader: Caller<ReadMethods>;
  /** Without them, nothing is kept of what was parsed and nothing runs in the background. */
  readonly keepers?: IndexKeepers;
  /** Folder of the content files. */
  readonly contents: string;
  /** While messages come the background work keeps back. */
  readonly arrivals?: Arrivals;
  /** Told when all that had arrived is indexed, and nothing else is left to do. */
  readonly onIndexed?: () => void;
  /** Told when the background work fails, once until it works again. */
  readonly onError?: (error: unknown) => void;
}

/** Mails that were parsed, and what is known once they are kept. */
interface Parsed extends Omit<Backlog, 'entries'> {
  readonly entries: readonly IndexEntry[];
}

/**
 * Finds snippet, number of attachments and text for search of every message: in the background, oldest first, at the
 * lowest priority; and at once for a page that someone looks at. Takes out of the index what is of messages that are gone.
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
  /** How many messages were put into the index since it was last tidied; enough if any was taken out. */
  #untidy = 0;
  /** What comes behind that which is being kept: one thread parses while another one writes. */
  #ahead: Promise<Parsed> | undefined;
  /** Mail has come that is not indexed; resolved when it is. */
  #behind: PromiseWithResolvers<void> | undefined;
  /** How many wait for that. */
  #waiting = 0;
  readonly #pace: Pace;

  constructor(options: IndexerOptions) {
    this.#options = options;
    this.#pace = new Pace(options.arrivals ?? NO_ARRIVALS);
  }

  /** There is something to do. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Messages may have come that are not indexed. */
  wake(): void {
    if (!this.#options.keepers || this.#isClosed) return;
    this.#behind ??= Promise.withResolvers();
    this.wakeToForget();
  }

  /** Messages may have gone. */
  wakeToForget(): void {
    this.#isWanted = true;
    if (this.#options.keepers && !this.#isClosed) this.#running ??= this.#run();
  }

  /** Resolves when all that had arrived is indexed, or when that takes too long. */
  async caughtUp(): Promise<void> {
    if (!this.#behind) return;
    this.#waiting += 1;
    this.#pace.hurry();
    try {
      await this.#atMost(this.#behind.promise);
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
    this.#catchUp(); // nobody waits for what will not come
  }

  async #parseNow(unindexed: readonly Unindexed[]): Promise<readonly IndexEntry[]> {
    const entries = await this.#foreground.summarise(unindexed.map((message) => this.#unparsed(message)));
    const { keepers } = this.#options;
    if (keepers) this.#keep(keepers, entries, 0).catch((error: unknown) => this.#fail(error));
    return entries;
  }

  async #run(): Promise<void> {
    const keepers = this.#options.keepers!;
    await this.#pace.watch(GATHER_MS); // the first step is a short one too while more mail comes
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      try {
        while (!this.#isClosed && (await this.#paced(() => this.#step(keepers))));
        while (!this.#isClosed && !this.#isWanted && (await this.#paced(() => this.#tidy(keepers))));
        this.#hasFailed = false;
      } catch (error) {
        this.#ahead = undefined;
        this.#fail(error);
        this.#isWanted = true;
        await this.#pace.pause(RETRY_MS);
      }
    }
    this.#running = undefined;
    if (!this.#isClosed) this.#options.onIndexed?.();
  }

  #paced(work: () => Promise<boolean>): Promise<boolean> {
    return this.#pace.step(work, () => this.#waiting > 0);
  }

  /** @returns whether there may be more */
  async #step(keepers: IndexKeepers): Promise<boolean> {
    const { entries, upTo, isBehind, isForgetting } = await (this.#ahead ?? this.#parse(this.#indexedTo));
    this.#ahead = undefined;
    if (isBehind) {
      if (!this.#pace.isBusy) this.#parseAhead(upTo);
      await this.#keep(keepers, entries, upTo); // also none: whatever was looked at has been parsed for that already
      this.#indexedTo = upTo;
      this.#untidy += entries.length;
    } else if (!this.#isWanted) this.#catchUp(); // else something may have come meanwhile
    return (isForgetting && (await this.#forget(keepers))) || isBehind;
  }

  get #limits(): BacklogLimits {
    return this.#pace.isBusy ? BUSY_STEP : STEP;
  }

  async #parse(after: number): Promise<Parsed> {
    const { entries: unindexed, ...rest } = await this.#options.reader.call('unindexed', { ...this.#limits, after });
    return { entries: await this.#background.summarise(unindexed.map((message) => this.#unparsed(message))), ...rest };
  }

  #parseAhead(after: number): void {
    this.#ahead = this.#parse(after);
    this.#ahead.catch(() => {}); // whoever takes it is told, and when nobody does what it is ahead of has failed
  }

  async #keep({ search, writer }: IndexKeepers, entries: readonly IndexEntry[], upTo: number): Promise<void> {
    await writer.call('ensureRoom', undefined);
    const words = entries.map(({ text: _text, fileNames: _fileNames, ...entry }) => entry);
    const indexed = await search.call('putWords', { entries: words, upTo });
    await writer.call('putTexts', indexedTexts(entries, indexed, upTo));
  }

  /** @returns whether there may be more to forget */
  async #forget({ search, writer }: IndexKeepers): Promise<boolean> {
    const most = this.#limits.messages * FORGET_TIMES;
    const seqs = await search.call('forgetWords', most);
    if (seqs.length > 0) await writer.call('forget', { seqs });
    this.#untidy = TIDY_AFTER;
    return seqs.length === most;
  }

  /** @returns whether there is more to tidy */
  async #tidy({ search, writer }: IndexKeepers): Promise<boolean> {
    if (this.#untidy < TIDY_AFTER) return false;
    const { swept, isMore } = await search.call('tidyWords', undefined);
    if (swept.length > 0) await writer.call('forget', { kinds: swept });
    if (!isMore) this.#untidy = 0;
    return isMore;
  }

  /** All that had arrived is indexed. */
  #catchUp(): void {
    this.#behind?.resolve();
    this.#behind = undefined;
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
