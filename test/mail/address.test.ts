import { describe, expect, it } from 'vitest';
import { hasUnseenCharacters, isNonAscii, normaliseDomain, parseAddress } from '../../src/mail/address.ts';

describe('the form in which domains are compared', () => {
  it.each([
    ['Example.TEST', 'example.test'],
    ['example.test.', 'example.test'],
    ['bücher.test', 'xn--bcher-kva.test'],
    ['BÜCHER.test', 'xn--bcher-kva.test'],
    ['bu\u0308cher.test', 'xn--bcher-kva.test'],
    ['XN--BCHER-KVA.test', 'xn--bcher-kva.test'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['ｅｘａｍｐｌｅ.test', 'example.test'],
    ['0X7F.1', '0x7f.1'],
    ['１.２', '1.2'],
    ['192.0.2.1', '192.0.2.1'],
    ['D_E.test', 'd_e.test'],
    ['[192.0.2.1]', '[192.0.2.1]'],
    ['[IPv6:2001:DB8::1]', '[ipv6:2001:db8::1]'],
    ['[ipv6:2001:0db8:0:0:0:0:0:1]', '[ipv6:2001:db8::1]'],
    ['[IPv6:FE80::1%ETH0]', '[ipv6:fe80::1%eth0]'],
    ['', ''],
    ['.', ''],
    ['Ü/x', 'ü/x'],
    ['℀', '℀'],
  ])('of %j is %j', (domain, normal) => {
    expect(normaliseDomain(domain)).toBe(normal);
    expect(normaliseDomain(normal)).toBe(normal);
  });
});

describe('an address typed by a person', () => {
  it.each([
    ['alice@example.test', 'alice', 'example.test'],
    ['  <Alice+x@Example.TEST> ', 'Alice+x', 'Example.TEST'],
    ['"john doe"@d', 'john doe', 'd'],
    ['a..b@d_e.test.', 'a..b', 'd_e.test.'],
    ['jörg@bücher.test', 'jörg', 'bücher.test'],
    ['c@[192.0.2.1]', 'c', '[192.0.2.1]'],
  ])('%j is read', (typed, local, domain) => {
    expect(parseAddress(typed)).toMatchObject({ local, domain });
  });

  it.each([
    '',
    'alice',
    '@d',
    'a@',
    'a b@d',
    'a@b@c',
    'Alice <a@d>',
    '<a@d',
    'a@d, b@d',
    'a\u200b@d',
    'a@d\0',
    'x'.repeat(2000),
  ])('%j is none', (typed) => {
    expect(parseAddress(typed)).toBeUndefined();
  });

  it('is no longer than a path may be (RFC 5321 §4.5.3.1.3)', () => {
    expect(parseAddress(`${'a'.repeat(254)}@d`)).toBeDefined();
    expect(parseAddress(`${'a'.repeat(255)}@d`)).toBeUndefined();
  });
});

describe('characters', () => {
  it('are told apart', () => {
    expect(isNonAscii('a~\x7f')).toBe(false);
    expect(isNonAscii('é')).toBe(true);
    expect(hasUnseenCharacters('a b')).toBe(false);
    expect(hasUnseenCharacters('jörg 日本 😀 עברית')).toBe(false);
    for (const char of ['\0', '\n', '\x7f', '\u0080', '\u00a0', '\u200f', '\u202e', '\ufeff', '\udc00']) {
      expect(hasUnseenCharacters(`a${char}b`)).toBe(true);
    }
  });
});
