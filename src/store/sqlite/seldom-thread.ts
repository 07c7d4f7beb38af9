import { StoreError } from '../errors.ts';
import { type Argument, type Methods, type Outcome, startThread, type Thread } from './thread.ts';

/** What calls are made of, whether or not its thread runs just now. */
export interface Caller<M extends Methods> {
  call<N extends keyof M & string>(method: N, argument: Argument<M, N>): Promise<Outcome<M, N>>;
}

/** A thread's own last words, before it is ended. */
type Closing = { readonly close: () => unknown };

export interface SeldomThreadOptions {
  /** What the thread is for, in error texts. */
  readonly name: string;
  readonly data: unknown;
  /** Until it is ended when no call has come. */
  readonly idleMs: number;
  /** It is gone though nobody ended it, or it did not end well; the next call starts another. */
  readonly onDeath?: (error: Error) => void;
}

/**
 * A thread that is there while it is wanted: a call starts it, and when none has come for a while it ends and gives its
 * memory back. What a thread that dies was doing is rejected.
 */
export class SeldomThread<M extends Methods & Closing> implements Caller<M> {
  readonly #file: string | URL;
  readonly #options: SeldomThreadOptions;
  #thread: Promise<Thread<M>> | undefined;
  /** How many calls are not answered yet. */
  #calls = 0;
  #timer: NodeJS.Timeout | undefined;
  #ending: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** @param file as for `startThread` */
  constructor(file: string | URL, options: SeldomThreadOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Starts it ahead of the first call. @throws what opening threw there */
  async start(): Promise<void> {
    await this.#started();
    this.#restLater();
  }

  async call<N extends keyof M & string>(method: N, argument: Argument<M, N>): Promise<Outcome<M, N>> {
    if (this.#isClosed) throw new StoreError('STORE_CLOSED', `The ${this.#options.name} was ended`);
    this.#calls += 1;
    try {
      const thread = await this.#started();
      return await thread.call(method, argument);
    } finally {
      this.#calls -= 1;
      this.#restLater();
    }
  }

  /** Ends it once what was called is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#rest();
    await this.#ending;
  }

  #started(): Promise<Thread<M>> {
    clearTimeout(this.#timer);
    if (this.#thread) return this.#thread;
    const { name, data, onDeath } = this.#options;
    const starting = startThread<M>(this.#file, {
      name,
      data,
      onDeath: (error) => {
        this.#forget(starting);
        onDeath?.(error);
      },
    });
    this.#thread = starting;
    starting.catch(() => this.#forget(starting)); // who called is told
    return starting;
  }

  #forget(thread: Promise<Thread<M>>): void {
    if (this.#thread === thread) this.#thread = undefined;
  }

  #restLater(): void {
    clearTimeout(this.#timer);
    if (this.#calls > 0 || this.#isClosed) return;
    this.#timer = setTimeout(() => this.#rest(), this.#options.idleMs).unref();
  }

  #rest(): void {
    clearTimeout(this.#timer);
    const thread = this.#thread;
    this.#thread = undefined;
    if (!thread) return;
    const before = this.#ending;
    this.#ending = this.#end(thread).then(() => before);
  }

  async #end(starting: Promise<Thread<M>>): Promise<void> {
    const thread = await starting.catch(() => undefined); // who called was told
    if (!thread?.isAlive) return;
    try {
      await thread.call('close', undefined as Argument<M, 'close'>);
    } catch (error) {
      if (thread.isAlive) this.#options.onDeath?.(error as Error);
    } finally {
      await thread.end();
    }
  }
}
