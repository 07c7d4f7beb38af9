import type { Counter } from 'prom-client';

/**
 * Counts by two labels without making an object for each addition; hands on to a counter when somebody reads it.
 * Both labels are to have few values.
 */
export class Tally<A extends string, B extends string> {
  readonly #counter: Counter<A | B>;
  readonly #names: readonly [A, B];
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(counter: Counter<A | B>, names: readonly [A, B]) {
    this.#counter = counter;
    this.#names = names;
  }

  add(first: string, second: string, number = 1): void {
    let inner = this.#counts.get(first);
    if (inner === undefined) {
      inner = new Map();
      this.#counts.set(first, inner);
    }
    inner.set(second, (inner.get(second) ?? 0) + number);
  }

  /** Gives what was counted since the last time to the counter. */
  handOn(): void {
    const [first, second] = this.#names;
    for (const [one, inner] of this.#counts) {
      for (const [other, number] of inner) {
        this.#counter.inc({ [first]: one, [second]: other } as Record<A | B, string>, number);
        inner.set(other, 0);
      }
    }
  }
}
