import type { Server } from 'node:net';
import { formatListenUrl, innerProtocol, type ListenAddress } from '../config/listen-url.ts';
import type { Config } from '../config.ts';
import type { Directory } from '../eurechat/directory.ts';
import type { UserSource } from '../finger/source.ts';
import type { Guard } from '../guarding.ts';
import type { Clients } from '../http/clients.ts';
import type { Context } from '../http/context.ts';
import type { HttpAccess } from '../http-access.ts';
import type { Keep } from '../keep.ts';
import { listenFailure } from '../listen-failure.ts';
import type { Filter } from '../mail/filter.ts';
import type { Reporter } from '../mail/report.ts';
import type { Counts } from '../report/counters.ts';
import type { Metrics } from '../report/metrics.ts';
import type { Seat } from '../seats.ts';
import type { Logins } from '../smtp/session.ts';
import type { Certificates } from '../tls/certificates.ts';
import { type Bound, bindServer, type Place, readyPlace } from '../wire/bind.ts';
import { Listener, type ListenerOptions } from '../wire/listener.ts';
import { Networks } from '../wire/networks.ts';
import type { Proxies } from '../wire/proxied.ts';

/** A listener that is made and does not listen yet. */
export interface Door {
  readonly address: ListenAddress;
  /** Binds and starts to accept; tells where. */
  bind(): Promise<Bound>;
  stop(graceMs: number): Promise<void>;
}

/** What the rest of the daemon gives to doors; each takes what its protocol needs. */
export interface DoorParts {
  readonly config: Config;
  readonly keep: Keep;
  readonly report: Reporter;
  readonly guard: Guard;
  readonly certificates: Certificates | undefined;
  /** May refuse what clients bring mail by at a listener, in this order. */
  readonly filters: (address: ListenAddress) => readonly Filter[];
  readonly logins: Logins | undefined;
  /** Who may read. */
  readonly access: HttpAccess['access'];
  /** Knows the users that finger is asked about in place of the configured source. */
  readonly users: UserSource | undefined;
  /** Who is told of mail, over all listeners of eurechat. */
  readonly directory: Directory;
  readonly clients: Clients;
  readonly counters: () => Counts;
  readonly metrics: Metrics | undefined;
  readonly refusals: Context['refusals'];
  /** Where the daemon listens, once it does. */
  readonly urls: () => readonly string[];
}

/** Makes the door of one listener. */
export type MakeDoor = (address: Seat, parts: DoorParts) => Promise<Door>;

/** The door of a protocol that the machine of `wire/` runs. */
export async function machineDoor(
  address: Seat,
  { config, report }: Pick<DoorParts, 'config' | 'report'>,
  how: Pick<ListenerOptions, 'gate' | 'serve'> & { readonly watch?: (listener: Listener) => void },
): Promise<Door> {
  const proxies = config.proxyFrom.length > 0 ? proxiesOf(config, innerProtocol(address.protocol), report) : undefined;
  const { gate, serve } = how;
  const listener = new Listener({ at: place(address), gate, serve, ...(proxies && { proxies }) });
  await ready(address, () => listener.ready());
  how.watch?.(listener);
  return { address, bind: () => listener.bind(), stop: (graceMs) => listener.stop(graceMs) };
}

/** The door of a server of Node.js. */
export async function serverDoor(address: Seat, server: Server, close: () => Promise<void>): Promise<Door> {
  const at = await ready(address, () => readyPlace(place(address)));
  return { address, bind: () => bindServer(server, at), stop: close };
}

/** The URL of a door that is open. */
export function urlOf(address: ListenAddress, bound: Bound): string {
  return formatListenUrl(
    'path' in bound ? { protocol: address.protocol, ...bound } : { protocol: address.protocol, ...bound },
  );
}

function proxiesOf({ proxyFrom }: Config, protocol: string, report: Reporter): Proxies {
  const refused = (address: string, why: string): void => {
    const text = `PROXY header refused: ${why}`;
    const facts = { phase: 'connect', reason: 'proxy', filter: 'proxy', code: 421, text } as const;
    report({ type: 'refusal', protocol: protocol.toUpperCase(), session: '', address, ...facts });
  };
  return { networks: new Networks(proxyFrom), refused };
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
