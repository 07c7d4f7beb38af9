import type { Filter, Opinion } from '../mail/filter.ts';
import { addressOctets } from '../mail/ip-address.ts';
import { isAbsent, type Resolver } from '../mail/resolver.ts';
import type { Verdict } from '../mail/sink.ts';
import { Answers } from './answers.ts';

export interface ReverseNameOptions {
  /** Refuses clients without a confirmed name, for which the DNS must have said that there is none (RFC 7372: 5.7.25). */
  readonly required: boolean;
  readonly resolver: Resolver;
  readonly deadlineMs: number;
  readonly isExempt: (address: string) => boolean;
}

interface Finding {
  readonly name?: string;
  /** The DNS says that there is no name which points back; absent when nobody knows. */
  readonly hasNone?: true;
}

const UNKNOWN: Finding = {};
const NONE: Finding = { hasNone: true };
const NO_NAME: Verdict = { code: 550, enhanced: '5.7.25', text: 'Your address has no name that points back to it' };
/** Names of one address that are tried. */
const NAMES = 5;

/**
 * Finds the name of a client that its address points to and that points back to it, as its owner alone can have it. The
 * name stands with what the client brings. DNS that is down, late or slow changes nothing.
 */
export function confirmReverseNames({ required, resolver, deadlineMs, isExempt }: ReverseNameOptions): Filter {
  const pointsTo = async (name: string, address: string): Promise<boolean> => {
    const wanted = addressOctets(address)!.join();
    const addresses = await (wanted.split(',').length === 4 ? resolver.resolve4(name) : resolver.resolve6(name));
    return addresses.some((one) => addressOctets(one)?.join() === wanted);
  };
  const lookUp = async (address: string): Promise<Finding> => {
    if (!addressOctets(address)) return UNKNOWN;
    let isSure = true;
    const none = (error: unknown): [] => {
      isSure &&= isAbsent(error);
      return [];
    };
    const names = await resolver.reverse(address).catch(none);
    for (const name of names.slice(0, NAMES)) {
      const confirmed = await pointsTo(name, address).catch((error: unknown) => none(error).length > 0);
      if (confirmed && /^[\w.-]{1,253}$/.test(name)) return { name: name.toLowerCase().replace(/\.$/, '') };
    }
    return isSure ? NONE : UNKNOWN;
  };
  const answers = new Answers(lookUp, UNKNOWN, deadlineMs);
  const judge = ({ name, hasNone }: Finding): Opinion | undefined => {
    if (name !== undefined) return { clientName: name };
    return required && hasNone ? { verdict: NO_NAME, reason: 'no-reverse-name' } : undefined;
  };
  return {
    name: 'reverse-names',
    whenFailing: 'pass',
    connect(visit) {
      answers.ask(visit);
      return undefined;
    },
    mail(visit) {
      if (required && isExempt(visit.client.address)) return undefined;
      const finding = answers.get(visit);
      return finding instanceof Promise ? finding.then(judge) : judge(finding);
    },
  };
}
