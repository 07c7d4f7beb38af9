import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Tells addresses of the public internet from all others.
 *
 * What is not known to be public is refused: of IPv6 only 2000::/3 is allocated at all, which leaves out loopback,
 * unique local, link-local, site-local and multicast addresses, and the forms that carry an IPv4 address for somebody
 * else to unwrap (IPv4-mapped and -compatible, NAT64 with its well-known prefixes). Inside it 6to4, Teredo and ISATAP
 * do the same and are refused. From the registries of special-purpose addresses (RFC 6890 and later).
 */
const NOT_PUBLIC = new BlockList();
// biome-ignore format: one network per line
for (const [network, bits] of [
  ['0.0.0.0', 8],        // this network
  ['10.0.0.0', 8],       // private
  ['100.64.0.0', 10],    // carrier-grade NAT; a cloud's metadata at 100.100.100.200
  ['127.0.0.0', 8],      // loopback
  ['168.63.129.16', 32], // a cloud's platform service, though the address is public
  ['169.254.0.0', 16],   // link-local; metadata of most clouds
  ['172.16.0.0', 12],    // private
  ['192.0.0.0', 24],     // protocol assignments; a cloud's metadata at 192.0.0.192
  ['192.0.2.0', 24],     // documentation
  ['192.31.196.0', 24],  // AS112
  ['192.52.193.0', 24],  // AMT relays
  ['192.88.99.0', 24],   // 6to4 relays
  ['192.168.0.0', 16],   // private
  ['192.175.48.0', 24],  // AS112
  ['198.18.0.0', 15],    // benchmarks
  ['198.51.100.0', 24],  // documentation
  ['203.0.113.0', 24],   // documentation
  ['224.0.0.0', 4],      // multicast
  ['240.0.0.0', 4],      // reserved, broadcast
] as const) NOT_PUBLIC.addSubnet(network, bits, 'ipv4');

const ALLOCATED = new BlockList();
ALLOCATED.addSubnet('2000::', 3, 'ipv6');

const SPECIAL = new BlockList();
// biome-ignore format: one network per line
for (const [network, bits] of [
  ['2001::', 23],          // protocol assignments: Teredo, ORCHID, benchmarks ...
  ['2001:db8::', 32],      // documentation
  ['2002::', 16],          // 6to4
  ['2620:4f:8000::', 48],  // AS112
  ['3fff::', 20],          // documentation
] as const) SPECIAL.addSubnet(network, bits, 'ipv6');

/** True for an IP address of the public internet; false for every other one, and for what is no address. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false;
  if (isIPv4(address)) return !NOT_PUBLIC.check(address, 'ipv4');
  return ALLOCATED.check(address, 'ipv6') && !SPECIAL.check(address, 'ipv6') && !isIsatap(address);
}

/** Interface identifiers of ISATAP (RFC 5214 §6.1) name an IPv4 address: `0000:5efe` or `0200:5efe` and 32 bits. */
function isIsatap(address: string): boolean {
  // the URL parser writes any spelling in one way, dotted tails included
  const groups = expand(new URL(`http://[${address}]/`).hostname.slice(1, -1));
  return groups[5] === 0x5efe && (groups[4] === 0 || groups[4] === 0x0200);
}

function expand(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<string>(zeros).fill('0'), ...after].map((group) => Number.parseInt(group, 16));
}
