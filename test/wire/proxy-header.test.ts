import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/wire/crc32c.ts';
import { readProxyHeader } from '../../src/wire/proxy-header.ts';
import { createRandom, pick } from '../support/random.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const v1 = (line: string) => Buffer.from(`${line}\r\n`, 'latin1');
/** A header of version 2: command and version, family and transport, and what follows. */
const v2 = (command: number, family: number, ...parts: readonly (Buffer | readonly number[])[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));
  const head = Buffer.from([command, family, body.length >> 8, body.length & 255]);
  return Buffer.concat([SIGNATURE, head, body]);
};
const IPV4 = [192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x67, 0, 25];
const IPV6 = [
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x12, 0x67, 0, 25],
];
const tlv = (type: number, ...value: readonly number[]) => [type, value.length >> 8, value.length & 255, ...value];

const GOOD: readonly (readonly [string, Buffer, string | undefined, number | undefined])[] = [
  ['TCP4', v1('PROXY TCP4 192.0.2.7 198.51.100.1 4711 25'), '192.0.2.7', 4711],
  ['TCP6', v1('PROXY TCP6 2001:db8::7 2001:db8::1 4711 25'), '2001:db8::7', 4711],
  ['TCP6 as nobody should spell it', v1('PROXY TCP6 2001:DB8:0:0::0007 ::1 4711 25'), '2001:db8::7', 4711],
  [
    'the longest TCP6',
    v1(`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535`),
    `${'ffff:'.repeat(7)}ffff`,
    65535,
  ],
  ['port 0', v1('PROXY TCP4 192.0.2.7 198.51.100.1 0 0'), '192.0.2.7', 0],
  ['UNKNOWN', v1('PROXY UNKNOWN'), undefined, undefined],
  ['UNKNOWN with whatever, 107 octets', v1(`PROXY UNKNOWN ${'f'.repeat(91)}`), undefined, undefined],
  ['version 2, IPv4', v2(0x21, 0x11, IPV4), '192.0.2.7', 4711],
  ['version 2, IPv6', v2(0x21, 0x21, IPV6), '2001:db8::7', 4711],
  ['version 2, LOCAL', v2(0x20, 0x00), undefined, undefined],
  ['version 2, LOCAL with addresses', v2(0x20, 0x11, IPV4), undefined, undefined],
  ['version 2, LOCAL with junk', v2(0x20, 0x11, [1, 2, 3]), undefined, undefined],
  ['version 2, a family that is not said', v2(0x21, 0x00), undefined, undefined],
  ['version 2, a UNIX socket', v2(0x21, 0x31, Buffer.alloc(216)), undefined, undefined],
  [
    'version 2 with TLVs',
    v2(0x21, 0x11, IPV4, tlv(0x01, 104, 50), tlv(0x02, 97), tlv(0x20, 1, 0, 0, 0, 0), tlv(0x04, 0)),
    '192.0.2.7',
    4711,
  ],
  ['version 2 of 4 KiB', v2(0x21, 0x11, IPV4, tlv(0x04, ...Array<number>(4096 - 12 - 3).fill(0))), '192.0.2.7', 4711],
  [
    'version 2 with its checksum',
    checked(v2(0x21, 0x21, IPV6, tlv(0x03, 0, 0, 0, 0), tlv(0x02, 97))),
    '2001:db8::7',
    4711,
  ],
];

