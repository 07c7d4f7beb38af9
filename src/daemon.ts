import { Hasher } from './auth/hasher.ts';
import { AUTH_LIMITS } from './auth/limits.ts';
import { Card, type CardFacts } from './card.ts';
import { innerProtocol } from './config/listen-url.ts';
import { type Config, type ConfigInput, completeConfig } from './config.ts';
import { createResolver } from './dns/resolver.ts';
import { type Door, type DoorParts, urlOf } from './doors/door.ts';
import { DOORS } from './doors/table.ts';
import { openCertificates } from './encryption.ts';
import { StartError } from './errors.ts';
import type { UserSource } from './finger/source.ts';
import { createAddressRules } from './guard/address-rules.ts';
import { createGuard } from './guarding.ts';
import { Clients } from './http/clients.ts';
import type { Context } from './http/context.ts';
import { type HttpAccess, openHttpAccess } from './http-access.ts';
import { type Keep, openKeep } from './keep.ts';
import { listenFailure } from './listen-failure.ts';
import { openLogins } from './logins.ts';
import type { Filter } from './mail/filter.ts';
import type { Refusal, Reporter } from './mail/report.ts';
import type { Resolver } from './mail/resolver.ts';
import type { Sink } from './mail/sink.ts';
import type { Store } from './mail/store.ts';
import { openMilters } from './milters.ts';
import { createDirectory } from './noticing.ts';
import { createCounters } from './report/counters.ts';
import type { Metrics } from './report/metrics.ts';
import { startResponding } from './responding.ts';
import { seatSockets } from './seats.ts';
import type { PassedSocket } from './system/passed-sockets.ts';
import type { Certificates } from './tls/certificates.ts';
import { fingerprintOf } from './tls/identity.ts';
import { VERSION } from './version.ts';
import type { Bound } from './wire/bind.ts';

/**
 * The composition root: a Config becomes store, sink and listeners, started in that order and stopped in reverse.
 * A new protocol is one folder and one line in `doors/table.ts`, a new store or sink one folder and one line in `keep.ts`.
 */

/** What a program that embeds the daemon may bring instead of the configured. */
export interface DaemonParts {
  /** Is told of everything that happens. */
  readonly report?: Reporter;
  /** Disposes of messages in place of the configured sink. */
  readonly sink?: Sink;
  /** Rights that the program has for binding alone, and gives up before the first client is heard. */
  readonly rights?: BindingRights;
  /** May refuse what clients of SMTP and LMTP say, asked in this order. */
  readonly filters?: readonly Filter[];
  /** Sockets that listen already and take the place of listeners. */
  readonly sockets?: readonly PassedSocket[];
  /** Knows the users that finger is asked about in place of the configured source. */
  readonly users?: UserSource;
  /** Asks DNS in place of the system's resolver. */
  readonly resolver?: Resolver;
}

/** What only binding needs of the rights a program was started with. */
export interface BindingRights {
  /** Takes them up, right before listeners bind. */
  use(): void;
  /** Gives them up for good. */
  giveUp(): void;
}

