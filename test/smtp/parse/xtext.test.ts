import { describe, expect, it } from 'vitest';
import { decodeXtext } from '../../../src/smtp/parse/xtext.ts';
import { createRandom } from '../../support/random.ts';

describe('xtext (RFC 3461 §4)', () => {
  it.each([
    ['', ''],
    ['bob@d.test', 'bob@d.test'],
    ['a+2Bb', 'a+b'],
    ['+3D', '='],
    ['a+20b', 'a b'],
    ['+C3+A9', 'é'],
    ['+EF+BB+BFx', undefined], // a byte order mark is invisible
    ['+F0+9F+98+80', '😀'],
  ])('%s stands for %j', (encoded, decoded) => {
    const found = decodeXtext(encoded);
    expect(found.ok ? found.value : undefined).toBe(decoded);
  });

  it.each([
    '+',
    '+A',
    '+G0',
    '+0g',
    '+2b',
    '+2B+',
    '++2B',
    '=',
    'a b',
    '\t',
    '\0',
    '\x7f',
    'é',
    '+E9',
    '+C3',
    '+ED+A0+80',
  ])('is not %j', (text) => {
    expect(decodeXtext(text)).toMatchObject({ ok: false, why: 'value' });
  });

  it.each(['+00', '+0D+0A', '+0A', '+0D', '+1B', '+7F', '+09', '+C2+85', '+E2+80+8B', '+E2+80+AE'])(
    'hides no control or invisible character: %s',
    (text) => {
      expect(decodeXtext(`a${text}b`)).toMatchObject({ ok: false, why: 'value' });
    },
  );

  /** The other direction, as a client has it. */
  const encodeXtext = (text: string): string =>
    Array.from(Buffer.from(text), (octet) =>
      /[!-*,-<>-~]/.test(String.fromCharCode(octet))
        ? String.fromCharCode(octet)
        : `+${octet.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join('');

  it('encoded and decoded is the same text', () => {
    const random = createRandom(3461);
    for (let round = 0; round < 5_000; round++) {
      let text = '';
      for (let count = random() * 20; count > 0; count--) {
        text +=
          random() < 0.8 ? String.fromCharCode(32 + Math.floor(random() * 95)) : 'é日😀'[Math.floor(random() * 2)];
      }
      const encoded = encodeXtext(text);
      expect(encoded).toMatch(/^[!-<>-~]*$/);
      expect(decodeXtext(encoded)).toEqual({ ok: true, value: text });
    }
  });
});
