import type { AuthLimits } from './limits.ts';
import { isSecret, NO_SECRET, type StoredSecret } from './secret.ts';

/** Computes the hashes that compare secrets, a few at once and off the event loop; a bounded number waits. */
export class Hasher {
  readonly #limits: Pick<AuthLimits, 'hashesAtOnce' | 'waitingHashes'>;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limits: Pick<AuthLimits, 'hashesAtOnce' | 'waitingHashes'>) {
    this.#limits = limits;
  }

  /**
   * Compares a secret with what is stored.
   * @param stored undefined where the name is unknown: that takes as long, and the answer is no
   * @returns undefined if too many wait already
   */
  async isRight(secret: string, stored: StoredSecret | undefined): Promise<boolean | undefined> {
    if (this.#running >= this.#limits.hashesAtOnce) {
      if (this.#waiting.length >= this.#limits.waitingHashes) return undefined;
      // whoever ends hands its place on: one that comes now must not take it first
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return (await isSecret(secret, stored ?? NO_SECRET)) && stored !== undefined;
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
