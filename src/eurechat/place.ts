import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { addressOctets } from '../mail/ip-address.ts';

/**
 * Where an endpoint listens, and the client that said so.
 *
 * BIND has us connect where a client wants, which must not make us a scanner of ports or a way into networks that the
 * client cannot reach itself. Therefore an endpoint is at the very address that its client's connection comes from,
 * written as numbers (a name could mean something else the next time), and at no port that only root may listen on.
 */
export interface Place {
  readonly address: string;
  readonly port: number;
  /** Address of the client as its connection has it; `local` for a UNIX socket. */
  readonly source: string;
}

const LOWEST_PORT = 1024;
const HIGHEST_PORT = 65_535;
/** A client on a UNIX socket is on this machine. */
const LOOPBACK = ['127.0.0.1', '::1'];

/** Reads the argument of BIND, `addr port`; undefined if nobody may be called there. */
export function parsePlace(arg: string, source: string): Place | undefined {
  const [address = '', port = '', ...more] = arg.split(' ');
  if (more.length > 0 || !/^[1-9]\d{3,4}$/.test(port)) return undefined;
  const place = { address: canonical(address) ?? '', port: Number(port), source };
  return mayCall(place) ? place : undefined;
}

/** Whether a place is its client's own; asked again before every call. */
export function mayCall({ address, port, source }: Place): boolean {
  return (
    Number.isInteger(port) && port >= LOWEST_PORT && port <= HIGHEST_PORT && ownAddresses(source).includes(address)
  );
}

function ownAddresses(source: string): readonly string[] {
  if (source === 'local') return LOOPBACK;
  const octets = addressOctets(source);
  // a listener for both families sees an IPv4 client at ::ffff:a.b.c.d
  const own = octets?.length === 4 ? octets.join('.') : canonical(source);
  return own === undefined ? [] : [own];
}

/** An address in its one form; undefined for what is none, and for one with a scope. */
function canonical(address: string): string | undefined {
  if (isIPv4(address)) return address;
  return isIPv6(address) && !address.includes('%') ? new SocketAddress({ address, family: 'ipv6' }).address : undefined;
}
