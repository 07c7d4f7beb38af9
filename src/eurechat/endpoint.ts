import { setTimeout as delay } from 'node:timers/promises';
import type { Caller } from './caller.ts';
import type { DirectoryLimits } from './limits.ts';
import type { Place } from './place.ts';

/** What became of a notice: the endpoint took it, or did not, or had too many waiting already. */
export type NoticeResult = 'sent' | 'failed' | 'dropped';

/** A message to be told of. */
export interface Notice {
  /** Id of the message. */
  readonly message: string;
  readonly frame: Buffer;
}

export interface EndpointOptions {
  readonly place: Place;
  readonly caller: Caller;
  readonly limits: Pick<DirectoryLimits, 'restMs' | 'waitingNotices'>;
  /** Is told what became of each notice. */
  readonly told: (notice: Notice, result: NoticeResult, error?: unknown) => void;
}

/**
 * One endpoint: whoever is bound there. It is called once at a time, notices in their order, and has its own bounded
 * queue, so that a slow one delays only itself. A ping goes first.
 */
export class Endpoint {
  readonly place: Place;
  readonly #options: EndpointOptions;
  readonly #waiting: Notice[] = [];
  #ping: PromiseWithResolvers<boolean> | undefined;
  #isBusy = false;
  #restsUntil: number;
  readonly #over = new AbortController();

  constructor(options: EndpointOptions) {
    this.place = options.place;
    this.#options = options;
    this.#restsUntil = performance.now() + options.limits.restMs; // it has just been called
  }

  tell(notice: Notice): void {
    if (this.#over.signal.aborted) return;
    const { limits, told } = this.#options;
    if (this.#waiting.length >= limits.waitingNotices) {
      told(notice, 'dropped');
      return;
    }
    this.#waiting.push(notice);
    void this.#work();
  }

  /** Asks whether it is still there. */
  async ping(): Promise<boolean> {
    if (this.#over.signal.aborted) return false;
    this.#ping ??= Promise.withResolvers();
    const { promise } = this.#ping;
    void this.#work();
    return promise;
  }

  /** Nothing is said to it any more; what waits is forgotten. */
  close(): void {
    this.#over.abort();
    this.#waiting.length = 0;
    this.#ping?.resolve(false);
    this.#ping = undefined;
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#ping !== undefined || this.#waiting.length > 0) {
      await this.#rest();
      await this.#next()?.();
      this.#restsUntil = performance.now() + this.#options.limits.restMs;
    }
    this.#isBusy = false;
  }

  async #rest(): Promise<void> {
    const { signal } = this.#over;
    const left = this.#restsUntil - performance.now();
    // all that it rejects with is that this was closed: then nothing is left to do
    if (left > 0) await delay(left, undefined, { signal, ref: false }).catch(() => {});
  }

  #next(): (() => Promise<void>) | undefined {
    const { caller, told } = this.#options;
    const ping = this.#ping;
    if (ping) {
      this.#ping = undefined;
      return () =>
        caller.ping(this.place).then(
          () => ping.resolve(true),
          () => ping.resolve(false),
        );
    }
    const notice = this.#waiting.shift();
    if (!notice) return undefined;
    return () =>
      caller.tell(this.place, notice.frame).then(
        () => told(notice, 'sent'),
        (error: unknown) => told(notice, 'failed', error),
      );
  }
}
