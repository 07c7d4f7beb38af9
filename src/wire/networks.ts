import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** A set of networks, such as `192.0.2.0/24`, `2001:db8::/32` or a single address. */
export class Networks {
  readonly #list = new BlockList();

  /** @param networks in the form that `parseNetwork` knows */
  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const network = parseNetwork(text);
      if (!network) throw new Error(`${text} is no network`);
      this.#list.addSubnet(network.address, network.bits, network.family);
    }
  }

  /** True if an address is in one of them; an IPv4 address may be written as IPv6 does. What is no address is in none. */
  has(address: string): boolean {
    if (isIPv4(address)) return this.#list.check(address, 'ipv4');
    const plain = address.split('%', 1)[0]!;
    return isIPv6(plain) && this.#list.check(plain, 'ipv6');
  }
}

interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Reads an address with or without `/bits`; undefined if it is none. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', length, ...more] = text.split('/');
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) && !address.includes('%') ? 'ipv6' : undefined;
  if (!family || more.length > 0) return undefined;
  const most = family === 'ipv4' ? 32 : 128;
  if (length === undefined) return { address, bits: most, family };
  return /^\d{1,3}$/.test(length) && Number(length) <= most ? { address, bits: Number(length), family } : undefined;
}

const LOOPBACK = new Networks(['127.0.0.0/8', '::1']);

/** True if what comes from an address has not left this machine: loopback, or `local` for a UNIX socket. */
export function isThisMachine(address: string): boolean {
  return address === 'local' || LOOPBACK.has(address);
}
