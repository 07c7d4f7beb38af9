import { createHmac, randomBytes } from 'node:crypto';

/**
 * Remembers what was found out about credentials, a bounded number of them. They are known by a hash that means nothing
 * outside of this process, so that no secret stays in memory.
 */
export class Remembered<T> {
  readonly #most: number;
  readonly #key = randomBytes(32);
  readonly #found = new Map<string, T>(); // least recently used first

  constructor(most: number) {
    this.#most = most;
  }

  /** The hash that credentials are known by; for other memories of the same moment, too. */
  keyOf(credentials: string): string {
    return createHmac('sha256', this.#key).update(credentials).digest('base64');
  }

  get(key: string): T | undefined {
    const found = this.#found.get(key);
    if (found === undefined) return undefined;
    this.#found.delete(key);
    this.#found.set(key, found);
    return found;
  }

  set(key: string, value: T): void {
    this.#found.set(key, value);
    for (const oldest of this.#found.keys()) {
      if (this.#found.size <= this.#most) break;
      this.#found.delete(oldest);
    }
  }

  clear(): void {
    this.#found.clear();
  }
}
