import { describe, expect, it } from 'vitest';
import { checkMailParams, checkRcptParams, type ParamContext, parseParams } from '../../../src/smtp/parse/params.ts';
import { createRandom, randomText } from '../../support/random.ts';

const EVERYTHING: ParamContext = {
  esmtp: true,
  announced: new Set(['SIZE', '8BITMIME', 'BINARYMIME', 'SMTPUTF8', 'DSN', 'AUTH', 'REQUIRETLS', 'MT-PRIORITY']),
};
const NOTHING: ParamContext = { esmtp: true, announced: new Set() };
const without = (...keywords: string[]): ParamContext => ({
  esmtp: true,
  announced: new Set([...EVERYTHING.announced].filter((keyword) => !keywords.includes(keyword))),
});

function mail(rest: string, context = EVERYTHING) {
  const params = parseParams(rest);
  if (!params.ok) return params.why;
  const facts = checkMailParams(params.value, context);
  return facts.ok ? facts.value : facts.why;
}

function rcpt(rest: string, context = EVERYTHING, utf8 = false) {
  const params = parseParams(rest);
  if (!params.ok) return params.why;
  const checked = checkRcptParams(params.value, context, utf8);
  return checked.ok ? 'good' : checked.why;
}

const good = expect.objectContaining({ body: expect.any(String) });

describe('parameters', () => {
  it('are keywords in any case and values as sent (RFC 5321 §4.1.1.11)', () => {
    const params = parseParams('size=1 Body=8BitMime  SMTPUTF8 x-1=a;b/c@d ');
    expect(params.ok && [...params.value]).toEqual([
      ['SIZE', '1'],
      ['BODY', '8BitMime'],
      ['SMTPUTF8', true],
      ['X-1', 'a;b/c@d'],
    ]);
  });

  it('may be none at all', () => {
    for (const rest of ['', ' ', '   \t']) expect(parseParams(rest)).toMatchObject({ ok: true, value: { size: 0 } });
  });

  it.each([
    '=1',
    '-X=1',
    '-',
    'SIZE=',
    'SIZE==1',
    'SIZE=1,BODY=7BIT',
    'SIZE =1',
    'SIZE= 1',
    'SIZE = 1',
    'SIZE\t=1',
    'SIZE=1\tBODY=7BIT',
    'SIZE=1\0',
    'SIZE=\x7f',
    'SÏZE=1',
    'X=\u200b',
    'X=\u0085',
    'X.Y=1',
    '<a@b>',
    ',',
    '=',
    '"X"=1',
  ])('are malformed in %j (§4.1.2)', (rest) => {
    expect(parseParams(rest)).toMatchObject({ ok: false, why: 'malformed' });
  });

  it('are given once each, in whatever case (RFC 6152 §3)', () => {
    expect(mail('SIZE=1 SIZE=1')).toBe('duplicate');
    expect(mail('SIZE=1 BODY=7BIT size=2')).toBe('duplicate');
    expect(mail('SMTPUTF8 smtputf8')).toBe('duplicate');
    expect(rcpt('NOTIFY=NEVER Notify=NEVER')).toBe('duplicate');
  });

  it('are at most 16', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `X${index}=1`).join(' ');
    expect(parseParams(many(16))).toMatchObject({ ok: true });
    expect(parseParams(many(17))).toMatchObject({ ok: false, why: 'too-many' });
  });

  it.each([
    'XYZZY',
    'XYZZY=1',
    '__proto__',
    '__proto__=1',
    'constructor=1',
    'toString',
    'hasOwnProperty=1',
    'NOTIFY=NEVER',
  ])('are unknown to MAIL: %s (§4.1.1.11)', (rest) => {
    expect(mail(rest)).toBe('unknown');
  });

  it.each(['XYZZY', 'SIZE=1', 'BODY=7BIT', 'SMTPUTF8', 'RET=FULL', 'ENVID=x', 'constructor', 'prototype=1'])(
    'are unknown to RCPT: %s (§4.1.1.11)',
    (rest) => {
      expect(rcpt(rest)).toBe('unknown');
    },
  );

  it('are all unknown after HELO (RFC 1869 §4)', () => {
    for (const rest of ['SIZE=1', 'BODY=7BIT', 'SMTPUTF8', 'RET=FULL']) {
      expect(mail(rest, { ...EVERYTHING, esmtp: false })).toBe('unknown');
    }
    expect(rcpt('NOTIFY=NEVER', { ...EVERYTHING, esmtp: false })).toBe('unknown');
    expect(mail('', { ...EVERYTHING, esmtp: false })).toEqual(good);
  });

  it.each(['SIZE=1', 'BODY=7BIT', 'SMTPUTF8', 'RET=FULL', 'ENVID=x', 'AUTH=<>', 'REQUIRETLS', 'MT-PRIORITY=1'])(
    'are unknown unless announced: %s (RFC 5321 §2.2)',
    (rest) => {
      expect(mail(rest, NOTHING)).toBe('unknown');
      expect(mail(rest)).toEqual(good);
    },
  );

  it.each(['NOTIFY=NEVER', 'ORCPT=rfc822;a@b'])('are unknown unless DSN is announced: %s (RFC 3461 §4)', (rest) => {
    expect(rcpt(rest, without('DSN'))).toBe('unknown');
    expect(rcpt(rest, without('SIZE'))).toBe('good');
  });
});

