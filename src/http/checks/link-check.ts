import { STATUS_CODES } from 'node:http';
import type { Reach } from '../../outbound/pinned-request.ts';
import { type HeadResult, PUBLIC_REACH, requestHead } from './head-request.ts';
import { Throttle } from './throttle.ts';

/** Tries the links of a mail: a HEAD request each, to public servers only, within limits that hold for all who ask. */

export interface LinkCheck {
  /** Links that answered 400 or above, or not at all. */
  readonly Errors: number;
  readonly Links: readonly LinkStatus[];
}

export interface LinkStatus {
  readonly URL: string;
  /** 0 if nobody answered, 451 if the target is not public. */
  readonly StatusCode: number;
  readonly Status: string;
}

export interface LinkCheckLimits {
  readonly requestMs: number;
  /** What a whole check may take. */
  readonly totalMs: number;
  /** Requests under way at once, of all checks together. */
  readonly atOnce: number;
  readonly redirects: number;
  /** How long a result answers for the next check. */
  readonly keptMs: number;
  readonly keptResults: number;
}

export const LINK_CHECK_LIMITS: LinkCheckLimits = Object.freeze({
  requestMs: 10_000,
  totalMs: 30_000,
  atOnce: 16,
  redirects: 3,
  keptMs: 60_000,
  keptResults: 10_000,
});

export interface LinkCheckOptions {
  readonly version: string;
  readonly limits?: Partial<LinkCheckLimits>;
  readonly reach?: Reach;
  readonly throttle?: Throttle;
}

/** Tries links; one for a server, since its limits hold over all checks. */
export class LinkChecker {
  readonly #limits: LinkCheckLimits;
  readonly #reach: Reach;
  readonly #throttle: Throttle;
  readonly #userAgent: string;
  readonly #kept = new Map<string, { readonly status: LinkStatus; readonly until: number }>(); // oldest first
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new AbortController();
  #underWay = 0;

  constructor({ version, limits, reach = PUBLIC_REACH, throttle = new Throttle() }: LinkCheckOptions) {
    this.#limits = { ...LINK_CHECK_LIMITS, ...limits };
    this.#reach = reach;
    this.#throttle = throttle;
    this.#userAgent = `inboxd/${version}`;
  }

  /** Tries each link. Never rejects; what time did not suffice for has the status 0. */
  async check(links: readonly string[], follow: boolean): Promise<LinkCheck> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#limits.totalMs)]);
    const statuses = await Promise.all(links.map((link) => this.#status(link, follow, signal)));
    const errors = statuses.filter(({ StatusCode }) => StatusCode === 0 || StatusCode >= 400).length;
    return { Errors: errors, Links: statuses };
  }

  /** Ends what is under way. */
  close(): void {
    this.#closing.abort();
  }

  async #status(link: string, follow: boolean, signal: AbortSignal): Promise<LinkStatus> {
    const key = `${follow ? 'follow' : 'first'} ${link}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > performance.now()) return kept.status;
    const host = URL.canParse(link) ? new URL(link).hostname : '';
    const redirects = follow ? this.#limits.redirects : 0;
    const { requestMs } = this.#limits;
    const options = { reach: this.#reach, userAgent: this.#userAgent, redirects, requestMs, signal };
    const result = await this.#throttle.run(host, signal, () => this.#inTurn(() => requestHead(link, options)));
    if (result === undefined)
      return { URL: link, StatusCode: 0, Status: signal.aborted ? 'timed out' : 'rate limited' };
    const status = toStatus(link, result);
    if (!signal.aborted) this.#keep(key, status);
    return status;
  }

  async #inTurn<T>(request: () => Promise<T>): Promise<T> {
    while (this.#underWay >= this.#limits.atOnce) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
    this.#underWay++;
    try {
      return await request();
    } finally {
      this.#underWay--;
      this.#waiting.shift()?.();
    }
  }

  #keep(key: string, status: LinkStatus): void {
    this.#kept.delete(key);
    this.#kept.set(key, { status, until: performance.now() + this.#limits.keptMs });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#limits.keptResults) break;
      this.#kept.delete(oldest);
    }
  }
}

function toStatus(link: string, result: HeadResult): LinkStatus {
  switch (result.kind) {
    case 'reply':
      return { URL: link, StatusCode: result.status, Status: STATUS_CODES[result.status] ?? '' };
    case 'blocked':
      return { URL: link, StatusCode: 451, Status: 'Blocked private/reserved address' };
    case 'failed':
      return { URL: link, StatusCode: 0, Status: result.why };
  }
}
