import { describe, expect, it } from 'vitest';
import { addressOctets, isLoopback, networkOf, reversedLabels, reverseName } from '../../src/mail/ip-address.ts';

const USUAL = { ipv4Bits: 32, ipv6Bits: 64 };

describe('an IP address', () => {
  it.each([
    ['192.0.2.1', [192, 0, 2, 1]],
    ['::ffff:192.0.2.1', [192, 0, 2, 1]],
    ['::ffff:c000:201', [192, 0, 2, 1]],
    ['::', new Array(16).fill(0)],
    ['::1', [...new Array(15).fill(0), 1]],
    ['2001:db8::8a2e:370:7334', [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0x8a, 0x2e, 3, 0x70, 0x73, 0x34]],
    ['fe80::1%eth0', [0xfe, 0x80, ...new Array(13).fill(0), 1]],
    ['64:ff9b::192.0.2.33', [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 33]],
  ])('%s has its octets', (address, octets) => {
    expect([...addressOctets(address)!]).toEqual(octets);
  });

  it.each(['local', '', '192.0.2', '192.0.2.256', '1::2::3', 'example.test'])('is not %j', (text) => {
    expect(addressOctets(text)).toBeUndefined();
  });

  it('is written backwards as the DNS wants it', () => {
    expect(reversedLabels('192.0.2.99')).toBe('99.2.0.192');
    expect(reverseName('::ffff:192.0.2.99')).toBe('99.2.0.192.in-addr.arpa');
    expect(reverseName('2001:db8::567:89ab')).toBe(
      'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    );
    expect(reverseName('local')).toBeUndefined();
  });

  it.each([
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', true],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
  ])('%s is counted together with %s: %s', (one, other, together) => {
    expect(networkOf(one, USUAL) === networkOf(other, USUAL)).toBe(together);
  });

  it('is counted by any prefix', () => {
    expect(networkOf('192.0.2.77', { ipv4Bits: 24, ipv6Bits: 64 })).toBe('192.0.2/24');
    expect(networkOf('192.0.2.255', { ipv4Bits: 26, ipv6Bits: 64 })).toBe('192.0.2.192/26');
    expect(networkOf('2001:db8:abcd::1', { ipv4Bits: 32, ipv6Bits: 48 })).toBe('20010db8abcd/48');
    expect(networkOf('2001:db8:abcd::1', { ipv4Bits: 32, ipv6Bits: 44 })).toBe('20010db8abc0/44');
    expect(networkOf('local', USUAL)).toBe('local');
  });

  it('is on loopback, or is not', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', 'local'])
      expect(isLoopback(address)).toBe(true);
    for (const address of ['192.0.2.1', '::2', '2001:db8::1', '128.0.0.1']) expect(isLoopback(address)).toBe(false);
  });
});
