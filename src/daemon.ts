import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server as TlsServer } from 'node:tls';
import { Hasher } from './auth/hasher.ts';
import { AUTH_LIMITS } from './auth/limits.ts';
import { Card, type CardFacts } from './card.ts';
import { formatListenUrl, innerProtocol, isEncrypted, type ListenAddress, parseServer } from './config/listen-url.ts';
import { type Config, type ConfigInput, completeConfig } from './config.ts';
import { createResolver } from './dns/resolver.ts';
import { encryptHttp, encryptMail, isHttpsOnly, openCertificates } from './encryption.ts';
import type { UserSource } from './finger/source.ts';
import { requireFingerHere, serveFinger } from './fingers.ts';
import { createAddressRules } from './guard/address-rules.ts';
import { createGuard, type Guard } from './guarding.ts';
import { Clients } from './http/clients.ts';
import type { Context } from './http/context.ts';
import { createHttpServer } from './http/server.ts';
import { type HttpAccess, openHttpAccess } from './http-access.ts';
import { listenFailure } from './listen-failure.ts';
import { lmtp, lmtpTlsRequired } from './lmtp/table.ts';
import { openLogins } from './logins.ts';
import { Chaos } from './mail/chaos.ts';
import { countingSpool, createMemorySpool, createSpool, type Spool } from './mail/content.ts';
import type { Filter } from './mail/filter.ts';
import type { Refusal, Reporter } from './mail/report.ts';
import type { Resolver } from './mail/resolver.ts';
import type { Sink } from './mail/sink.ts';
import type { Store } from './mail/store.ts';
import { serveMaildrops, turnAway } from './maildrops.ts';
import { type Counts, createCounters } from './report/counters.ts';
import { createMetrics, type Metrics } from './report/metrics.ts';
import { type Seat, seatSockets } from './seats.ts';
import { discard } from './sinks/discard.ts';
import { loadSink } from './sinks/load.ts';
import { createMaildirSink } from './sinks/maildir.ts';
import { createPipeSink } from './sinks/pipe.ts';
import { createStoreSink } from './sinks/store.ts';
import { SMTP_LIMITS, type SmtpLimits } from './smtp/limits.ts';
import { type Logins, prepare, Session } from './smtp/session.ts';
import { mailinator, smtp, smtpTlsRequired } from './smtp/table.ts';
import { createFreeSpace, type FreeSpace } from './store/free-space.ts';
import { spoolDirectory } from './store/sqlite/layout.ts';
import { createSqliteStore } from './store/sqlite/store.ts';
import { mtaStsPolicy } from './sts-policy.ts';
import type { PassedSocket } from './system/passed-sockets.ts';
import type { Certificates } from './tls/certificates.ts';
import { fingerprintOf } from './tls/identity.ts';
import { startVerifying } from './verifying.ts';
import { VERSION } from './version.ts';
import { type Bound, bindServer, type Place, readyPlace } from './wire/bind.ts';
import { Connection } from './wire/connection.ts';
import { Listener, type ListenerOptions, type Origin } from './wire/listener.ts';
import { Networks } from './wire/networks.ts';
import type { Peer } from './wire/peer.ts';
import type { Proxies } from './wire/proxied.ts';

/**
 * The composition root: a Config becomes store, sink and listeners, started in that order and stopped in reverse.
 * A new protocol, store or sink is one folder and one line here.
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

/** A listener that is made and does not listen yet. */
interface Door {
  readonly address: ListenAddress;
  /** Binds and starts to accept; tells where. */
  bind(): Promise<Bound>;
  stop(graceMs: number): Promise<void>;
}

/**
 * Starts a daemon in this process.
 * @param input any part of the configuration; the rest has its defaults. `listen: 'smtp://127.0.0.1:0'` picks a free port
 * @throws ConfigError, or an Error whose `code` is one of START_ERRORS, for everything that keeps it from starting
 */
