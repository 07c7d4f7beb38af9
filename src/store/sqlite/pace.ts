import { setTimeout as delay } from 'node:timers/promises';

/** While messages arrive: between two steps so many times what a step took, until none have come for a while. */
const BUSY = { restTimes: 9, mostMs: 2000, quietMs: 50 };

/** Keeps work in the background back while messages arrive: it takes from what these need, so it gets a tenth of the time. */
export class Pace {
  readonly #arrived: () => number;
  #isBusy = false;
  #isEnded = false;
  /** Ends a pause before its time. */
  #hurry = new AbortController();

  /** @param arrived how many messages have come so far */
  constructor(arrived: () => number) {
    this.#arrived = arrived;
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
    const before = this.#arrived();
    const isMore = await work();
    this.#isBusy ||= this.#arrived() !== before;
    if (!isMore || !this.#isBusy) return isMore;
    const restMs = Math.min((performance.now() - began) * BUSY.restTimes, BUSY.mostMs);
    for (let rested = 0; rested < restMs && this.#isBusy && !isHurried(); rested += BUSY.quietMs)
      await this.watch(BUSY.quietMs);
    return true;
  }

  /** Pauses, and sees whether messages arrive meanwhile. */
  async watch(milliseconds: number): Promise<void> {
    const seen = this.#arrived();
    await this.pause(milliseconds);
    this.#isBusy = this.#arrived() !== seen;
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
}
