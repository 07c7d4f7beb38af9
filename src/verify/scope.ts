import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Client, Message } from '../mail/message.ts';
import type { Facts } from './protocol.ts';

/** Networks in which a client is one of us, or a relay that hides who is: SPF says nothing about those. */
const PRIVATE = new BlockList();
// biome-ignore format: one network per line
for (const [network, bits] of [
  ['10.0.0.0', 8],     // RFC 1918
  ['100.64.0.0', 10],  // carrier-grade NAT, RFC 6598
  ['127.0.0.0', 8],    // loopback
  ['169.254.0.0', 16], // link-local
  ['172.16.0.0', 12],  // RFC 1918
  ['192.168.0.0', 16], // RFC 1918
] as const) PRIVATE.addSubnet(network, bits, 'ipv4');
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/**
 * True if it is worth asking who sent a message: it came by mail, from a client that is not one of us. Who logged in is
 * known, and what was made here by HTTP too.
 * @param includesPrivate clients on this machine and in private networks as well
 */
export function isAsked({ client, protocol }: Message, includesPrivate: boolean): boolean {
  if (protocol === 'HTTP' || client.login !== undefined) return false;
  return includesPrivate || !isPrivate(client.address);
}

function isPrivate(address: string): boolean {
  const bare = plainAddress(address);
  return bare === '' || PRIVATE.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}

/** What there is to know about a message beside its content. */
export function factsOf(mailFrom: string, client: Client): Facts {
  return { mailFrom, hello: client.hello, address: plainAddress(client.address) };
}

/** An IPv4 address mapped into IPv6 as what it is, and no zone; '' for what is no address, as a UNIX socket's. */
function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/, '').replace(/^::ffff:(?=[\d.]+$)/i, '');
  return isIP(bare) === 0 ? '' : bare;
}
