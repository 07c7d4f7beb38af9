interface Waiting<T, R> {
  readonly what: T;
  readonly done: PromiseWithResolvers<R>;
}

/** What is written in one transaction at most. */
const BATCH = 200;

/** Has things written together that come while others are being written: each transaction costs an fsync. */
export class Gatherer<T, R> {
  readonly #put: (batch: readonly T[]) => Promise<readonly R[]>;
  #waiting: Waiting<T, R>[] = [];
  #writing: Promise<void> | undefined;

  /** @param put writes a batch and gives a result for each of it, in their order */
  constructor(put: (batch: readonly T[]) => Promise<readonly R[]>) {
    this.#put = put;
  }

  add(what: T): Promise<R> {
    const done = Promise.withResolvers<R>();
    this.#waiting.push({ what, done });
    this.#writing ??= this.#write();
    return done.promise;
  }

  /** Resolves when nothing waits. */
  async drain(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    await null; // whatever comes in the same turn goes along
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        const results = await this.#put(batch.map(({ what }) => what));
        for (const [place, { done }] of batch.entries()) done.resolve(results[place]!);
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#writing = undefined;
  }
}
