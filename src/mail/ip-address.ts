import { isIPv4, isIPv6 } from 'node:net';

/**
 * IP addresses as sockets and the DNS write them. An IPv4 address mapped into IPv6 (`::ffff:192.0.2.1`, as sockets that
 * listen for both give it) is the IPv4 address everywhere here. A scope (`%eth0`) is left out.
 */

/** The octets of an address, 4 or 16; undefined for what is none, such as the `local` of a UNIX socket. */
export function addressOctets(address: string): Uint8Array | undefined {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  if (!isIPv6(address)) return undefined;
  const octets = ipv6Octets(address);
  return isMapped(octets) ? octets.subarray(12) : octets;
}

function ipv6Octets(address: string): Uint8Array {
  const bare = address.split('%', 1)[0]!;
  const [head = '', tail] = bare.split('::');
  const before = wordsOf(head);
  const after = tail === undefined ? [] : wordsOf(tail);
  const words = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255]));
}

function wordsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((word) => {
    if (!word.includes('.')) return [Number.parseInt(word, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = word.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

function isMapped(octets: Uint8Array): boolean {
  return octets.subarray(0, 10).every((octet) => octet === 0) && octets[10] === 255 && octets[11] === 255;
}

/**
 * The labels of an address backwards, as zones of the DNS have them: octets of IPv4 in decimal (RFC 1035 §3.5), nibbles
 * of IPv6 in hexadecimal (RFC 3596 §2.5), e.g. `1.2.0.192`.
 */
export function reversedLabels(address: string): string | undefined {
  const octets = addressOctets(address);
  if (!octets) return undefined;
  const labels =
    octets.length === 4
      ? Array.from(octets, String)
      : Array.from(octets, (octet) => [(octet >> 4).toString(16), (octet & 15).toString(16)]).flat();
  return labels.reverse().join('.');
}

/** The name whose PTR records say what an address is called. */
export function reverseName(address: string): string | undefined {
  const labels = reversedLabels(address);
  if (labels === undefined) return undefined;
  return `${labels}.${addressOctets(address)!.length === 4 ? 'in-addr' : 'ip6'}.arpa`;
}

/** True for an address of this machine's own loopback, and for a UNIX socket. */
export function isLoopback(address: string): boolean {
  const octets = addressOctets(address);
  if (!octets) return true;
  if (octets.length === 4) return octets[0] === 127;
  return octets[15] === 1 && octets.subarray(0, 15).every((octet) => octet === 0);
}

/** Which part of an address stands for its owner: a prefix of so many bits. */
export interface Prefixes {
  readonly ipv4Bits: number;
  readonly ipv6Bits: number;
}

/**
 * The network that an address is counted by, e.g. `192.0.2.1/32` or `20010db800000001/64`; what is no address (a UNIX
 * socket) stands for itself.
 */
export function networkOf(address: string, { ipv4Bits, ipv6Bits }: Prefixes): string {
  if (ipv4Bits === 32 && isIPv4(address)) return address;
  const octets = addressOctets(address);
  if (!octets) return address;
  const isV4 = octets.length === 4;
  const bits = isV4 ? ipv4Bits : ipv6Bits;
  if (isV4 && bits === 32) return octets.join('.');
  const kept = octets.slice(0, Math.ceil(bits / 8));
  const rest = bits % 8;
  if (rest !== 0) kept[kept.length - 1]! &= 0xff << (8 - rest);
  return isV4 ? `${kept.join('.')}/${bits}` : `${Buffer.from(kept).toString('hex')}/${bits}`;
}