const BAD: readonly (readonly [string, Buffer])[] = [
  ['no addresses', v1('PROXY TCP4')],
  ['nothing', v1('PROXY ')],
  ['one address', v1('PROXY TCP4 192.0.2.7')],
  ['no ports', v1('PROXY TCP4 192.0.2.7 198.51.100.1')],
  ['one port', v1('PROXY TCP4 192.0.2.7 198.51.100.1 4711')],
  ['three ports', v1('PROXY TCP4 192.0.2.7 198.51.100.1 4711 25 1')],
  ['a blank at the end', v1('PROXY TCP4 192.0.2.7 198.51.100.1 4711 25 ')],
  ['two blanks', v1('PROXY TCP4  192.0.2.7 198.51.100.1 4711 25')],
  ['a tab', v1('PROXY TCP4\t192.0.2.7 198.51.100.1 4711 25')],
  ['lower case', v1('PROXY tcp4 192.0.2.7 198.51.100.1 4711 25')],
  ['UDP', v1('PROXY UDP4 192.0.2.7 198.51.100.1 4711 25')],
  ['IPv6 called IPv4', v1('PROXY TCP4 2001:db8::7 2001:db8::1 4711 25')],
  ['IPv4 called IPv6', v1('PROXY TCP6 192.0.2.7 198.51.100.1 4711 25')],
  ['leading zeros in an address', v1('PROXY TCP4 192.000.002.007 198.51.100.1 4711 25')],
  ['a zone', v1('PROXY TCP6 fe80::1%eth0 2001:db8::1 4711 25')],
  ['a host name', v1('PROXY TCP4 localhost 198.51.100.1 4711 25')],
  ['leading zeros in a port', v1('PROXY TCP4 192.0.2.7 198.51.100.1 04711 25')],
  ['a port too high', v1('PROXY TCP4 192.0.2.7 198.51.100.1 65536 25')],
  ['a negative port', v1('PROXY TCP4 192.0.2.7 198.51.100.1 -1 25')],
  ['a bare LF in it', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\nEHLO x\r\n')],
  ['a NUL in it', v1('PROXY TCP4 192.0.2.7\0 198.51.100.1 4711 25')],
  ['108 octets', v1(`PROXY UNKNOWN ${'f'.repeat(92)}`)],
  ['a line without end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
  ['SMTP', Buffer.from('EHLO x.test\r\n')],
  ['TLS', Buffer.from([0x16, 3, 1, 2, 0])],
  ['another signature', Buffer.from('\r\n\r\n\0\r\nQUIT\r', 'latin1')],
  ['version 1 in version 2', v2(0x11, 0x11, IPV4)],
  ['version 3', v2(0x31, 0x11, IPV4)],
  ['another command', v2(0x22, 0x11, IPV4)],
  ['another family', v2(0x21, 0x41, IPV4)],
  ['another transport', v2(0x21, 0x13, IPV4)],
  ['UDP in version 2', v2(0x21, 0x12, IPV4)],
  ['too short for IPv4', v2(0x21, 0x11, IPV4.slice(0, 11))],
  ['too short for IPv6', v2(0x21, 0x21, IPV4)],
  ['too short for a UNIX socket', v2(0x21, 0x31, IPV6)],
  ['longer than 4 KiB', v2(0x21, 0x11, Buffer.alloc(4097))],
  ['64 KiB announced', Buffer.concat([SIGNATURE, Buffer.from([0x21, 0x11, 0xff, 0xff])])],
  ['half a TLV', v2(0x21, 0x11, IPV4, [4, 0])],
  ['a TLV that goes on past the end', v2(0x21, 0x11, IPV4, [4, 0, 9, 1])],
  ['a wrong checksum', v2(0x21, 0x11, IPV4, tlv(0x03, 1, 2, 3, 4))],
  ['a checksum of three octets', v2(0x21, 0x11, IPV4, tlv(0x03, 1, 2, 3))],
];

/** Fills the checksum of a header in, whose place is zero. */
function checked(header: Buffer): Buffer {
  const at = header.indexOf(Buffer.from([3, 0, 4, 0, 0, 0, 0]));
  header.writeUInt32BE(crc32c(header), at + 3);
  return header;
}

describe('a PROXY header', () => {
  it.each(GOOD)('is %s', (_name, header, address, port) => {
    const bytes = header.length;
    expect(readProxyHeader(header)).toEqual({ state: 'complete', bytes, peer: { address, port } });
    // what follows is not looked at, and what has not come yet is waited for
    expect(readProxyHeader(Buffer.concat([header, Buffer.from('\r\nEHLO x\r\n')]))).toMatchObject({ bytes });
    for (let at = 0; at < bytes; at++) {
      expect(readProxyHeader(header.subarray(0, at)), `${at} octets`).toEqual({ state: 'partial' });
    }
  });

  it.each(BAD)('PROXY and XCLIENT: is not one with %s, however it is cut', (_name, header) => {
    expect(readProxyHeader(header)).toMatchObject({ state: 'bad', why: expect.stringMatching(/^[ -~]+$/) });
    for (let at = 0; at < header.length; at++) {
      expect(readProxyHeader(header.subarray(0, at)).state).not.toBe('complete');
    }
  });

  const everyHeader = [...GOOD, ...BAD].map(([, header]) => header);

  it('PROXY and XCLIENT: mutated in any way is a header, the beginning of one, or none; never an exception', () => {
    const random = createRandom(1107);
    for (let round = 0; round < 50_000; round++) {
      const octets = Buffer.from(pick(random, everyHeader));
      for (let changes = 1 + random() * 3; changes > 0; changes--) {
        const at = Math.floor(random() * Math.min(octets.length, 60));
        octets[at] = Math.floor(random() * 256);
      }
      const cut = octets.subarray(0, Math.floor(random() * (octets.length + 1)));
      const header = readProxyHeader(random() < 0.5 ? octets : cut);
      if (header.state === 'complete' && header.peer.address !== undefined) {
        expect(header.peer.address).toMatch(/^[0-9a-f.:]{2,45}$/);
        expect(header.peer.port).toBeLessThan(65_536);
        expect(header.bytes).toBeLessThanOrEqual(16 + 4096);
      }
    }
  });
});

describe('CRC-32C', () => {
  // RFC 3720 appendix B.4
  it.each([
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, n) => n)), 0x46dd794e],
    [Buffer.from('123456789'), 0xe3069283],
  ])('of %j', (octets, sum) => expect(crc32c(octets)).toBe(sum));
});