describe('SIZE (RFC 1870 §4)', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['0010', 10],
    ['52428800', 52_428_800],
    ['99999999999999999999', 1e20],
  ])('is %s octets', (digits, octets) => {
    expect(mail(`SIZE=${digits}`)).toMatchObject({ size: octets });
  });

  it.each(['-1', '+1', '1.5', '1e3', '0x10', 'abc', '1k', '100000000000000000000', '٣', '１'])('is not %s', (text) => {
    expect(mail(`SIZE=${text}`)).toBe('value');
  });

  it('is nothing without its number', () => {
    expect(mail('SIZE')).toBe('value');
    expect(mail('SIZE=')).toBe('malformed');
    expect(mail('')).toMatchObject({ size: undefined });
  });
});

describe('BODY (RFC 6152, RFC 3030 §3)', () => {
  it('is 7BIT, 8BITMIME or BINARYMIME in any case', () => {
    expect(mail('')).toMatchObject({ body: '7BIT' });
    expect(mail('BODY=7bit')).toMatchObject({ body: '7BIT' });
    expect(mail('body=8BitMime')).toMatchObject({ body: '8BITMIME' });
    expect(mail('BODY=binarymime')).toMatchObject({ body: 'BINARYMIME' });
  });

  it('is BINARYMIME only where announced', () => {
    expect(mail('BODY=BINARYMIME', without('BINARYMIME'))).toBe('unknown');
  });

  it.each(['BODY=9BIT', 'BODY=8BIT', 'BODY', 'BODY=7BIT,8BITMIME'])('is not %s', (rest) => {
    expect(mail(rest)).toBe('value');
  });
});

describe('SMTPUTF8 (RFC 6531 §3.4)', () => {
  it('is given without a value', () => {
    expect(mail('SMTPUTF8')).toMatchObject({ smtpUtf8: true });
    expect(mail('')).toMatchObject({ smtpUtf8: false });
    expect(mail('SMTPUTF8=1')).toBe('value');
    expect(mail('SMTPUTF8=')).toBe('malformed');
  });
});

describe('RET and ENVID (RFC 3461 §4.3, §4.4)', () => {
  it.each(['RET=FULL', 'RET=hdrs', 'ENVID=QQ314159', 'ENVID=a+2Bb+3Dc+20d', `ENVID=${'x'.repeat(100)}`])(
    'may be %s',
    (rest) => {
      expect(mail(rest)).toEqual(good);
    },
  );

  it.each([
    'RET',
    'RET=BODY',
    'RET=FULL,HDRS',
    'ENVID',
    'ENVID=+',
    'ENVID=+A',
    'ENVID=+G0',
    'ENVID=+2b',
    'ENVID=+00',
    'ENVID=+0D+0A',
    'ENVID=a+0Ab',
    'ENVID=+7F',
    'ENVID=+C3+A9',
    'ENVID=+E9',
    'ENVID=é',
    `ENVID=${'x'.repeat(101)}`,
  ])('may not be %s', (rest) => {
    expect(mail(rest)).toBe('value');
  });
});

describe('NOTIFY (RFC 3461 §4.1)', () => {
  it.each(['NEVER', 'never', 'SUCCESS', 'FAILURE,DELAY', 'success,Failure,DELAY', 'DELAY,SUCCESS'])(
    'may be %s',
    (value) => {
      expect(rcpt(`NOTIFY=${value}`)).toBe('good');
    },
  );

  it.each([
    'ALWAYS',
    'NEVER,SUCCESS',
    'SUCCESS,NEVER',
    'NEVER,NEVER',
    'SUCCESS,SUCCESS',
    'SUCCESS,',
    ',SUCCESS',
    ',',
    'SUCCESS;DELAY',
  ])('may not be %s', (value) => {
    expect(rcpt(`NOTIFY=${value}`)).toBe('value');
  });

  it('is nothing without a value', () => {
    expect(rcpt('NOTIFY')).toBe('value');
    expect(rcpt('NOTIFY=')).toBe('malformed');
  });
});

