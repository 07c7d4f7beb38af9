import { describe, expect, it } from 'vitest';
import { type AddressRulesOptions, createAddressRules, type RuleLists } from '../../src/guard/address-rules.ts';
import { type Path, parseAddress } from '../../src/mail/address.ts';
import { NO_PARAMS, type Recipient } from '../../src/mail/envelope.ts';
import type { Opinion, Visit } from '../../src/mail/filter.ts';

const visit: Visit = { session: '', protocol: 'SMTP', client: { address: '192.0.2.1', port: 1, hello: 'x' } };
const path = (text: string): Path => parseAddress(text) ?? { local: text, domain: '', text };
const lists = (some: Partial<RuleLists> = {}): RuleLists => ({ accept: [], reject: [], discard: [], ...some });

function word(opinion: Opinion | undefined): string {
  if (opinion?.discard) return 'discard';
  return opinion?.verdict ? String(opinion.verdict.code) : 'accept';
}

function rulingTo(some: Partial<RuleLists>, address: string): string {
  const filter = createAddressRules({ to: lists(some), from: lists(), inboxes: 0, naming: 'full' });
  const from = { path: null, params: NO_PARAMS };
  return word(filter?.rcpt?.(visit, from, { path: path(address), params: NO_PARAMS }, []) as Opinion | undefined);
}

function rulingFrom(some: Partial<RuleLists>, address: string): string {
  const filter = createAddressRules({ to: lists(), from: lists(some), inboxes: 0, naming: 'full' });
  const sender = { path: address === '<>' ? null : path(address), params: NO_PARAMS };
  return word(filter?.mail?.(visit, sender) as Opinion | undefined);
}

describe('rules by recipient', () => {
  it('are none by default: no filter stands in the way', () => {
    expect(createAddressRules({ to: lists(), from: lists(), inboxes: 0, naming: 'full' })).toBeUndefined();
    const senders: AddressRulesOptions = {
      to: lists(),
      from: lists({ reject: ['x.test'] }),
      inboxes: 0,
      naming: 'full',
    };
    expect(createAddressRules(senders)?.rcpt).toBeUndefined();
  });

  it.each([
    ['example.org', 'ann@example.org', '550'],
    ['example.org', 'ann@sub.example.org', 'accept'],
    ['*.example.org', 'ann@sub.example.org', '550'],
    ['*.example.org', 'ann@example.org', 'accept'],
    ['*example.org', 'ann@example.org', '550'],
    ['ann@example.org', 'ann@example.org', '550'],
    ['ann@example.org', 'anna@example.org', 'accept'],
    ['ann*@*.org', 'anna@example.org', '550'],
    ['*-test@*', 'a-test@b.test', '550'],
    ['*', 'a@b.test', '550'],
    ['[192.0.2.1]', 'a@[192.0.2.1]', '550'],
    ['[192.0.2.*]', 'a@[192.0.2.1]', '550'],
    ['[ipv6:2001:db8::1]', 'a@[IPv6:2001:DB8:0::1]', '550'],
    ['EXAMPLE.org', 'Ann@Example.ORG', '550'],
    ['Ann@example.org', 'aNN@example.org', '550'],
    ['bücher.example', 'a@xn--bcher-kva.example', '550'],
    ['xn--bcher-kva.example', 'a@BÜCHER.example', '550'],
    ['*.bücher.example', 'a@shop.xn--bcher-kva.example', '550'],
    ['jörg@d.test', 'JÖRG@d.test', '550'],
    ['jo\u0308rg@d.test', 'jörg@d.test', '550'],
    ['a"b@d.test', '"a\\"b"@d.test', '550'],
    ['constructor@d.test', '__proto__@d.test', 'accept'],
  ])('reject %s: mail to %s is %s', (pattern, address, ruling) => {
    expect(rulingTo({ reject: [pattern] }, address)).toBe(ruling);
  });

  it('take only what is accepted, where something is', () => {
    const accept = ['example.org', '*@*.example.net'];
    expect(rulingTo({ accept }, 'a@example.org')).toBe('accept');
    expect(rulingTo({ accept }, 'a@b.example.net')).toBe('accept');
    expect(rulingTo({ accept }, 'a@example.net')).toBe('550');
  });

  it('follow the closest pattern, and of two as close the stricter', () => {
    const some = {
      reject: ['example.org', 'both@d.test'],
      accept: ['ann@example.org', 'both@d.test', '*'],
      discard: ['*.test'],
    };
    expect(rulingTo(some, 'ann@example.org')).toBe('accept');
    expect(rulingTo(some, 'bob@example.org')).toBe('550');
    expect(rulingTo(some, 'x@d.test')).toBe('discard');
    expect(rulingTo(some, 'both@d.test')).toBe('550');
    expect(rulingTo(some, 'x@elsewhere.example')).toBe('accept');
  });

  it('take mail to postmaster (RFC 5321 §4.5.1), unless they name him', () => {
    for (const address of ['postmaster', 'PostMaster', 'postmaster@example.org']) {
      expect(rulingTo({ reject: ['*'], accept: ['other.test'] }, address)).toBe('accept');
      expect(rulingTo({ reject: ['postmaster@*'] }, address)).toBe('550');
      expect(rulingTo({ discard: ['postmaster@*'], accept: ['*'] }, address)).toBe('discard');
    }
    expect(rulingTo({ reject: ['postmaster@example.org'] }, 'postmaster@other.test')).toBe('accept');
  });
});

describe('rules by sender', () => {
  it('reject, discard, or accept no others', () => {
    expect(rulingFrom({ reject: ['spam.test'] }, 'a@spam.test')).toBe('550');
    expect(rulingFrom({ discard: ['*@spam.test'] }, 'a@spam.test')).toBe('discard');
    expect(rulingFrom({ accept: ['ours.test'] }, 'a@spam.test')).toBe('550');
    expect(rulingFrom({ accept: ['ours.test'] }, 'a@ours.test')).toBe('accept');
    expect(rulingFrom({ reject: ['*'] }, 'postmaster@spam.test')).toBe('550');
  });

  it('let bounces through (RFC 5321 §4.5.5) unless they name <>', () => {
    expect(rulingFrom({ accept: ['ours.test'], reject: ['*'] }, '<>')).toBe('accept');
    expect(rulingFrom({ reject: ['<>'] }, '<>')).toBe('550');
    expect(rulingFrom({ discard: ['<>'] }, '<>')).toBe('discard');
    expect(rulingFrom({ reject: ['<>'] }, 'a@b.test')).toBe('accept');
  });
});

describe('the number of inboxes of one message', () => {
  it('is bounded: who goes to one of them already is taken, what is discarded does not count', () => {
    const filter = createAddressRules({
      to: lists({ discard: ['void.test'] }),
      from: lists(),
      inboxes: 2,
      naming: 'full',
    });
    const to: Recipient[] = [];
    const add = (address: string): string => {
      const recipient = { path: path(address), params: NO_PARAMS };
      const opinion = filter!.rcpt!(visit, { path: null, params: NO_PARAMS }, recipient, to) as Opinion | undefined;
      if (!opinion?.verdict) to.push(recipient);
      return word(opinion);
    };
    expect(['a@d.test', 'a+tag@d.test', 'x@void.test', 'y@void.test', 'b@d.test'].map(add)).toEqual([
      ...['accept', 'accept', 'discard', 'discard', 'accept'],
    ]);
    expect(['c@d.test', 'A@D.test', 'z@void.test', 'c@d.test'].map(add)).toEqual(['452', 'accept', 'discard', '452']);
  });
});
