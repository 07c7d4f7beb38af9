import type { Path } from '../mail/address.ts';
import type { Recipient } from '../mail/envelope.ts';
import type { Filter, Opinion } from '../mail/filter.ts';
import { inboxOf, type Naming } from '../mail/inbox.ts';
import {
  type AddressPattern,
  type FoldedAddress,
  foldAddress,
  matchesPattern,
  parseAddressPattern,
} from './address-pattern.ts';

/** Patterns by what becomes of what fits them; where something is to be accepted, all else is refused. */
export interface RuleLists {
  readonly accept: readonly string[];
  readonly reject: readonly string[];
  readonly discard: readonly string[];
}

export interface AddressRulesOptions {
  readonly to: RuleLists;
  /** `<>` stands for the null sender, which no other pattern fits. */
  readonly from: RuleLists;
  /** Inboxes that one message may go to; 0 is any number. */
  readonly inboxes: number;
  readonly naming: Naming;
}

type Ruling = 'accept' | 'reject' | 'discard';

const NULL_SENDER = '<>';
/** Of patterns that are as close, the first of these decides. */
const STRICTNESS: readonly Ruling[] = ['reject', 'discard', 'accept'];

const TOO_MANY_INBOXES = refusal(452, '4.5.3', 'Message goes to too many inboxes', 'inboxes');
const DISCARD: Opinion = Object.freeze({ discard: true });
const OF_RECIPIENTS: Readonly<Record<Ruling, Opinion | undefined>> = {
  accept: undefined,
  discard: DISCARD,
  reject: refusal(550, '5.7.1', 'Mail to this address is not taken here', 'recipient'),
};
const OF_SENDERS: Readonly<Record<Ruling, Opinion | undefined>> = {
  accept: undefined,
  discard: DISCARD,
  reject: refusal(550, '5.7.1', 'Mail from this address is not taken here', 'sender'),
};

/**
 * Makes the filter that decides by address; undefined where there is nothing to decide.
 *
 * Of the patterns that fit an address the closest decides, the one in which most characters stand for themselves; of two
 * as close the stricter. `postmaster` is taken (RFC 5321 §4.5.1) unless a pattern names it, and so is the null sender,
 * without which nobody could be told that his mail bounced (§4.5.5).
 */
export function createAddressRules({ to, from, inboxes, naming }: AddressRulesOptions): Filter | undefined {
  const recipients = compile(to);
  const senders = compile(from);
  if (!recipients && !senders && inboxes === 0) return undefined;
  const reach = new Reach(naming, (path) => (recipients?.ruleTo(path) ?? 'accept') === 'accept');
  return {
    name: 'rules',
    ...(senders && { mail: (_visit, { path }) => OF_SENDERS[senders.ruleFrom(path)] }),
    ...((recipients || inboxes > 0) && {
      rcpt: (_visit, _from, { path }, others) => {
        const ruling = recipients?.ruleTo(path) ?? 'accept';
        if (ruling !== 'accept' || inboxes === 0) return OF_RECIPIENTS[ruling];
        const reached = reach.of(others);
        return reached.size < inboxes || reached.has(inboxOf(path, naming).inbox) ? undefined : TOO_MANY_INBOXES;
      },
    }),
  };
}

function refusal(code: number, enhanced: string, text: string, reason: string): Opinion {
  return Object.freeze({ verdict: Object.freeze({ code, enhanced, text }), reason });
}

/** Counts the inboxes that a transaction goes to, looking at each of its recipients once. */
class Reach {
  readonly #naming: Naming;
  readonly #gets: (path: Path) => boolean;
  readonly #counts = new WeakMap<readonly Recipient[], { counted: number; readonly inboxes: Set<string> }>();

  /** @param gets whether a recipient gets anything */
  constructor(naming: Naming, gets: (path: Path) => boolean) {
    this.#naming = naming;
    this.#gets = gets;
  }

  /** The inboxes of a transaction's recipients; the list may have grown since it was asked about. */
  of(recipients: readonly Recipient[]): ReadonlySet<string> {
    const count = this.#counts.get(recipients) ?? { counted: 0, inboxes: new Set<string>() };
    this.#counts.set(recipients, count);
    for (; count.counted < recipients.length; count.counted++) {
      const { path } = recipients[count.counted]!;
      if (this.#gets(path)) count.inboxes.add(inboxOf(path, this.#naming).inbox);
    }
    return count.inboxes;
  }
}

interface Rule {
  readonly ruling: Ruling;
  readonly pattern: AddressPattern;
}

function compile(lists: RuleLists): Rules | undefined {
  return STRICTNESS.some((ruling) => lists[ruling].length > 0) ? new Rules(lists) : undefined;
}

class Rules {
  /** The closest first, of those as close the strictest. */
  readonly #rules: readonly Rule[];
  readonly #otherwise: Ruling;
  readonly #nullSender: Ruling;

  constructor(lists: RuleLists) {
    const rulesOf = (ruling: Ruling): Rule[] =>
      lists[ruling]
        .filter((text) => text !== NULL_SENDER)
        .map((text) => ({ ruling, pattern: parseAddressPattern(text) }));
    this.#rules = STRICTNESS.flatMap(rulesOf).sort((a, b) => b.pattern.weight - a.pattern.weight); // a stable sort
    this.#otherwise = lists.accept.length > 0 ? 'reject' : 'accept';
    this.#nullSender = STRICTNESS.find((ruling) => lists[ruling].includes(NULL_SENDER)) ?? 'accept';
  }

  ruleFrom(path: Path | null): Ruling {
    return path === null ? this.#nullSender : this.#rule(foldAddress(path));
  }

  ruleTo(path: Path): Ruling {
    const address = foldAddress(path);
    if (address.local !== 'postmaster') return this.#rule(address);
    const named = this.#rules.find(({ pattern }) => pattern.local === 'postmaster' && matchesPattern(pattern, address));
    return named?.ruling ?? 'accept';
  }

  #rule(address: FoldedAddress): Ruling {
    return this.#rules.find(({ pattern }) => matchesPattern(pattern, address))?.ruling ?? this.#otherwise;
  }
}
