import { isIPv6 } from 'node:net';
import type { AuthLimits } from './limits.ts';

type FailureLimits = Pick<AuthLimits, 'failures' | 'failureWindowMs' | 'failingAddresses'>;

interface Tally {
  count: number;
  readonly endsAt: number;
}

/** Counts failed attempts by address, in windows of fixed length; forgets the oldest when there are too many addresses. */
export class Failures {
  readonly #limits: FailureLimits;
  readonly #now: () => number;
  readonly #tallies = new Map<string, Tally>();

  constructor(limits: FailureLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * Counts an attempt, as failed until `forgive` says otherwise: attempts made all at once would else slip through.
   * @returns milliseconds that the address has to wait; 0 if it may try
   */
  attempt(address: string): number {
    const now = this.#now();
    const key = networkOf(address);
    let tally = this.#tallies.get(key);
    if (tally === undefined || tally.endsAt <= now) {
      this.#tallies.delete(key);
      tally = { count: 0, endsAt: now + this.#limits.failureWindowMs };
      this.#tallies.set(key, tally);
      for (const oldest of this.#tallies.keys()) {
        if (this.#tallies.size <= this.#limits.failingAddresses) break;
        this.#tallies.delete(oldest);
      }
    }
    if (tally.count >= this.#limits.failures) return tally.endsAt - now;
    tally.count++;
    return 0;
  }

  /** Takes an attempt back that was none to guess. */
  forgive(address: string): void {
    const tally = this.#tallies.get(networkOf(address));
    if (tally !== undefined && tally.count > 0) tally.count--;
  }
}

/** Who has one IPv6 address has 2^64 of them. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::');
  const front = head === '' ? [] : head.split(':');
  if (tail === undefined) return front.slice(0, 4).join(':');
  const back = tail === '' ? [] : tail.split(':');
  return [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
    .slice(0, 4)
    .join(':');
}