export interface Daemon {
  readonly config: Config;
  /** Where it really listens, in the order of the configuration; port 0 has become a real one. */
  readonly listeners: readonly { readonly protocol: string; readonly url: string }[];
  /** What is kept, when the sink is `store`; else an empty store in memory. */
  readonly store: Store;
  /** SHA-256 fingerprint of the certificate that the daemon made for itself, if it uses one. */
  readonly fingerprint: string | undefined;
  /** Reads again what lies in files of its own, such as certificates. What cannot be used is reported, and the old stays. */
  reload(): Promise<void>;
  /** Stops accepting, lets transactions in flight finish within the grace period, writes what waits and closes. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}

/** Longest wait for one answer of the DNS. */
const DNS_MS = 5_000;

/**
 * Starts a daemon in this process.
 * @param input any part of the configuration; the rest has its defaults. `listen: 'smtp://127.0.0.1:0'` picks a free port
 * @throws ConfigError, or an Error whose `code` is one of START_ERRORS, for everything that keeps it from starting
 */
export async function createDaemon(input: ConfigInput = {}, parts: DaemonParts = {}): Promise<Daemon> {
  const config = completeConfig(input);
  if (parts.sink) refuseWebhooks(config);
  const counters = createCounters();
  let metrics: Metrics | undefined;
  const refusalListeners = new Set<(refusal: Refusal) => void>();
  const refusals: Context['refusals'] = (listener) => {
    refusalListeners.add(listener);
    return () => void refusalListeners.delete(listener);
  };
  const report: Reporter = (one) => {
    counters.report(one);
    metrics?.report(one);
    parts.report?.(one);
    if (one.type === 'refusal') for (const tell of refusalListeners) tell(one);
  };
  const undo: (() => Promise<void>)[] = [];
  let opening: Promise<Keep> | undefined;
  try {
    const servers = config.dnsServer === '' ? [] : [config.dnsServer];
    const resolver = parts.resolver ?? createResolver({ servers, deadlineMs: DNS_MS });
    const listen = seatSockets(config.listen, parts.sockets ?? []);
    // the thread of the store needs longest to begin; meanwhile there are modules to load and files to read
    opening = openKeep(config, { sink: parts.sink, resolver }, report, undo);
    const protocols = listen.map(({ protocol }) => innerProtocol(protocol));
    const loading = Promise.all([
      Promise.all(protocols.map((protocol) => DOORS[protocol]())),
      protocols.includes('http') ? import('./report/metrics.ts') : undefined,
    ]);
    for (const failed of [opening, loading]) failed.catch(() => {}); // is thrown below, if nothing else is
    const hasher = new Hasher(AUTH_LIMITS);
    const http = await openHttpAccess({ ...config, listen }, report, hasher);
    const logins = await openLogins(config, report, hasher);
    const rules = openRules(config);
    const certificates = await openCertificates({ ...config, listen }, report, parts.sink === undefined);
    undo.push(async () => certificates?.stop());
    const keep = await opening;
    const [makers, metering] = await loading;
    if (metering) {
      const { store, webhooks } = keep;
      metrics = metering.createMetrics({
        version: VERSION,
        stats: () => store.stats(),
        webhooks: () => webhooks.list(),
      });
    }
    const inbox = parts.sink ? undefined : keep.store;
    const responders = await startResponding(config, { store: inbox, directory: keep.directory, report });
    undo.push(async () => responders?.close());
    const named: { protocol: string; url: string }[] = [];
    const urls = (): string[] => named.map(({ url }) => url);
    const guard = createGuard(config, resolver, report);
    undo.push(async () => guard.stop());
    const directory = createDirectory(config, keep.store, report);
    undo.push(async () => directory.close());
    const clients = new Clients({
      connections: config.httpMaxConnections,
      connectionsPerClient: config.httpClientConnections,
      requestsPerMinute: config.httpClientRequests,
      heldPerClient: config.httpClientHeld,
    });
    const milters = await openMilters(config, { spool: keep.spool, report, rules });
    const doorParts: DoorParts = {
      config,
      keep,
      report,
      guard,
      certificates,
      filters: (address) => [...(rules ? [rules] : []), ...milters(address), ...(parts.filters ?? [])],
      logins,
      access: http.access,
      users: parts.users,
      directory,
      clients,
      counters: counters.counts,
      metrics,
      refusals,
      urls,
    };
    const doors: Door[] = [];
    for (const [place, address] of listen.entries()) {
      const door = await makers[place]!(address, doorParts);
      undo.push(() => door.stop(0));
      doors.push(door);
    }
    named.push(...(await openDoors(doors, parts.rights)));
    for (const { protocol, url } of named) report({ type: 'listening', protocol, url });
    guard.start();
    const card =
      keep.directory === ':memory:' ? undefined : new Card(keep.directory, () => cardOf(http, named, certificates));
    undo.push(async () => card?.remove());
    await card?.write();
    certificates?.onChange(() => {
      card?.write().catch((error: unknown) => report({ type: 'crash', where: 'card', error }));
    });

    let stopped: Promise<void> | undefined;
    const stop = async (graceMs: number): Promise<void> => {
      await Promise.all(doors.map((door) => door.stop(graceMs)));
      directory.close();
      certificates?.stop();
      guard.stop();
      await card?.remove();
      await responders?.close();
      await keep.close();
    };
    return {
      config,
      listeners: named,
      store: keep.store,
      fingerprint: certificates?.areOwn ? fingerprintOf(certificates.identities[0]!) : undefined,
      async reload() {
        keep.webhooks.reload();
        await certificates?.reload();
      },
      stop: ({ graceMs = config.graceMs } = {}) => (stopped ??= stop(graceMs)),
    };
  } catch (error) {
    await opening?.catch(() => {}); // what it has opened is in `undo` then
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/**
 * Binds every listener and gives up the rights for that, all before the event loop lets a client in. Sockets in the file
 * system are bound without them, so that their files belong to whom the daemon runs as.
 * @throws the first failure; what was bound stays for the caller to stop
 */
async function openDoors(doors: readonly Door[], rights: BindingRights | undefined): Promise<Daemon['listeners']> {
  const bind = async (door: Door): Promise<Bound> => {
    try {
      return await door.bind();
    } catch (error) {
      throw listenFailure(door.address, error);
    }
  };
  const isFile = ({ address }: Door): boolean => address.path !== undefined;
  const results = new Map<Door, PromiseSettledResult<Bound>>();
  const bindAll = async (these: readonly Door[]): Promise<void> => {
    const settled = await Promise.allSettled(these.map(bind));
    for (const [index, door] of these.entries()) results.set(door, settled[index]!);
  };
  await bindAll(doors.filter(isFile));
  rights?.use();
  await bindAll(doors.filter((door) => !isFile(door)));
  rights?.giveUp();
  return doors.map((door) => {
    const result = results.get(door)!;
    if (result.status === 'rejected') throw result.reason;
    return { protocol: door.address.protocol, url: urlOf(door.address, result.value) };
  });
}

/** They live of the store, which a sink of the program's own goes past. */
function refuseWebhooks({ webhooks, webhookUrls }: Config): void {
  if (webhooks.length + webhookUrls.length === 0) return;
  throw new StartError('CONFIG_CONFLICT', 'webhooks need the sink store, and the program brings a sink of its own');
}

/** The filter that decides by addresses; undefined where none is configured. */
function openRules(config: Config): Filter | undefined {
  const { acceptTo, rejectTo, discardTo, acceptFrom, rejectFrom, discardFrom, maxInboxes: inboxes, naming } = config;
  const to = { accept: acceptTo, reject: rejectTo, discard: discardTo };
  const from = { accept: acceptFrom, reject: rejectFrom, discard: discardFrom };
  return createAddressRules({ to, from, inboxes, naming });
}

/** What other commands on this machine need to find the daemon, and to know that it is the one. */
function cardOf(
  { localToken: token }: HttpAccess,
  listeners: Daemon['listeners'],
  certificates: Certificates | undefined,
): Omit<CardFacts, 'pid'> {
  return {
    listeners,
    ...(token !== '' && { token }),
    ...(certificates &&
      listeners.some(({ protocol }) => protocol === 'https') && {
        fingerprints: certificates.identities.map(fingerprintOf),
      }),
  };
}
