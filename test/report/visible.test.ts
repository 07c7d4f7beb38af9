import { describe, expect, it } from 'vitest';
import { visible } from '../../src/report/visible.ts';

describe('visible', () => {
  it('leaves plain and international text alone', () => {
    for (const text of ['', 'anyone@anything.example', 'grüße@bücher.example', '日本語', 'a\\b', '👩‍👩‍👧'])
      expect(visible(text)).toBe(text);
  });

  it.each([
    ['a\r\nb', 'a\\x0d\\x0ab'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['\u0000\u007f', '\\x00\\x7f'],
    ['\u009b31m', '\\x9b31m'], // CSI as one C1 character
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['a\u2066b\u2069', 'a\\u2066b\\u2069'],
    ['a\u2028b', 'a\\u2028b'],
    ['a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
    ['\ud800x', '\\ud800x'],
    ['\u{e0041}', '\\u{e0041}'],
  ])('makes %j visible', (text, safe) => {
    expect(visible(text)).toBe(safe);
  });

  it('bounds the result, however long or hostile the text', () => {
    expect(visible('x'.repeat(256))).toHaveLength(256);
    expect(visible('x'.repeat(257))).toBe(`${'x'.repeat(255)}…`);
    expect(visible('\u0000'.repeat(10_000_000))).toHaveLength(256);
    expect(visible('👍'.repeat(300)).isWellFormed()).toBe(true);
    expect(visible('abcdef', 4)).toBe('abc…');
  });
});
