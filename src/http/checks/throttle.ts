/**
 * Keeps a check of links from becoming an attack on those that are linked to.
 *
 * Every domain has a bucket of requests that refills slowly, and few requests under way at once, whoever asks and
 * however often. Subdomains share the bucket of their domain, since a sender can make as many of them as he likes.
 */
export interface ThrottleOptions {
  /** Requests that a domain takes at once before it has to wait. */
  readonly burst: number;
  /** Until one more is allowed. */
  readonly refillMs: number;
  /** Requests under way to one domain. */
  readonly atOnce: number;
  /** Domains remembered. */
  readonly domains: number;
}

export const THROTTLE: ThrottleOptions = Object.freeze({ burst: 100, refillMs: 1_000, atOnce: 2, domains: 10_000 });

interface Bucket {
  tokens: number;
  filledAt: number;
  underWay: number;
  readonly waiting: (() => void)[];
}

export class Throttle {
  readonly #options: ThrottleOptions;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>(); // least recently used first

  constructor(options: ThrottleOptions = THROTTLE, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
  }

  /**
   * Runs a request when its domain allows it.
   * @returns undefined without having run it if the domain's bucket is empty or the signal fires before its turn
   */
  async run<T>(host: string, signal: AbortSignal, request: () => Promise<T>): Promise<T | undefined> {
    const bucket = this.#bucket(domainOf(host));
    if (!(await this.#turn(bucket, signal))) return undefined;
    try {
      return this.#take(bucket) ? await request() : undefined;
    } finally {
      bucket.underWay--;
      bucket.waiting.shift()?.();
    }
  }

  #bucket(domain: string): Bucket {
    const known = this.#buckets.get(domain);
    const bucket = known ?? { tokens: this.#options.burst, filledAt: this.#now(), underWay: 0, waiting: [] };
    this.#buckets.delete(domain);
    this.#buckets.set(domain, bucket);
    if (this.#buckets.size > this.#options.domains) this.#forget();
    return bucket;
  }

  /** Forgets the domain that was asked least recently and is not in use, full buckets first: they start full again. */
  #forget(): void {
    let oldest: string | undefined;
    for (const [domain, bucket] of this.#buckets) {
      if (bucket.underWay > 0) continue;
      oldest ??= domain;
      this.#refill(bucket);
      if (bucket.tokens < this.#options.burst) continue;
      oldest = domain;
      break;
    }
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }

  /** Waits until fewer than `atOnce` are under way, and counts itself in. */
  async #turn(bucket: Bucket, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && bucket.underWay >= this.#options.atOnce) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const leave = (): void => resolve();
      bucket.waiting.push(leave);
      signal.addEventListener('abort', leave, { once: true });
      await promise;
      signal.removeEventListener('abort', leave);
      const place = bucket.waiting.indexOf(leave);
      if (place >= 0) bucket.waiting.splice(place, 1);
    }
    if (signal.aborted) {
      bucket.waiting.shift()?.(); // the turn that may have been ours is the next one's
      return false;
    }
    bucket.underWay++;
    return true;
  }

  #take(bucket: Bucket): boolean {
    this.#refill(bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #refill(bucket: Bucket): void {
    const now = this.#now();
    const gained = Math.floor((now - bucket.filledAt) / this.#options.refillMs);
    if (gained === 0) return;
    bucket.tokens = Math.min(this.#options.burst, bucket.tokens + gained);
    bucket.filledAt += gained * this.#options.refillMs;
  }
}

/** The last two labels of a host name (for some, such as `co.uk`, more than one domain: they share); else the host. */
function domainOf(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, '');
  return /^[\d.]+$|:/.test(name) ? name : name.split('.').slice(-2).join('.');
}
