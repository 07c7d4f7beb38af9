import { describe, expect, it } from 'vitest';
import { createPhraseFinder, fold, narrow } from '../../../src/mail/phrases.ts';

const find = createPhraseFinder([
  ['sign in code', 'sign'],
  ['code', 'code'],
  ['promo code', 'promo'],
  ['*code', 'ending'],
  ['bestätig*', 'bestätigen'],
  ["n'avez pas", 'negation'],
  ['验证码', 'zh'],
  ['認証コード', 'ja'],
  ['コード', 'short'],
  ['qrコード', 'qr'],
]);

function meaningsIn(text: string): string[] {
  return find(fold(text)).map(({ meaning }) => meaning);
}

describe('phrases', () => {
  it.each([
    ['Your sign-in CODE', ['sign']],
    ['promo code, code', ['promo', 'code']],
    ['Anmeldecode codes', ['ending']],
    ['Bestätigung BESTATIGEN', ['bestätigen', 'bestätigen']],
    ['vous n’avez pas', ['negation']],
    ['您的验证码是1', ['zh']],
    ['QRコードと認証コード', ['qr', 'ja']],
    ['ｃｏｄｅ', ['code']],
    ['encoded', []],
    ['', []],
  ])('%j', (text, meanings) => {
    expect(meaningsIn(text)).toEqual(meanings);
  });

  it('tells places in the text as it was', () => {
    expect(find(fold('É promo-code!'))).toEqual([{ at: 2, end: 12, meaning: 'promo' }]);
  });

  it('folds without moving a character', () => {
    const text = 'ÀÉÎõüßŒİı１２３，ａＢ–‑’ｶ　🎉e\u0301';
    expect(fold(text)).toHaveLength(text.length);
    expect(narrow(text)).toHaveLength(text.length);
    expect(fold('ÄÖÜ ÉÈ Ñ')).toBe('aou ee n');
  });
});
