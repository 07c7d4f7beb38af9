/** Lets a bounded number work at once, and a bounded number wait for their turn, first come first served. */
export class Turns {
  #free: number;
  readonly #most: number;
  readonly #waiting = new Set<() => void>();

  /**
   * @param atOnce how many may work at once
   * @param waiting how many may wait
   */
  constructor(atOnce: number, waiting: number) {
    this.#free = atOnce;
    this.#most = waiting;
  }

  /** True if whoever comes now is neither let in nor may wait. */
  get isFull(): boolean {
    return this.#free === 0 && this.#waiting.size >= this.#most;
  }

  /**
   * Does the work when its turn has come.
   * @throws what the work throws, or the reason of `signal` if that fires before its turn
   */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(enter);
        reject(signal.reason);
      };
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Hands the place on to who has waited longest. */
  #give(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
