import { isAbsent, type Resolver } from '../mail/resolver.ts';
import { DnsFailure } from './dns-failure.ts';
import type { Question } from './protocol.ts';

/** Limits of asking DNS about senders; units are in the names. */
export interface LookupLimits {
  /** Records of one answer, and their characters in all; what has more is no answer. */
  readonly records: number;
  readonly answerCharacters: number;
  /** Answers that are remembered, and for how long; failures for less. */
  readonly keptAnswers: number;
  readonly keepMs: number;
  readonly keepFailuresMs: number;
  /** After so many unanswered questions in a row nobody is asked for a while. */
  readonly unanswered: number;
  readonly pauseMs: number;
}

export const LOOKUP_LIMITS: LookupLimits = Object.freeze({
  records: 256,
  answerCharacters: 32 * 1024,
  keptAnswers: 5_000,
  keepMs: 60_000,
  keepFailuresMs: 5_000,
  unanswered: 8,
  pauseMs: 10_000,
});

interface Kept {
  readonly answer: Promise<unknown>;
  readonly until: number;
}

/**
 * Questions to DNS that mails give rise to. The names are a stranger's: what is no name is not asked for. Answers are
 * remembered for a minute, and where DNS does not answer at all only the first questions cost a wait: a daemon without a
 * connection says so at once.
 */
export class Lookups {
  readonly #resolver: Resolver;
  readonly #limits: LookupLimits;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  #unanswered = 0;
  #pausedUntil = 0;

  constructor(resolver: Resolver, limits: Partial<LookupLimits> = {}, now: () => number = Date.now) {
    this.#resolver = resolver;
    this.#limits = { ...LOOKUP_LIMITS, ...limits };
    this.#now = now;
  }

  /** @throws an error with the codes of `node:dns` */
  ask(name: string, type: Question): Promise<unknown> {
    if (!isDnsName(name)) return Promise.reject(new DnsFailure('ENOTFOUND', 'not a name that DNS can have'));
    const key = `${type} ${name.toLowerCase()}`;
    const now = this.#now();
    const known = this.#kept.get(key);
    if (known && known.until > now) return known.answer;
    if (now < this.#pausedUntil) return Promise.reject(new DnsFailure('ETIMEOUT', 'DNS does not answer'));
    const answer = this.#ask(name, type);
    this.#keep(key, answer, this.#limits.keepMs);
    answer.catch((error: unknown) => {
      if (!isAbsent(error)) this.#keep(key, answer, this.#limits.keepFailuresMs);
    });
    return answer;
  }

  #keep(key: string, answer: Promise<unknown>, keepMs: number): void {
    this.#kept.delete(key);
    this.#kept.set(key, { answer, until: this.#now() + keepMs });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#limits.keptAnswers) break;
      this.#kept.delete(oldest);
    }
  }

  async #ask(name: string, type: Question): Promise<unknown> {
    const { records, answerCharacters, unanswered, pauseMs } = this.#limits;
    try {
      const answer = await resolve(this.#resolver, name, type);
      this.#unanswered = 0;
      if (answer.length > records || JSON.stringify(answer).length > answerCharacters) {
        throw new DnsFailure('EBADRESP', `more ${type} records than anyone needs`);
      }
      return answer;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'ETIMEOUT' && code !== 'ECONNREFUSED') this.#unanswered = 0;
      else if (++this.#unanswered >= unanswered) this.#pausedUntil = this.#now() + pauseMs;
      throw error;
    }
  }
}

function resolve(resolver: Resolver, name: string, type: Question): Promise<readonly unknown[]> {
  switch (type) {
    case 'A':
      return resolver.resolve4(name);
    case 'AAAA':
      return resolver.resolve6(name);
    case 'MX':
      return resolver.resolveMx(name);
    case 'TXT':
      return resolver.resolveTxt(name);
    case 'PTR': {
      const address = addressOf(name);
      if (address === undefined) return Promise.reject(new DnsFailure('ENOTFOUND', 'not the name of an address'));
      return resolver.reverse(address);
    }
  }
}

/** The address that a name below in-addr.arpa or ip6.arpa stands for. */
function addressOf(name: string): string | undefined {
  const [, v4, v6] = /^((?:\d{1,3}\.){4})in-addr\.arpa\.?$|^((?:[\da-f]\.){32})ip6\.arpa\.?$/i.exec(name) ?? [];
  if (v4 !== undefined) return v4.split('.').slice(0, 4).reverse().join('.');
  if (v6 === undefined) return undefined;
  const digits = v6.replaceAll('.', '').split('').reverse().join('');
  return digits.match(/.{4}/g)?.join(':');
}

/** Labels of 1 to 63 printable characters, 253 in all: what goes on the wire as it stands. */
function isDnsName(name: string): boolean {
  return name.length <= 253 && /^(?:[!-\-/-~]{1,63}\.)*[!-\-/-~]{1,63}\.?$/.test(name);
}
