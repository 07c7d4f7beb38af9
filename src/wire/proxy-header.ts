import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { crc32c } from './crc32c.ts';

/**
 * The PROXY protocol, versions 1 and 2: a load balancer's word on who is behind a connection, said before anything else.
 *
 * A header is taken for what it is or refused; nothing is guessed. What it says of the connection's own end is checked
 * and not kept, and of what may be attached (TLVs) only the checksum is looked at.
 */

/** What a header says; `address` is undefined where the connection is the balancer's own (LOCAL, UNKNOWN). */
export type ProxiedPeer =
  | { readonly address: string; readonly port: number }
  | { readonly address: undefined; readonly port: undefined };

/** What the octets so far are: a header of so many octets, the beginning of one, or none. */
export type ProxyHeader =
  | { readonly state: 'complete'; readonly bytes: number; readonly peer: ProxiedPeer }
  | { readonly state: 'partial' }
  | { readonly state: 'bad'; readonly why: string };

/** The longest header of version 1, CR LF included. */
const V1_BYTES = 107;
/** The longest header of version 2 that is taken; its length field could say 64 KiB. */
const V2_BYTES = 16 + 4096;
const V1_START = Buffer.from('PROXY ');
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_HEAD_BYTES = 16;

const PARTIAL: ProxyHeader = Object.freeze({ state: 'partial' });
const OWN: ProxiedPeer = Object.freeze({ address: undefined, port: undefined });

function bad(why: string): ProxyHeader {
  return { state: 'bad', why };
}

/** Reads a header at the start of what has arrived. Never throws; looks at no more octets than a header may have. */
export function readProxyHeader(octets: Buffer): ProxyHeader {
  if (startsAs(octets, V1_START)) return octets.length < V1_START.length ? PARTIAL : readV1(octets);
  if (startsAs(octets, V2_START)) return octets.length < V2_HEAD_BYTES ? PARTIAL : readV2(octets);
  return bad('it starts with no PROXY header');
}

/** True if octets are the beginning of a start, or go on behind it. */
function startsAs(octets: Buffer, start: Buffer): boolean {
  const count = Math.min(octets.length, start.length);
  return octets.compare(start, 0, count, 0, count) === 0;
}

function readV1(octets: Buffer): ProxyHeader {
  const line = octets.subarray(0, V1_BYTES);
  const end = line.indexOf('\r\n');
  if (end < 0) return octets.length < V1_BYTES ? PARTIAL : bad('it is longer than 107 octets');
  const text = line.toString('latin1', 0, end);
  const bytes = end + 2;
  if (/^PROXY UNKNOWN(?: |$)/.test(text)) return { state: 'complete', bytes, peer: OWN };
  const [, family, from = '', to = '', fromPort = '', toPort = '', ...more] = text.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined;
  if (!isAddress) return bad('its protocol is none of TCP4, TCP6, UNKNOWN');
  if (!isAddress(from) || !isAddress(to)) return bad(`its addresses are not of ${family}`);
  if (!isPort(fromPort) || !isPort(toPort) || more.length > 0) return bad('its ports are not two numbers up to 65535');
  const address = family === 'TCP6' ? shortest(from) : from;
  return { state: 'complete', bytes, peer: { address, port: Number(fromPort) } };
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

/** Address families of version 2, with TCP and UDP: octets of both addresses with their ports. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 12, 2: 36, 3: 216 };
const UNIX = 3;

function readV2(octets: Buffer): ProxyHeader {
  const versionAndCommand = octets[12]!;
  const familyAndTransport = octets[13]!;
  const bytes = V2_HEAD_BYTES + octets.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2) return bad('its version is not 2');
  const command = versionAndCommand & 15;
  if (command > 1) return bad('its command is neither LOCAL nor PROXY');
  if (bytes > V2_BYTES) return bad(`it is longer than ${V2_BYTES} octets`);
  if (octets.length < bytes) return PARTIAL;
  const family = familyAndTransport >> 4;
  const transport = familyAndTransport & 15;
  if (family > 3 || transport > 2) return bad('its address family or transport is not known');
  const addressBytes = ADDRESS_BYTES[family] ?? 0;
  const header = octets.subarray(0, bytes);
  // of LOCAL the family and addresses mean nothing, and may be missing; a UNIX socket there is no address here
  const isLocal = command === 0 || family === 0 || family === UNIX;
  if (command === 1 && bytes < V2_HEAD_BYTES + addressBytes) return bad('it is too short for its addresses');
  if (!isLocal && transport !== 1) return bad('its transport is no stream');
  const wrong = command === 0 ? undefined : checkAttached(header, V2_HEAD_BYTES + addressBytes);
  if (wrong !== undefined) return bad(wrong);
  return { state: 'complete', bytes, peer: isLocal ? OWN : peerOf(family, header) };
}

function peerOf(family: number, header: Buffer): ProxiedPeer {
  const start = V2_HEAD_BYTES;
  if (family === 1) {
    return { address: [...header.subarray(start, start + 4)].join('.'), port: header.readUInt16BE(start + 8) };
  }
  const groups = Array.from({ length: 8 }, (_, index) => header.readUInt16BE(start + index * 2).toString(16));
  return { address: shortest(groups.join(':')), port: header.readUInt16BE(start + 32) };
}

/** An IPv6 address as RFC 5952 spells it: one client has one address, however a balancer writes it. */
function shortest(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

const TLV_HEAD_BYTES = 3;
const TLV_CRC32C = 3;

/** Walks over what is attached behind the addresses; says what is wrong with it. */
function checkAttached(header: Buffer, from: number): string | undefined {
  for (let at = from; at < header.length; ) {
    if (at + TLV_HEAD_BYTES > header.length) return 'something attached to it is cut off';
    const type = header[at]!;
    const start = at + TLV_HEAD_BYTES;
    const end = start + header.readUInt16BE(at + 1);
    if (end > header.length) return 'something attached to it is cut off';
    if (type === TLV_CRC32C) {
      if (end - start !== 4) return 'its checksum is not of 4 octets';
      const without = Buffer.from(header);
      without.fill(0, start, end);
      if (crc32c(without) !== header.readUInt32BE(start)) return 'its checksum is wrong';
    }
    at = end;
  }
  return undefined;
}
