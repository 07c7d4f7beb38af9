import type { Filter, MessageOpinion, Opinion, Visit } from '../mail/filter.ts';
import { inboxOf, type Naming } from '../mail/inbox.ts';
import { networkOf } from '../mail/ip-address.ts';
import type { Verdict } from '../mail/sink.ts';
import { AgeingTable } from './ageing-table.ts';
import { TABLE_KEYS, type TrafficLimits } from './limits.ts';
import { Sleepers } from './sleepers.ts';

/**
 * Bounds what one address, one inbox and all clients together may do.
 *
 * Over a soft limit (a share of the hard one) replies are held back, longer the further over and shorter the busier we
 * are; over a hard limit the client is told to come later, and who keeps on is refused at the door. What counts is what
 * was let through, so that an insistent client is slowed to its limit and not locked out by its insistence; what was
 * refused counts as a failure, and failures have a limit of their own.
 */

const MINUTE_MS = 60_000;

/** Counters of an address, in the order of the table. */
const CONNECTIONS = 0;
const MESSAGES = 1;
const BYTES = 2;
const RECIPIENTS = 3;
const FAILURES = 4;
const MEASURES = 5;
/** Counters of an inbox. */
const INBOX_MESSAGES = 0;
const INBOX_BYTES = 1;

/** By how much the connections of an address are cut when few places are left. */
const TIGHT = 5;

/** The key that stands for everybody. */
const ALL = '';
/** Inboxes are known by so much of their name. */
const NAME_CHARACTERS = 128;

const TOO_MANY_CONNECTIONS: Verdict = {
  code: 421,
  enhanced: '4.7.0',
  text: 'Too many connections from you, try again later',
};
const TOO_FAST: Verdict = {
  code: 421,
  enhanced: '4.7.0',
  text: 'Too many connections in a short time, try again later',
};
const TOO_MANY_ERRORS: Verdict = {
  code: 421,
  enhanced: '4.7.0',
  text: 'Too many errors in a short time, try again later',
};
const TOO_MUCH_MAIL: Verdict = { code: 450, enhanced: '4.7.1', text: 'Too much mail in a short time, try again later' };
const TOO_MANY_RECIPIENTS: Verdict = {
  code: 450,
  enhanced: '4.7.1',
  text: 'Too many recipients in a short time, try again later',
};
const INBOX_BUSY: Verdict = { code: 450, enhanced: '4.2.1', text: 'This inbox gets too much mail, try again later' };

/** A refusal at the door. */
export interface TurnedAway {
  readonly verdict: Verdict;
  readonly reason: string;
}

export interface TrafficOptions {
  readonly limits: TrafficLimits;
  /** Addresses that no limit of an address is for. */
  readonly isExempt: (address: string) => boolean;
  readonly naming: Naming;
  readonly now?: () => number;
}

/** See above. One object serves all listeners. */
export class Traffic {
  readonly sleepers: Sleepers;
  readonly #limits: TrafficLimits;
  readonly #isExempt: (address: string) => boolean;
  readonly #naming: Naming;
  /** Connections open by owner; as many entries as there are connections at most. */
  readonly #open = new Map<string, number>();
  readonly #rates: AgeingTable;
  readonly #totals: AgeingTable;
  readonly #inboxes: AgeingTable;
  readonly #hard: readonly { readonly each: number; readonly all: number }[];

  constructor({ limits, isExempt, naming, now }: TrafficOptions) {
    this.#limits = limits;
    this.#isExempt = isExempt;
    this.#naming = naming;
    this.#rates = new AgeingTable(TABLE_KEYS, MEASURES, MINUTE_MS, now);
    this.#totals = new AgeingTable(1, MEASURES, MINUTE_MS, now);
    this.#inboxes = new AgeingTable(TABLE_KEYS, 2, MINUTE_MS, now);
    this.sleepers = new Sleepers(limits.totalTarpits, limits.addressTarpits, (address) => this.#ownerOf(address));
    this.#hard = [
      { each: limits.addressConnectionsPerMinute, all: limits.totalConnectionsPerMinute },
      { each: limits.addressMessagesPerMinute, all: limits.totalMessagesPerMinute },
      { each: limits.addressBytesPerMinute, all: limits.totalBytesPerMinute },
      { each: limits.addressRecipientsPerMinute, all: limits.totalRecipientsPerMinute },
      { each: limits.addressFailuresPerMinute, all: limits.totalFailuresPerMinute },
    ];
  }

  #ownerOf(address: string): string {
    return networkOf(address, this.#limits);
  }

