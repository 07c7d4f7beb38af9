import { setTimeout as delay } from 'node:timers/promises';

/** While messages arrive: between two steps so many times what a step took, until none have come for a while. */
const BUSY = { restTimes: 9, mostMs: 2000, quietMs: 50 };

/** The mail that comes to a store. */
export interface Arrivals {
  /** How many messages have come so far. */
  count(): number;
  /** Some are on their way to the tables, and wait there for the work in the background too. */
  areWaiting(): boolean;
}

export const NO_ARRIVALS: Arrivals = { count: () => 0, areWaiting: () => false };

/** Keeps work in the background back while messages arrive: it takes from what these need, so it gets a tenth of the time. */
export class Pace {
  readonly #arrivals: Arrivals;
  #isBusy = false;
  #isEnded = false;
  /** Ends a pause before its time. */
  #hurry = new AbortController();

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  /** Messages were arriving when this was last looked at. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /**
   * Does a step and then rests as it must. That none came meanwhile says nothing: they may have waited for this step.
   * @param isHurried somebody waits for the work
   * @returns what the step returned: whether there is more to do
   */
  async step(work: () => Promise<boolean>, isHurried: () => boolean = () => false): Promise<boolean> {
    const began = performance.now();
    const before = this.#arrivals.count();
    const isMore = await work();
    this.#isBusy ||= this.#haveComeSince(before);
    if (!isMore || !this.#isBusy) return isMore;
    const restMs = Math.min((performance.now() - began) * BUSY.restTimes, BUSY.mostMs);
    for (let rested = 0; rested < restMs && this.#isBusy && !isHurried(); rested += BUSY.quietMs)
      await this.watch(BUSY.quietMs);
    return true;
  }

  /** Pauses, and sees whether messages arrive meanwhile. */
  async watch(milliseconds: number): Promise<void> {
    const seen = this.#arrivals.count();
    await this.pause(milliseconds);
    this.#isBusy = this.#haveComeSince(seen);
  }

  async pause(milliseconds: number): Promise<void> {
    if (this.#isEnded) return;
    this.#hurry = new AbortController();
    await delay(milliseconds, undefined, { signal: this.#hurry.signal, ref: false }).catch(() => {}); // was ended
  }

  /** Ends the pause that is being made. */
  hurry(): void {
    this.#hurry.abort();
  }

  end(): void {
    this.#isEnded = true;
    this.#hurry.abort();
  }

  #haveComeSince(count: number): boolean {
    return this.#arrivals.areWaiting() || this.#arrivals.count() !== count;
  }
}
