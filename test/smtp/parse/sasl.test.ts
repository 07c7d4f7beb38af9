import { describe, expect, it } from 'vitest';
import {
  decodeBase64,
  parseOauthBearer,
  parsePassword,
  parsePlain,
  parseUser,
  parseXoauth2,
} from '../../../src/smtp/parse/sasl.ts';
import { createRandom, pick } from '../../support/random.ts';

const octets = (text: string) => Buffer.from(text);

describe('base64 (RFC 4648 §4)', () => {
  it.each(['', 'AA==', 'AAA=', 'AAAA', 'YW5u'])('is %j', (text) => {
    expect(decodeBase64(text)?.toString('base64')).toBe(text);
  });

  it.each(['A', 'AA', 'AAA', 'AA=A', '=', '====', 'AAAA=', 'AA ==', 'YW5u\r\n', 'YW-_', 'AAAA====', 'é==='])(
    'is not %j',
    (text) => expect(decodeBase64(text)).toBeUndefined(),
  );

  it('is told apart in time that grows with its length alone', () => {
    const started = performance.now();
    for (let turn = 0; turn < 1000; turn++) decodeBase64(`${'A'.repeat(12_285)}=`);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('PLAIN (RFC 4616)', () => {
  it('is a name and a password, perhaps with the same name before', () => {
    const ann = { kind: 'password', user: 'ann', secret: 'pass' };
    expect(parsePlain(octets('\0ann\0pass'))).toEqual(ann);
    expect(parsePlain(octets('ann\0ann\0pass'))).toEqual(ann);
    expect(parsePlain(octets('\0jörg\0パス'))).toEqual({ kind: 'password', user: 'jörg', secret: 'パス' });
  });

  it.each([
    '',
    'ann',
    'ann\0pass',
    '\0\0pass',
    '\0ann\0pass\0',
    '\0a\nb\0x',
    'bob\0ann\0pass',
    `\0${'x'.repeat(256)}\0x`,
  ])('is not %j', (text) => expect(parsePlain(octets(text))).toBeUndefined());

  it('is UTF-8', () => expect(parsePlain(Buffer.from([0, 0x61, 0, 0xff]))).toBeUndefined());
});

describe('LOGIN', () => {
  it('has a name without controls and a password without NUL', () => {
    expect(parseUser(octets('ann@d.test'))).toBe('ann@d.test');
    for (const name of ['', 'a\0b', 'a\r\nb', 'a\u202eb']) expect(parseUser(octets(name))).toBeUndefined();
    expect(parsePassword(octets(' pass\tword '))).toBe(' pass\tword ');
    expect(parsePassword(octets('a\0b'))).toBeUndefined();
    expect(parsePassword(Buffer.from([0xc3]))).toBeUndefined();
  });
});

describe('bearer tokens', () => {
  it('come by XOAUTH2', () => {
    expect(
      parseXoauth2(octets('user=ann@d.test\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHR-_~+/==\x01\x01')),
    ).toEqual({
      kind: 'token',
      user: 'ann@d.test',
      secret: 'ya29.vF9dft4qmTc2Nvb3RlckBhdHR-_~+/==',
    });
  });

  it.each([
    '',
    'user=ann',
    'user=\x01auth=Bearer t\x01\x01',
    'auth=Bearer t\x01\x01',
    'user=ann\x01auth=Bearer t\x01',
    'user=ann\x01auth=Basic t\x01\x01',
    'user=ann\x01auth=Bearer \x01\x01',
    'user=ann\x01auth=Bearer a b\x01\x01',
    'user=a\nb\x01auth=Bearer t\x01\x01',
  ])('are not XOAUTH2: %j', (text) => expect(parseXoauth2(octets(text))).toBeUndefined());

  it('come by OAUTHBEARER (RFC 7628 §3.1), whose names have commas and equals signs hidden', () => {
    const fields =
      '\x01host=server.example.com\x01port=587\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01';
    const secret = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==';
    expect(parseOauthBearer(octets(`n,a=user@example.com,${fields}`))).toEqual({
      kind: 'token',
      user: 'user@example.com',
      secret,
    });
    expect(parseOauthBearer(octets(`y,a=a=2Cb=3Dc,${fields}`))).toMatchObject({ user: 'a,b=c' });
    expect(parseOauthBearer(octets(`n,,${fields}`))).toMatchObject({ user: '', secret });
  });

  it.each([
    '',
    'n,,',
    'n,a=ann',
    'p=tls-unique,a=ann,\x01auth=Bearer t\x01\x01',
    'n,a=a=2Xb,\x01auth=Bearer t\x01\x01',
    'n,a=ann,\x01auth=bearert\x01\x01',
    'n,a=ann,\x01auth=Bearer t',
    'x,a=ann,\x01auth=Bearer t\x01\x01',
  ])('are not OAUTHBEARER: %j', (text) => expect(parseOauthBearer(octets(text))).toBeUndefined());

  it('Metadata injection: no message of any mechanism gives a name with controls, whatever stands in it', () => {
    const random = createRandom(7628);
    const pieces = [
      'user=',
      'auth=Bearer ',
      'n,a=',
      'n,,',
      '\x01',
      '\0',
      'ann',
      '\r\n',
      '\n',
      'é',
      '=2C',
      ',',
      'tok',
      ' ',
    ];
    for (let round = 0; round < 20_000; round++) {
      let text = '';
      for (let length = random() * 12; length > 0; length--) text += pick(random, pieces);
      for (const parse of [parsePlain, parseXoauth2, parseOauthBearer]) {
        const found = parse(octets(text));
        if (found) expect(found.user + (found.kind === 'token' ? found.secret : '')).not.toMatch(/[\0-\x1f\x7f]/);
      }
    }
  });
});
