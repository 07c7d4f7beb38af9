import { describe, expect, it } from 'vitest';
import { parseBdatArg, parseSize } from '../../../src/smtp/parse/bdat.ts';
import { createRandom, randomText } from '../../support/random.ts';

describe('the argument of BDAT (RFC 3030 §2)', () => {
  it.each([
    ['0', 0, false],
    ['0 LAST', 0, true],
    ['86', 86, false],
    ['86 LAST', 86, true],
    ['86 last', 86, true],
    ['86  Last ', 86, true],
    ['00000000000000000005', 5, false],
    ['99999999999999999999 LAST', 1e20, true],
  ])('may be %j', (arg, octets, last) => {
    expect(parseBdatArg(arg)).toEqual({ ok: true, value: { octets, last } });
  });

  it.each([
    '',
    ' ',
    'LAST',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    'abc',
    '10LAST',
    '100000000000000000000',
    '١',
    '1,000',
    '\u00a05',
  ])('leaves unknown where the next command starts when it is %j', (arg) => {
    expect(parseBdatArg(arg)).toMatchObject({ ok: false, octets: undefined });
  });

  it.each(['5 FIRST', '5 LAST LAST', '5 LASTX', '5 LAST=1', '5 5', '5 \0'])(
    'tells how many octets follow though %j is wrong',
    (arg) => {
      expect(parseBdatArg(arg)).toMatchObject({ ok: false, why: 'malformed', octets: 5 });
    },
  );

  it('is judged whatever it is', () => {
    const random = createRandom(3030);
    for (let round = 0; round < 10_000; round++) expect(parseBdatArg(randomText(random, 6))).toHaveProperty('ok');
  });
});

describe('a number of octets (RFC 1870 §4)', () => {
  it('is 1 to 20 digits', () => {
    expect(parseSize('0')).toEqual({ ok: true, value: 0 });
    expect(parseSize('9'.repeat(20))).toEqual({ ok: true, value: 1e20 });
    for (const text of ['', '9'.repeat(21), ' 1', '1\n', '-1']) expect(parseSize(text)).toMatchObject({ ok: false });
  });
});
