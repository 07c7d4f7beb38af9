import type { Pace } from './pace.ts';
import type { PackerMethods } from './packer-thread.ts';
import { startThread, type Thread } from './thread.ts';
import type { CommittedEvent, WriteMethods } from './writer-thread.ts';

/** What is packed and written at once. */
const STEP = { messages: 64, bytes: 4 * 1024 * 1024 };
/** While messages arrive, less at once. */
const BUSY_STEP = { messages: 16, bytes: 1024 * 1024 };
/** Mail that comes in quick succession is packed together. */
const GATHER_MS = 1000;
const RETRY_MS = 30_000;
/** Until the thread gives its memory back when there was nothing to do. */
const IDLE_MS = 60_000;
/** Indexing goes first, for people wait for that; but packing does not wait for it for ever. */
const YIELD_MS = { each: 250, most: 5000 };

export interface PackerOptions {
  readonly directory: string;
  readonly writer: Thread<WriteMethods, CommittedEvent>;
  readonly pace: Pace;
  readonly idleMs?: number;
  /** Something more urgent is being done. */
  readonly isYielding: () => boolean;
  /** Told when it fails, once until it works again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Packs messages in the background, once they are indexed, and then gives back to the disk what that has made free.
 * What cannot be packed, for want of room or because something fails, stays as it came and is tried again.
 */
export class Packer {
  readonly #options: PackerOptions;
  #thread: Promise<Thread<PackerMethods>> | undefined;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #isClosed = false;
  #hasFailed = false;
  #idle: NodeJS.Timeout | undefined;
  #ending: Promise<void> | undefined;

  constructor(options: PackerOptions) {
    this.#options = options;
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWanted = true;
    if (!this.#isClosed) this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#options.pace.end();
    await this.#running;
    clearTimeout(this.#idle);
    await this.#end();
    await this.#ending;
  }

  async #run(): Promise<void> {
    const { pace, onError, idleMs = IDLE_MS } = this.#options;
    clearTimeout(this.#idle);
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      try {
        await pace.watch(GATHER_MS);
        await this.#work();
        this.#hasFailed = false;
      } catch (error) {
        if (this.#isClosed) break;
        if (!this.#hasFailed) onError(error);
        this.#hasFailed = true;
        this.#isWanted = true;
        await this.#end(); // which bases there are the next one learns from the database
        await pace.pause(RETRY_MS);
      }
    }
    this.#running = undefined;
    if (this.#isClosed) return;
    this.#idle = setTimeout(() => {
      this.#ending = this.#end();
    }, idleMs).unref();
  }

  async #work(): Promise<void> {
    const { pace } = this.#options;
    for (let isMore = true; isMore && !this.#isClosed; ) {
      await this.#yield();
      if (!this.#isClosed) isMore = await pace.step(() => this.#pack());
    }
    for (let isMore = true; isMore && !this.#isClosed; ) isMore = await pace.step(() => this.#tidy());
  }

  async #yield(): Promise<void> {
    const { pace, isYielding } = this.#options;
    for (let waited = 0; isYielding() && waited < YIELD_MS.most && !this.#isClosed; waited += YIELD_MS.each) {
      await pace.pause(YIELD_MS.each);
    }
  }

  /** @returns whether there may be more */
  async #pack(): Promise<boolean> {
    const { directory, writer, pace } = this.#options;
    if (!this.#thread && !(await writer.call('isPackable', undefined))) return false;
    this.#thread ??= startThread<PackerMethods>('packer-thread', { name: 'store packer', data: directory });
    const thread = await this.#thread;
    const step = await thread.call('step', pace.isBusy ? BUSY_STEP : STEP);
    if (step.upTo === 0) return false;
    await thread.call((await writer.call('pack', step)) ? 'kept' : 'reload', undefined);
    return true;
  }

  #tidy(): Promise<boolean> {
    return this.#options.writer.call('tidy', undefined);
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    if (thread)
      await thread.then(
        (started) => started.end(),
        () => {}, // told already
      );
  }
}
