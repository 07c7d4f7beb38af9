import type { Query } from '../../mail/query.ts';
import type { ListQuery } from '../../mail/store.ts';
import { between, countersOf, countOf, countTo, isEmpty, type Listing, type Walk } from './listing.ts';
import type { Condition } from './search.ts';

export interface Count {
  readonly matches: number;
  readonly unreadMatches: number;
}

/** What was counted once. */
interface Known {
  readonly revision: number;
  /** Every message up to this seq is counted. */
  readonly upTo: number;
  readonly messages: number;
  readonly unread: number;
}

type Get = (statement: Condition) => Record<string, unknown> | undefined;

/** Searches whose counts are remembered. */
const KEPT = 200;
const NOTHING = { messages: 0, unread: 0 };

/**
 * Counts what a search finds. Who asks for the same again, as clients do that wait for a mail, shall not have a million
 * messages counted each time: as long as none have gone or changed, only those that have come since are. Of these only
 * what the index knows already is remembered, since of others it is not known yet what they hold.
 */
export class Counts {
  readonly #get: Get;
  readonly #known = new Map<string, Known>(); // least recently asked first

  constructor(get: Get) {
    this.#get = get;
  }

  /** Counts no further than to `most`, and less far where more than the index has to be asked. */
  some({ all }: Listing, most: number): { matches: number; isMore?: boolean } {
    const counted = this.#counted(all);
    if (counted) return { matches: counted.messages };
    let matches = 0;
    for (const walk of all) {
      if (isEmpty(walk)) continue;
      const end = Math.max(matches, Math.ceil(most / costOf(walk)));
      matches += this.#numbers(countTo(walk, end + 1 - matches)).messages;
      if (matches > end) return { matches: end, isMore: true };
    }
    return { matches };
  }

  all({ all }: Listing, query: ListQuery): Count {
    const sums = this.#counted(all) ?? this.#remembered(all, query);
    return { matches: sums.messages, unreadMatches: sums.unread };
  }

  /** What is counted as it comes and goes. */
  #counted(walks: readonly Walk[]): typeof NOTHING | undefined {
    const counters = walks.map(countersOf);
    if (!counters.every((counter) => counter !== undefined)) return undefined;
    return sum(counters.map((counter) => this.#numbers(counter)));
  }

  #remembered(walks: readonly Walk[], { inbox, query, scope, before }: ListQuery): typeof NOTHING {
    const totals = this.#get({ sql: 'SELECT revision, indexed_to AS upTo FROM totals', values: [] });
    const [revision, upTo] = [Number(totals?.revision), Number(totals?.upTo)];
    const key = JSON.stringify([inbox, query, scope, before]);
    const kept = isLasting(query) ? this.#known.get(key) : undefined;
    const known = kept?.revision === revision && kept.upTo <= upTo ? kept : { upTo: 0, ...NOTHING };
    const settled = sum([known, ...walks.map((walk) => this.#count(between(walk, known.upTo, upTo + 1)))]);
    this.#known.delete(key);
    if (isLasting(query)) this.#known.set(key, { revision, upTo, ...settled });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(oldest);
    }
    return sum([settled, ...walks.map((walk) => this.#count(between(walk, upTo, Number.POSITIVE_INFINITY)))]);
  }

  #count(walk: Walk): typeof NOTHING {
    return isEmpty(walk) ? NOTHING : this.#numbers(countOf(walk));
  }

  #numbers(statement: Condition): typeof NOTHING {
    const row = this.#get(statement);
    return { messages: Number(row?.messages ?? 0), unread: Number(row?.unread ?? 0) };
  }
}

/** What it takes to count one more, against what it takes where the index alone is asked. */
function costOf({ condition }: Walk): number {
  if (condition === undefined) return 1;
  return condition.isSlow ? 100 : 5;
}

function sum(counts: readonly (typeof NOTHING)[]): typeof NOTHING {
  return counts.reduce(
    (all, { messages, unread }) => ({ messages: all.messages + messages, unread: all.unread + unread }),
    NOTHING,
  );
}

/** False for what changes without a new revision: verification is found out after each arrival. */
function isLasting(query: Query | undefined): boolean {
  switch (query?.kind) {
    case 'and':
    case 'or':
      return query.parts.every(isLasting);
    case 'not':
      return isLasting(query.part);
    case 'is':
      return query.what !== 'verified' && query.what !== 'pending';
    default:
      return query?.kind !== 'result';
  }
}
