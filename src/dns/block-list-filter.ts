import type { Filter } from '../mail/filter.ts';
import { reversedLabels } from '../mail/ip-address.ts';
import { amend } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
import { isAbsent, type Resolver } from '../mail/resolver.ts';
import { Answers, within } from './answers.ts';
import { type BlockList, judgeAnswer } from './block-list.ts';

export interface BlockListOptions {
  readonly lists: readonly BlockList[];
  /** Refuses mail of listed clients, or takes it with the tag `listed`. */
  readonly action: 'reject' | 'tag';
  readonly resolver: Resolver;
  readonly deadlineMs: number;
  readonly isExempt: (address: string) => boolean;
  readonly report: Reporter;
}

interface Finding {
  /** The first zone that lists the address. */
  readonly zone?: string;
}

const UNKNOWN: Finding = {};
const LISTED_TAG = 'listed';
/** Between the deadline of each list and that of all. */
const SLACK_MS = 100;

/**
 * Asks block lists about clients (RFC 5782), IPv4 and IPv6. The lists are asked when a client connects and heard when it
 * says MAIL; a list that is down, late or does not answer us has no say, and each such change is told once.
 */
export function blockLists({ lists, action, resolver, deadlineMs, isExempt, report }: BlockListOptions): Filter {
  const failing = new Set<string>();
  const works = (zone: string, why = ''): void => {
    if (failing.has(zone) === (why !== '')) return;
    if (why === '') failing.delete(zone);
    else failing.add(zone);
    report({ type: 'block-list', zone, works: why === '', why });
  };
  const isListed = async (labels: string, list: BlockList): Promise<boolean> => {
    try {
      const answers = await resolver.resolve4(`${labels}.${list.zone}`);
      const judged = answers.map((answer) => judgeAnswer(list, answer));
      works(list.zone, judged.includes('refused') ? 'the list refuses to answer' : '');
      return judged.includes('listed');
    } catch (error) {
      works(list.zone, isAbsent(error) ? '' : error instanceof Error ? error.message : String(error));
      return false;
    }
  };
  const lookUp = async (address: string): Promise<Finding> => {
    const labels = reversedLabels(address);
    if (labels === undefined) return UNKNOWN;
    // each by itself: one list that hangs must not cost the others their say
    const found = await Promise.all(lists.map((list) => within(deadlineMs, isListed(labels, list), false)));
    const zone = lists[found.indexOf(true)]?.zone;
    return zone === undefined ? {} : { zone };
  };
  const answers = new Answers(lookUp, UNKNOWN, deadlineMs + SLACK_MS);
  const refuse = (address: string, { zone }: Finding) =>
    zone === undefined
      ? undefined
      : { verdict: { code: 554, enhanced: '5.7.1', text: `${address} is listed at ${zone}` }, reason: 'listed' };

  const begin: Filter = {
    name: 'block-lists',
    whenFailing: 'pass',
    connect(visit) {
      if (!isExempt(visit.client.address)) answers.ask(visit);
      return undefined;
    },
  };
  if (action === 'reject') {
    return {
      ...begin,
      mail(visit) {
        const { address } = visit.client;
        if (isExempt(address)) return undefined;
        const finding = answers.get(visit);
        return finding instanceof Promise ? finding.then((one) => refuse(address, one)) : refuse(address, finding);
      },
    };
  }
  return {
    ...begin,
    async message(visit, message) {
      if (isExempt(visit.client.address)) return undefined;
      const { zone } = await answers.get(visit);
      return zone === undefined
        ? undefined
        : { message: amend(message, { tags: [...(message.tags ?? []), LISTED_TAG] }) };
    },
  };
}
