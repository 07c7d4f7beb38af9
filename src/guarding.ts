import type { InnerProtocol } from './config/listen-url.ts';
import type { Config } from './config/settings.ts';
import { parseBlockList } from './dns/block-list.ts';
import { blockLists } from './dns/block-list-filter.ts';
import { confirmReverseNames } from './dns/reverse-name-filter.ts';
import { createGate, type GateParts } from './gate.ts';
import type { GuardLimits } from './guard/limits.ts';
import { type Level, Load } from './guard/load.ts';
import { refuseLoops } from './guard/loops.ts';
import { repeatedSubjects } from './guard/repeated-subjects.ts';
import { Traffic } from './guard/traffic.ts';
import type { Filter } from './mail/filter.ts';
import type { Reporter } from './mail/report.ts';
import type { Resolver } from './mail/resolver.ts';
import type { SmtpLimits } from './smtp/limits.ts';
import type { PreparedServices } from './smtp/session.ts';
import type { Gate, Listener } from './wire/listener.ts';
import { Places } from './wire/listener.ts';
import { isThisMachine, Networks } from './wire/networks.ts';
import type { Sleepers } from './wire/sleep.ts';

/** What keeps clients within bounds, made of a configuration; what is off in there costs nothing. */
export interface Guard {
  readonly sleepers: Sleepers;
  gate(protocol: InnerProtocol, how: Pick<GateParts, 'isSilent' | 'say'>): Gate;
  /** Asked before anybody else's filters, and those asked behind them, when a message is there. */
  filters(protocol: Protocol): { readonly before: readonly Filter[]; readonly behind: readonly Filter[] };
  /** Limits of the sessions of a protocol. */
  limits(protocol: Protocol, limits: SmtpLimits): SmtpLimits;
  /** Has a listener's clients get less time while the daemon is strained. */
  watch(services: PreparedServices, listener: Listener): void;
  start(): void;
  stop(): void;
}

type Protocol = 'smtp' | 'lmtp';

/** Connections whose PROXY header has not come yet, over all listeners; no more than half of all places either. */
const MOST_WAITING = 1024;
/** How often clients that are slow are looked at while the daemon is strained. */
const HURRY_MS = 10_000;

export function createGuard(config: Config, resolver: Resolver, report: Reporter): Guard {
  const places = new Places(config.maxConnections);
  const waiting = new Places(Math.min(MOST_WAITING, Math.ceil(config.maxConnections / 2)));
  const exempt = new Networks(config.exempt);
  const isExempt = (address: string): boolean => exempt.has(address) || (address === 'local' && isThisMachine(address));
  const traffic = new Traffic({ limits: config, isExempt, naming: config.naming });
  const watched: { readonly services: PreparedServices; readonly listener: Listener; readonly calm: SmtpLimits }[] = [];
  let hurrying: NodeJS.Timeout | undefined;

  const hurryAll = (): void => {
    for (const { listener } of watched) listener.hurry((config.strainedBytesPerSecond * HURRY_MS) / 1000);
  };
  const changed = (level: Level): void => {
    const isStrained = level !== 'calm';
    for (const { services, calm } of watched) services.limits = isStrained ? strained(calm, config) : calm;
    clearInterval(hurrying);
    if (!isStrained) return;
    hurrying = setInterval(hurryAll, HURRY_MS);
    hurrying.unref();
    hurryAll();
  };
  const load = new Load({ limits: config, places: () => places.share, report, changed });

  const { blockLists: zones, blockListAction: action, reverseNames, clientDnsMs: deadlineMs } = config;
  const askingDns: Filter[] = [];
  if (zones.length > 0) {
    const lists = zones.map((zone) => parseBlockList(zone)!);
    askingDns.push(blockLists({ lists, action, resolver, deadlineMs, isExempt, report }));
  }
  if (reverseNames !== 'off') {
    askingDns.push(confirmReverseNames({ required: reverseNames === 'require', resolver, deadlineMs, isExempt }));
  }

  /** LMTP is spoken by one's own mail server, which has many clients' mail in few connections. */
  const tightFrom = config.strainPercent > 0 ? config.strainPercent / 100 : 1;
  const countsTraffic = (protocol: InnerProtocol): boolean => protocol !== 'lmtp' && boundsTraffic(config);
  return {
    sleepers: traffic.sleepers,
    gate: (protocol, how) =>
      createGate({
        ...how,
        protocol,
        places,
        waiting,
        tightFrom,
        load,
        report,
        ...(countsTraffic(protocol) && { traffic }),
      }),
    filters(protocol) {
      const before: Filter[] = [];
      const behind: Filter[] = [];
      if (watchesLoad(config)) before.push(load.filter());
      if (countsTraffic(protocol)) before.push(traffic.filter());
      if (protocol === 'smtp') before.push(...askingDns);
      if (config.receivedFields > 0) behind.push(refuseLoops(config.receivedFields));
      if (config.subjectRepeats > 0 || config.subjectMessagesPerMinute > 0) {
        const banned = (what: string, milliseconds: number): void =>
          report({ type: 'ban', kind: 'subject', what, milliseconds });
        behind.push(repeatedSubjects({ limits: config, isExempt, banned }));
      }
      return { before, behind };
    },
    limits(protocol, limits) {
      if (protocol === 'lmtp') return limits;
      const { sessionMessages, sessionBytes, sessionMs, greetWaitMs } = config;
      return { ...limits, sessionMessages, sessionBytes, sessionMs, greetWaitMs };
    },
    watch(services, listener) {
      watched.push({ services, listener, calm: services.limits });
    },
    start() {
      if (watchesLoad(config)) load.start();
    },
    stop() {
      load.stop();
      clearInterval(hurrying);
    },
  };
}

/** Less time for commands, and the first error ends the session. */
function strained(calm: SmtpLimits, { strainedCommandMs }: GuardLimits): SmtpLimits {
  return { ...calm, commandMs: Math.min(calm.commandMs, strainedCommandMs), failuresBeforeCut: 1 };
}

function watchesLoad({ lagMs, memoryBytes, strainPercent }: GuardLimits): boolean {
  return lagMs > 0 || memoryBytes > 0 || strainPercent > 0;
}

/** True if any limit on addresses, totals or inboxes is set. */
function boundsTraffic(limits: GuardLimits): boolean {
  return Object.entries(limits).some(
    ([name, limit]) => /^(?:address|total|inbox)/.test(name) && !/Tarpits$/.test(name) && limit > 0,
  );
}
