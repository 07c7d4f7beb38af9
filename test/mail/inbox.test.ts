import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/mail/address.ts';
import { inboxNameFromText, inboxOf, NAMINGS } from '../../src/mail/inbox.ts';
import { parsePathArg } from '../../src/smtp/parse/path.ts';
import { createRandom, randomText } from '../support/random.ts';

const inbox = (address: string, naming: 'full' | 'local' | 'domain' = 'full') =>
  inboxOf(parseAddress(address)!, naming);

describe('the inbox of an address', () => {
  it('is its name in lower case at its domain, the tag apart', () => {
    expect(inbox('Alice+News@Example.TEST')).toEqual({ inbox: 'alice@example.test', tag: 'News' });
    expect(inbox('alice@example.test.')).toEqual({ inbox: 'alice@example.test', tag: '' });
    expect(inbox('alice+a+b@d')).toEqual({ inbox: 'alice@d', tag: 'a+b' });
    expect(inbox('alice+@d')).toEqual({ inbox: 'alice@d', tag: '' });
  });

  it('is the name or the domain alone when so named', () => {
    expect(inbox('Alice+x@Example.TEST', 'local')).toEqual({ inbox: 'alice', tag: 'x' });
    expect(inbox('Alice+x@Example.TEST', 'domain')).toEqual({ inbox: 'example.test', tag: 'x' });
  });

  it('keeps a local part that starts with +, as there is no name before it', () => {
    expect(inbox('+x@d')).toEqual({ inbox: '+x@d', tag: '' });
    expect(inbox('+x+y@d')).toEqual({ inbox: '+x+y@d', tag: '' });
    expect(inbox('+@d')).toEqual({ inbox: '+@d', tag: '' });
  });

  it('does not depend on quoting, and has a name even for the empty local part', () => {
    expect(inbox('"Alice"@d').inbox).toBe('alice@d');
    expect(inbox('"john doe"@d').inbox).toBe('john doe@d');
    expect(inbox('"a@b"@d').inbox).toBe('a@b@d');
    expect(inbox('""@d').inbox).toBe('""@d');
    expect(inbox('""@d', 'local').inbox).toBe('""');
  });

  it('is one for U-labels and A-labels, for composed and decomposed letters', () => {
    expect(inbox('Jörg@BÜCHER.test').inbox).toBe('jörg@xn--bcher-kva.test');
    expect(inbox('jo\u0308rg@xn--bcher-kva.test').inbox).toBe('jörg@xn--bcher-kva.test');
  });

  it('is one for every spelling of an address literal', () => {
    expect(inbox('c@[IPv6:2001:DB8:0::1]').inbox).toBe('c@[ipv6:2001:db8::1]');
  });

  it('of postmaster without domain is postmaster, whatever the naming', () => {
    const path = { local: 'Postmaster', domain: '', text: 'Postmaster' };
    for (const naming of NAMINGS) expect(inboxOf(path, naming)).toEqual({ inbox: 'postmaster', tag: '' });
  });
});

describe('what a person types for an inbox', () => {
  it.each([
    ['full', 'Alice+x@Example.TEST', 'alice@example.test'],
    ['full', ' <alice@example.test> ', 'alice@example.test'],
    ['full', 'Postmaster', 'postmaster'],
    ['full', 'john doe@d', 'john doe@d'],
    ['full', '"john doe"@d', 'john doe@d'],
    ['full', 'a@b@d', 'a@b@d'],
    ['full', '""@d', '""@d'],
    ['full', 'jörg@bücher.test', 'jörg@xn--bcher-kva.test'],
    ['local', 'alice', 'alice'],
    ['local', 'Alice+x', 'alice'],
    ['local', 'alice@example.test', 'alice'],
    ['local', '""', '""'],
    ['domain', 'Example.TEST', 'example.test'],
    ['domain', '@example.test', 'example.test'],
    ['domain', 'alice@Example.TEST', 'example.test'],
    ['domain', 'BÜCHER.test', 'xn--bcher-kva.test'],
  ] as const)('with naming %s: %j is %j', (naming, typed, name) => {
    expect(inboxNameFromText(typed, naming)).toBe(name);
  });

  it.each(['', '  ', 'a\0b', 'a\nb@d', 'a\u200b@d', 'x'.repeat(2000)])('%j is no inbox', (typed) => {
    for (const naming of NAMINGS) expect(inboxNameFromText(typed, naming)).toBeUndefined();
  });

  it('may be the name of the inbox itself, for nearly every address (quotes inside names excepted)', () => {
    const random = createRandom(1);
    for (let round = 0; round < 20_000; round++) {
      const text = `TO:<${randomText(random, 8)}${round % 2 ? '@Ü.Test' : '@D.test'}>`;
      const found = parsePathArg('TO:', text, { lenient: true, utf8: true });
      if (!found.ok || !found.value.path || found.value.path.local.includes('"')) continue;
      const name = inboxOf(found.value.path).inbox;
      if (name.trim() === name) expect(inboxNameFromText(name)).toBe(name);
    }
  });
});