export async function createDaemon(input: ConfigInput = {}, parts: DaemonParts = {}): Promise<Daemon> {
  const config = completeConfig(input);
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
  try {
    const hasher = new Hasher(AUTH_LIMITS);
    const listen = seatSockets(config.listen, parts.sockets ?? []);
    const http = await openHttpAccess({ ...config, listen }, report, hasher);
    const logins = await openLogins(config, report, hasher);
    const rules = openRules(config);
    const certificates = await openCertificates({ ...config, listen }, report, parts.sink === undefined);
    undo.push(async () => certificates?.stop());
    const servers = config.dnsServer === '' ? [] : [config.dnsServer];
    const resolver = parts.resolver ?? createResolver({ servers, deadlineMs: DNS_MS });
    const keep = await openKeep(config, { ...parts, resolver }, report, undo);
    if (listen.some(({ protocol }) => innerProtocol(protocol) === 'http')) {
      metrics = createMetrics({ version: VERSION, stats: () => keep.store.stats() });
    }
    const named: { protocol: string; url: string }[] = [];
    const urls = (): string[] => named.map(({ url }) => url);
    const guard = createGuard(config, resolver, report);
    undo.push(async () => guard.stop());
    const clients = new Clients({
      connections: config.httpMaxConnections,
      connectionsPerClient: config.httpClientConnections,
      requestsPerMinute: config.httpClientRequests,
      heldPerClient: config.httpClientHeld,
    });
    const doors: Door[] = [];
    for (const address of listen) {
      const door =
        innerProtocol(address.protocol) === 'http'
          ? await makeHttpDoor(address, config, {
              ...http,
              keep,
              report,
              counters: counters.counts,
              refusals,
              urls,
              metrics,
              certificates,
              clients,
            })
          : innerProtocol(address.protocol) === 'pop3'
            ? await makeMaildropDoor(address, config, { keep, report, guard, access: http.access, certificates })
            : innerProtocol(address.protocol) === 'finger'
              ? await makeFingerDoor(address, config, { keep, report, guard, users: parts.users })
              : await makeMailDoor(address, config, {
                  keep,
                  report,
                  guard,
                  logins,
                  filters: [...(rules ? [rules] : []), ...(parts.filters ?? [])],
                  certificates,
                });
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
      certificates?.stop();
      guard.stop();
      await card?.remove();
      await keep.close();
    };
    return {
      config,
      listeners: named,
      store: keep.store,
      fingerprint: certificates?.areOwn ? fingerprintOf(certificates.identities[0]!) : undefined,
      reload: async () => certificates?.reload(),
      stop: ({ graceMs = config.graceMs } = {}) => (stopped ??= stop(graceMs)),
    };
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/** Where messages go: store, sink, and the spool that holds content on its way. */
interface Keep {
  readonly store: Store;
  readonly sink: Sink;
  readonly spool: Spool;
  readonly space: FreeSpace;
  readonly chaos: Chaos | undefined;
  /** The data folder, or `:memory:`. */
  readonly directory: string;
  close(): Promise<void>;
}

async function openKeep(
  config: Config,
  parts: DaemonParts & { readonly resolver: Resolver },
  report: Reporter,
  undo: (() => Promise<void>)[],
): Promise<Keep> {
  const stores = !parts.sink && config.sink.kind === 'store';
  const directory = stores ? config.data : ':memory:';
  const { naming, keepPerInbox, keepBytesPerInbox, keepBytes, keepAgeMs } = config;
  const bounds = { keepPerInbox, keepBytesPerInbox, keepBytes, keepAgeMs };
  const store = await createSqliteStore({ directory, naming, ...bounds, report });
  undo.push(() => store.close());
  const stopped = new AbortController();
  const stopSink = async (): Promise<void> => stopped.abort(new Error('the daemon stops'));
  const chosen = parts.sink ?? (await chooseSink(config, { store, report, stop: stopped.signal }));
  undo.push(stopSink);
  const verifying = startVerifying(config, {
    sink: chosen,
    store: stores ? store : undefined,
    resolver: parts.resolver,
    report,
  });
  undo.push(() => verifying.close());
  const { spool, remove } = await chooseSpool(config, parts, directory);
  undo.push(remove);
  const space = createFreeSpace(!parts.sink && config.sink.kind === 'maildir' ? config.sink.path : directory, store);
  undo.push(async () => space.stop());
  return {
    store,
    sink: verifying.sink,
    spool,
    space,
    chaos: config.chaos ? new Chaos() : undefined,
    directory,
    close: async () => {
      space.stop();
      await stopSink();
      await verifying.close();
      await store.close();
      await remove();
    },
  };
}

interface SinkParts {
  readonly store: Store;
  readonly report: Reporter;
  /** The daemon stops and waits for no message any more. */
  readonly stop: AbortSignal;
}

async function chooseSink(config: Config, { store, report, stop }: SinkParts): Promise<Sink> {
  switch (config.sink.kind) {
    case 'store':
      return createStoreSink(store);
    case 'discard':
      return discard;
    case 'maildir':
      return createMaildirSink(config.sink.path, config.hostname);
    case 'pipe': {
      const { pipeTimeoutMs: runMs, pipeProcesses: processes, pipeQueue: waiting, hostname } = config;
      const { command } = config.sink;
      return createPipeSink({ command, hostname, limits: { runMs, processes, waiting }, report, stop });
    }
    case 'module':
      return loadSink(config.sink.path);
  }
}

/** The store's spool lies beside its content, so that a large message is renamed into place; other sinks get a folder of their own. */
async function chooseSpool(
  config: Config,
  parts: DaemonParts,
  directory: string,
): Promise<{ spool: Spool; remove: () => Promise<void> }> {
  const remove = async (): Promise<void> => {};
  // who sent it is read off the content, even where nothing is kept
  const isRead = config.verify === 'enforce';
  if (!parts.sink && config.sink.kind === 'discard' && !isRead) return { spool: countingSpool, remove };
  if (directory !== ':memory:') return { spool: createSpool({ directory: spoolDirectory(directory) }), remove };
  if (!parts.sink && config.sink.kind === 'store') return { spool: createMemorySpool(), remove };
  const own = await mkdtemp(join(tmpdir(), 'inboxd-spool-'));
  return { spool: createSpool({ directory: own }), remove: () => rm(own, { recursive: true, force: true }) };
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

interface MailParts {
  readonly keep: Keep;
  readonly report: Reporter;
  readonly guard: Guard;
  readonly filters: readonly Filter[];
  readonly logins: Logins | undefined;
  readonly certificates: Certificates | undefined;
}

async function makeMailDoor(address: Seat, config: Config, parts: MailParts): Promise<Door> {
  const { keep, report, guard, filters, logins, certificates } = parts;
  const protocol = innerProtocol(address.protocol) === 'lmtp' ? 'lmtp' : 'smtp';
  const isLmtp = protocol === 'lmtp';
  const { access: tls, starttls } = encryptMail(address, config, certificates);
  const { before, behind } = guard.filters(protocol);
  const limits: SmtpLimits = {
    ...SMTP_LIMITS,
    contentBytes: config.maxMessageBytes,
    recipients: config.maxRecipients,
    commandMs: config.commandTimeoutMs,
    dataMs: config.dataTimeoutMs,
    sinkMs: config.sinkTimeoutMs,
  };
  const services = prepare({
    protocol: isLmtp ? 'LMTP' : 'SMTP',
    hostname: config.hostname,
    limits: guard.limits(protocol, limits),
    sink: keep.sink,
    spool: keep.spool,
    report,
    bareNewlines: config.bareNewlines,
    lenientSyntax: config.lenientSyntax,
    starttls: starttls !== 'off',
    room: () => keep.space.room(),
    chaos: keep.chaos,
    filters: [...before, ...filters, ...behind],
    sleepers: guard.sleepers,
    ...(logins && { logins }),
    ...(config.xclientFrom.length > 0 && { trusted: new Networks(config.xclientFrom) }),
  });
  const serve = (peer: Peer, { address: from, port }: Origin) => {
    const session = new Session(services, from, port);
    if (starttls === 'required') return new Connection(peer, isLmtp ? lmtpTlsRequired : smtpTlsRequired, session, tls);
    if (isLmtp) return new Connection(peer, lmtp, session, tls);
    if (config.profile === 'mailinator') return new Connection(peer, mailinator, session, tls);
    return new Connection(peer, smtp, session, tls);
  };
  // no word of ours would be understood before the handshake, and that is not worth one
  const gate = guard.gate(protocol, { isSilent: tls?.implicit === true });
  const listener = listenerOf(address, config, report, { gate, serve });
  guard.watch(services, listener);
  return doorOf(address, listener);
}

function listenerOf(
  address: Seat,
  config: Config,
  report: Reporter,
  { gate, serve }: Pick<ListenerOptions, 'gate' | 'serve'>,
): Listener {
  const protocol = innerProtocol(address.protocol);
  const proxies = config.proxyFrom.length > 0 ? proxiesOf(config, protocol, report) : undefined;
  return new Listener({ at: place(address), gate, serve, ...(proxies && { proxies }) });
}

async function doorOf(address: Seat, listener: Listener): Promise<Door> {
  await ready(address, () => listener.ready());
  return { address, bind: () => listener.bind(), stop: (graceMs) => listener.stop(graceMs) };
}

type MaildropDoorParts = Pick<MailParts, 'keep' | 'report' | 'guard' | 'certificates'> & Pick<HttpAccess, 'access'>;

async function makeMaildropDoor(address: Seat, config: Config, parts: MaildropDoorParts): Promise<Door> {
  const { keep, report, guard, access, certificates } = parts;
  const { access: tls, starttls: stls } = encryptMail(address, config, certificates);
  const { sleepers } = guard;
  const serve = serveMaildrops(config, { store: keep.store, access, sleepers, report, tls, stls });
  const gate = guard.gate('pop3', { isSilent: tls?.implicit === true, say: turnAway });
  return doorOf(address, listenerOf(address, config, report, { gate, serve }));
}

interface FingerParts {
  readonly keep: Keep;
  readonly report: Reporter;
  readonly guard: Guard;
  readonly users: UserSource | undefined;
}

async function makeFingerDoor(address: Seat, config: Config, parts: FingerParts): Promise<Door> {
  const { keep, report, guard, users } = parts;
  if (!users) requireFingerHere(address, formatListenUrl(address), config);
  const serve = serveFinger(config, { store: keep.store, report, source: users });
  const gate = guard.gate('finger', { isSilent: true }); // it has no words for that
  return doorOf(address, listenerOf(address, config, report, { gate, serve }));
}

/** The filter that decides by addresses; undefined where none is configured. */
function openRules(config: Config): Filter | undefined {
  const { acceptTo, rejectTo, discardTo, acceptFrom, rejectFrom, discardFrom, maxInboxes: inboxes, naming } = config;
  const to = { accept: acceptTo, reject: rejectTo, discard: discardTo };
  const from = { accept: acceptFrom, reject: rejectFrom, discard: discardFrom };
  return createAddressRules({ to, from, inboxes, naming });
}

function proxiesOf({ proxyFrom }: Config, protocol: string, report: Reporter): Proxies {
  const refused = (address: string, why: string): void => {
    const text = `PROXY header refused: ${why}`;
    const facts = { phase: 'connect', reason: 'proxy', filter: 'proxy', code: 421, text } as const;
    report({ type: 'refusal', protocol, session: '', address, ...facts });
  };
  return { networks: new Networks(proxyFrom), refused };
}

interface HttpParts extends HttpAccess {
  readonly keep: Keep;
  readonly report: Reporter;
  readonly counters: () => Counts;
  readonly refusals: Context['refusals'];
  readonly urls: () => readonly string[];
  readonly metrics: Metrics | undefined;
  readonly certificates: Certificates | undefined;
  readonly clients: Clients;
}

async function makeHttpDoor(address: Seat, config: Config, parts: HttpParts): Promise<Door> {
  const { keep, report, access, counters, refusals, metrics, urls: listeners, certificates, clients } = parts;
  const { hostname, naming, corsOrigins: allowedOrigins } = config;
  const isSecure = isEncrypted(address.protocol);
  const server: ReturnType<typeof createHttpServer> = createHttpServer({
    ...(isSecure && certificates && { tls: encryptHttp(certificates, () => server.server as unknown as TlsServer) }),
    onlyHttps: isHttpsOnly(config, certificates),
    store: keep.store,
    submit: keep.sink,
    spool: keep.spool,
    sendBytes: config.maxMessageBytes,
    sinkMs: config.sinkTimeoutMs,
    spamd: parseServer(config.spamd),
    chaos: keep.chaos,
    version: VERSION,
    hostname,
    naming,
    report,
    allowedOrigins,
    access,
    clients,
    counters,
    refusals,
    listeners,
    ...(metrics && { metrics }),
    ...(config.mtaSts.length > 0 && { mtaSts: mtaStsPolicy(config) }),
  });
  const at = await ready(address, () => readyPlace(place(address)));
  await server.ready();
  return { address, bind: () => bindServer(server.server, at), stop: () => server.close() };
}

async function ready<T>(address: ListenAddress, work: () => Promise<T>): Promise<T> {
  return work().catch((error: unknown) => {
    throw listenFailure(address, error);
  });
}

function place(address: Seat): Place {
  const { fd } = address;
  const bound = address.path === undefined ? { host: address.host, port: address.port } : { path: address.path };
  return fd === undefined ? bound : { ...bound, fd };
}

function urlOf(address: ListenAddress, bound: Bound): string {
  return formatListenUrl(
    'path' in bound ? { protocol: address.protocol, ...bound } : { protocol: address.protocol, ...bound },
  );
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
