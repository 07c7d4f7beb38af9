import { MilterFailure } from './failure.ts';

/** Bounds how many sessions ask one milter at once; who finds no place free waits a while for one. */
export class Places {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(most: number) {
    this.#free = most;
  }

  /** @throws MilterFailure if none becomes free in time, or the session ends meanwhile */
  take(milliseconds: number, stop: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        stop.removeEventListener('abort', stopped);
        this.#waiting.delete(called);
      };
      const called = (): void => {
        settle();
        resolve();
      };
      const fail = (text: string): void => {
        settle();
        reject(new MilterFailure('busy', text));
      };
      const stopped = (): void => fail('the session is over');
      const timer = setTimeout(() => fail('as many sessions ask it as may'), milliseconds);
      stop.addEventListener('abort', stopped);
      this.#waiting.add(called);
    });
  }

  give(): void {
    const [next] = this.#waiting;
    if (next) next();
    else this.#free++;
  }
}