describe('ORCPT (RFC 3461 §4.2, RFC 6533 §3)', () => {
  it.each([
    'rfc822;Bob@Example.TEST',
    'rfc822;a+2Bb@d.test',
    'x400;/c=uk'.replace('=', '+3D'),
    'unknown;x',
    'utf-8;bob@d.test',
    String.raw`utf-8;\x{65E5}\x{672C}@d.test`,
    String.raw`UTF-8;a\x{2B}b@d.test`,
    String.raw`utf-8;\x{1F600}@d.test`,
  ])('may be %s', (value) => {
    expect(rcpt(`ORCPT=${value}`)).toBe('good');
  });

  it.each([
    'rfc822',
    'rfc822;',
    ';bob@d.test',
    ';',
    'a(b;c@d',
    'rfc822;+0D+0A@d',
    'rfc822;+00@d',
    'rfc822;+2b@d',
    'rfc822;+4@d',
    'rfc822;é@d',
    'rfc822;+C3+A9@d',
    'utf-8;日本@d.test',
    String.raw`utf-8;\x{0D}\x{0A}`,
    String.raw`utf-8;\x{00}`,
    String.raw`utf-8;\x{200B}`,
    String.raw`utf-8;\x{D83D}\x{DE00}`,
    String.raw`utf-8;\x{110000}`,
    String.raw`utf-8;\x{2b}`,
    String.raw`utf-8;\x{`,
    String.raw`utf-8;a\b`,
    'utf-8;a+b',
    `rfc822;${'a'.repeat(500)}`,
  ])('may not be %s', (value) => {
    expect(rcpt(`ORCPT=${value}`)).toBe('value');
  });

  it('may be raw UTF-8 once MAIL said SMTPUTF8', () => {
    expect(rcpt('ORCPT=utf-8;日本@d.test', EVERYTHING, true)).toBe('good');
    expect(rcpt('ORCPT=rfc822;日本@d.test', EVERYTHING, true)).toBe('value');
  });

  it('is nothing without a value', () => {
    expect(rcpt('ORCPT')).toBe('value');
  });
});

describe('AUTH= (RFC 4954 §5)', () => {
  it.each(['<>', 'a@b.test', 'a+40b', 'e+3Dmc2@example.com', '"a+20b"@d.test'])('may be %s', (value) => {
    expect(mail(`AUTH=${value}`)).toEqual(good);
  });

  it.each(['a', '<a@b>', 'a@b@c', 'a+3Eb', '+0Aa@b', 'a@b+00', 'a@-b', 'é@b'])('may not be %s', (value) => {
    expect(mail(`AUTH=${value}`)).toBe('value');
  });

  it('may hold UTF-8 only with SMTPUTF8', () => {
    expect(mail('AUTH=+C3+A9@b.test')).toBe('value');
    expect(mail('AUTH=+C3+A9@b.test SMTPUTF8')).toEqual(good);
  });
});

describe('REQUIRETLS (RFC 8689 §2) and MT-PRIORITY (RFC 6710 §4.1)', () => {
  it('have their grammar', () => {
    expect(mail('REQUIRETLS=1')).toBe('value');
    for (const value of ['0', '9', '-9']) expect(mail(`MT-PRIORITY=${value}`)).toEqual(good);
    for (const value of ['10', '-0', '+1', 'x']) expect(mail(`MT-PRIORITY=${value}`)).toBe('value');
    expect(mail('MT-PRIORITY')).toBe('value');
  });
});

describe('any text at all', () => {
  it('gives parameters or a reason, never an exception', () => {
    const random = createRandom(5321);
    for (let round = 0; round < 20_000; round++) {
      const params = parseParams(randomText(random, 14));
      if (!params.ok) continue;
      for (const checked of [
        checkMailParams(params.value, EVERYTHING),
        checkRcptParams(params.value, EVERYTHING, round % 2 > 0),
      ]) {
        if (!checked.ok) expect(checked.text).toMatch(/^[ -~]{1,100}$/);
      }
    }
  });

  it.each(['=', 'A=', 'A ', ' ', '+', '+0', 'A=1 ', '\\x{', ';', ',', 'é', '-', '\t'])(
    'of 64 KiB of %j is soon judged',
    (piece) => {
      for (const lead of ['', 'ORCPT=utf-8;', 'ENVID=', 'NOTIFY=', 'SIZE=']) {
        const params = parseParams(lead + piece.repeat(65_536 / piece.length));
        if (params.ok) checkRcptParams(params.value, EVERYTHING);
        if (params.ok) checkMailParams(params.value, EVERYTHING);
      }
    },
  );
});