  /**
   * Lets a connection in and counts it, or says why not. `leave` must follow for each that was let in.
   * @param isTight few places are left: who has many connections open already gets no more of them
   */
  enter(address: string, isTight = false): TurnedAway | undefined {
    const isExempt = this.#isExempt(address);
    const owner = this.#ownerOf(address);
    const open = this.#open.get(owner) ?? 0;
    const { addressConnections } = this.#limits;
    const most = isTight ? Math.ceil(addressConnections / TIGHT) : addressConnections;
    if (!isExempt && addressConnections > 0 && open >= most) {
      return { verdict: TOO_MANY_CONNECTIONS, reason: 'connections' };
    }
    if (this.#share(owner, isExempt, FAILURES, 0) >= 1) return { verdict: TOO_MANY_ERRORS, reason: 'failures' };
    if (this.#share(owner, isExempt, CONNECTIONS, 1) > 1) return { verdict: TOO_FAST, reason: 'connection-rate' };
    this.#add(owner, isExempt, CONNECTIONS, 1);
    this.#open.set(owner, open + 1);
    return undefined;
  }

  leave(address: string): void {
    const owner = this.#ownerOf(address);
    const open = this.#open.get(owner) ?? 0;
    if (open <= 1) this.#open.delete(owner);
    else this.#open.set(owner, open - 1);
  }

  /** The part of the limits that is asked inside a session. */
  filter(): Filter {
    return {
      name: 'traffic',
      connect: (visit) => this.#connected(visit),
      mail: (visit) => this.#judge(visit, [MESSAGES, 1, BYTES, 0], TOO_MUCH_MAIL, 'message-rate'),
      rcpt: (visit, _from, to) =>
        this.#judge(visit, [RECIPIENTS, 1], TOO_MANY_RECIPIENTS, 'recipient-rate') ??
        this.#judgeInbox(visit, inboxOf(to.path, this.#naming).inbox),
      message: (visit, message) =>
        this.#arrived(
          visit,
          message.content.bytes,
          message.envelope.to.map(({ path }) => path),
        ),
      failed: (visit, code) => {
        if (code >= 500) this.#failed(visit.client.address);
      },
    };
  }

  #connected({ client: { address } }: Visit): Opinion | undefined {
    const isExempt = this.#isExempt(address);
    const owner = this.#ownerOf(address);
    const { addressConnections } = this.#limits;
    const places = isExempt || addressConnections === 0 ? 0 : (this.#open.get(owner) ?? 0) / addressConnections;
    return this.#pause(Math.max(places, this.#share(owner, isExempt, CONNECTIONS, 0)), 'connection-rate');
  }

  /** @param wanted counters in pairs with how much more of each is about to come */
  #judge(
    { client: { address } }: Visit,
    wanted: readonly number[],
    verdict: Verdict,
    reason: string,
  ): Opinion | undefined {
    const isExempt = this.#isExempt(address);
    const owner = this.#ownerOf(address);
    let share = 0;
    for (let at = 0; at < wanted.length; at += 2) {
      const more = wanted[at + 1]!;
      const part = this.#share(owner, isExempt, wanted[at]!, more);
      // a limit that is met exactly by what comes now is not passed yet; one that was met before is
      if (more > 0 ? part > 1 : part >= 1) {
        this.#failed(address);
        return { verdict, reason };
      }
      share = Math.max(share, part);
    }
    for (let at = 0; at < wanted.length; at += 2) this.#add(owner, isExempt, wanted[at]!, wanted[at + 1]!);
    return this.#pause(share, reason);
  }

  #judgeInbox({ client: { address } }: Visit, name: string): Opinion | undefined {
    const { inboxMessagesPerMinute, inboxBytesPerMinute } = this.#limits;
    if (inboxMessagesPerMinute === 0 && inboxBytesPerMinute === 0) return undefined;
    if (this.#isExempt(address)) return undefined;
    const inbox = name.slice(0, NAME_CHARACTERS);
    const messages =
      inboxMessagesPerMinute && (this.#inboxes.count(inbox, INBOX_MESSAGES) + 1) / inboxMessagesPerMinute;
    const bytes = inboxBytesPerMinute && this.#inboxes.count(inbox, INBOX_BYTES) / inboxBytesPerMinute;
    if (messages > 1 || bytes >= 1) return { verdict: INBOX_BUSY, reason: 'inbox-rate' };
    return this.#pause(Math.max(messages, bytes), 'inbox-rate');
  }

  #arrived(
    { client: { address } }: Visit,
    bytes: number,
    to: readonly Parameters<typeof inboxOf>[0][],
  ): MessageOpinion | undefined {
    this.#add(this.#ownerOf(address), this.#isExempt(address), BYTES, bytes);
    const { inboxMessagesPerMinute, inboxBytesPerMinute } = this.#limits;
    if (inboxMessagesPerMinute === 0 && inboxBytesPerMinute === 0) return undefined;
    for (const inbox of new Set(to.map((path) => inboxOf(path, this.#naming).inbox.slice(0, NAME_CHARACTERS)))) {
      this.#inboxes.add(inbox, INBOX_MESSAGES);
      this.#inboxes.add(inbox, INBOX_BYTES, bytes);
    }
    return undefined;
  }

  #failed(address: string): void {
    this.#add(this.#ownerOf(address), this.#isExempt(address), FAILURES, 1);
  }

  #add(owner: string, isExempt: boolean, measure: number, amount: number): void {
    const { each, all } = this.#hard[measure]!;
    if (each > 0 && !isExempt) this.#rates.add(owner, measure, amount);
    if (all > 0) this.#totals.add(ALL, measure, amount);
  }

  /** How much of a limit is used up when `more` comes: 1 is all of it. */
  #share(owner: string, isExempt: boolean, measure: number, more: number): number {
    const { each, all } = this.#hard[measure]!;
    const own = each > 0 && !isExempt ? (this.#rates.count(owner, measure) + more) / each : 0;
    const everybody = all > 0 ? (this.#totals.count(ALL, measure) + more) / all : 0;
    return Math.max(own, everybody);
  }

  /** Over the soft limit: one, two or three times the tarpit, less the more sleep already. */
  #pause(share: number, reason: string): Opinion | undefined {
    const { softPercent, tarpitMs } = this.#limits;
    const soft = softPercent / 100;
    if (tarpitMs === 0 || soft >= 1 || share <= soft) return undefined;
    const step = Math.min(3, Math.max(1, Math.ceil((3 * (share - soft)) / (1 - soft) - 1e-9)));
    return { delayMs: Math.ceil(step * tarpitMs * (1 - 0.9 * this.sleepers.share)), reason };
  }
}
