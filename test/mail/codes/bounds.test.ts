import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { CODE_LIMITS, findCodes } from '../../../src/mail/codes.ts';
import { findLinks, LINK_LIMITS } from '../../../src/mail/links.ts';
import { createRandom } from '../../support/random.ts';

const CHARACTERS = 5_000_000;

function repeat(piece: string): string {
  return piece.repeat(Math.ceil(CHARACTERS / piece.length)).slice(0, CHARACTERS);
}

/** Each is made to be slow for a careless reader. */
const HOSTILE: readonly string[] = [
  '<',
  '<a href="https://x.example/1">',
  '<a href="https://x.example/1">x</a>',
  '<div style="display:none"><b>',
  '</i><b>',
  '<table><td>',
  '<p><table><b></table>',
  "<a b='>",
  '<style>.a{',
  '<style>/*',
  '<!--',
  ' ',
  '\n',
  '1',
  '1 ',
  'code 123456 ',
  'code: 123456\n',
  '<p>code</p><p>123456</p>',
  '1-',
  '1,234',
  'A1-',
  'code ',
  'a.b/',
  '验证码',
  `order ${'.'.repeat(3_900)}x\n123456\n`,
  `code ${'"'.repeat(90)}x 123456 `,
  `code ${' '.repeat(3_000)}`,
  `https://x.example/${'a-'.repeat(2_000)} `,
  'コード1 ',
  'https://',
  'https://x.example/) ',
  `https://x.example/${')'.repeat(4_000)} `,
  `https://x.example/${'a1'.repeat(40)}\n`,
  '<https://x.example/ ',
  '! A',
  '> ',
  '\ud800',
];

describe('bounds', () => {
  it.each(HOSTILE.map((piece) => [JSON.stringify(piece).slice(0, 60), piece] as const))(
    'five megabytes of %s do not stall it',
    (_name, piece) => {
      const text = repeat(piece);
      const start = performance.now();
      const codes = findCodes({ subject: text, text, html: text });
      const links = findLinks({ text, html: text });
      expect(performance.now() - start).toBeLessThan(4_000); // a tenth of it on an idle machine
      expect(codes.length).toBeLessThanOrEqual(CODE_LIMITS.codes);
      expect(links.length).toBeLessThanOrEqual(LINK_LIMITS.links);
    },
  );

  it('gives well-formed answers for whatever is thrown at it', () => {
    const pieces = [
      ...HOSTILE.filter((piece) => piece.length < 100),
      'Your code is ',
      'Ihr Code lautet ',
      '482 913',
      'K7QM-2XWD',
      ' at https://x.example/verify?t=1 ',
      '</a>',
      '</div>',
      'ä',
      '🎉',
    ];
    for (let seed = 1; seed <= 200; seed++) {
      const next = createRandom(seed);
      const make = (): string =>
        Array.from({ length: 1 + Math.floor(next() * 40) }, () => pieces[Math.floor(next() * pieces.length)]!).join('');
      const mail = { subject: make(), text: make(), html: make() };
      for (const { code, context, confidence } of findCodes(mail)) {
        expect(code, `seed ${seed}`).toMatch(/^[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*$/);
        expect(code.length, `seed ${seed}`).toBeLessThanOrEqual(24);
        expect(context.length, `seed ${seed}`).toBeLessThanOrEqual(CODE_LIMITS.contextCharacters);
        expect(context.isWellFormed(), `seed ${seed}`).toBe(true);
        expect(confidence >= CODE_LIMITS.confidence && confidence <= 1, `seed ${seed}`).toBe(true);
      }
      const links = findLinks(mail);
      expect(new Set(links.map(({ url }) => url)).size, `seed ${seed}`).toBe(links.length);
      for (const { url, text } of links) {
        expect(url, `seed ${seed}`).toMatch(/^(?:https?:|mailto:)/i);
        expect(URL.canParse(url), `seed ${seed}`).toBe(true);
        expect(text.length, `seed ${seed}`).toBeGreaterThan(0);
      }
    }
  });
});
