import type { Visit } from '../mail/filter.ts';

/** Answers known by address at most, and for how long. */
const ADDRESSES = 10_000;
const KEEP_MS = 300_000;

interface Known<T> {
  readonly at: number;
  readonly promise: Promise<T>;
  settled?: T;
}

/**
 * Looks something up about clients behind their backs: the question is asked when they connect, and its answer waited
 * for when it is wanted. Clients of one address share an answer for some minutes, and the number of answers is bounded.
 */
export class Answers<T extends object> {
  readonly #lookUp: (address: string) => Promise<T>;
  /** What stands for an answer that does not come in time, or not at all. */
  readonly #unknown: T;
  readonly #deadlineMs: number;
  readonly #now: () => number;
  /** By address, the oldest first. */
  readonly #known = new Map<string, Known<T>>();

  constructor(lookUp: (address: string) => Promise<T>, unknown: T, deadlineMs: number, now = () => performance.now()) {
    this.#lookUp = lookUp;
    this.#unknown = unknown;
    this.#deadlineMs = deadlineMs;
    this.#now = now;
  }

  /** Begins to look. */
  ask({ client: { address } }: Visit): void {
    this.#find(address);
  }

  /** The answer: at once where it has come already. Never rejects, and comes within the deadline. */
  get({ client: { address } }: Visit): T | Promise<T> {
    const known = this.#find(address);
    return known.settled ?? known.promise;
  }

  #find(address: string): Known<T> {
    const found = this.#known.get(address);
    if (found && this.#now() - found.at < KEEP_MS) return found;
    this.#known.delete(address);
    if (this.#known.size >= ADDRESSES) this.#known.delete(this.#known.keys().next().value!);
    const known: Known<T> = { at: this.#now(), promise: this.#inTime(address) };
    this.#known.set(address, known);
    void known.promise.then((answer) => {
      known.settled = answer;
      // nobody knows: the next client may have more luck
      if (answer === this.#unknown && this.#known.get(address) === known) this.#known.delete(address);
    });
    return known;
  }

  #inTime(address: string): Promise<T> {
    // fails open: what a lookup has to say of its failures it says itself
    const answer = this.#lookUp(address).catch(() => this.#unknown);
    return within(this.#deadlineMs, answer, this.#unknown);
  }
}

/** What a promise that does not reject gives, or `late` when it takes too long. */
export function within<T>(milliseconds: number, promise: Promise<T>, late: T): Promise<T> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(late), milliseconds);
    void promise.then((answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}
