import { describe, expect, it } from 'vitest';
import { manyLines, oneLine, readableSize, readableTime } from '../../src/cli/output.ts';
import { type Column, displayWidth, table } from '../../src/cli/table.ts';

interface Row {
  readonly count: number;
  readonly name: string;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: 'N', align: 'right', cell: ({ count }) => String(count) },
  { title: 'NAME', cell: ({ name }) => name },
];

describe('table', () => {
  it('aligns columns under their heads, without blanks at the end', () => {
    const rows = [
      { count: 5, name: 'a' },
      { count: 1234, name: 'longer' },
    ];
    expect(table(COLUMNS, rows)).toBe('   N  NAME\n   5  a\n1234  longer');
  });

  it('cuts lines to the terminal', () => {
    expect(table(COLUMNS, [{ count: 1, name: 'abcdefghij' }], 8)).toBe('N  NAME\n1  abcd…');
    expect(table(COLUMNS, [{ count: 1, name: '日本語日本語' }], 8)).toBe('N  NAME\n1  日本…');
  });

  it.each([
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['👩‍👩‍👧', 2],
    ['한글', 4],
    ['ｆ', 2],
  ])('knows that %s takes %d columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('text for people', () => {
  it('puts text of a client on one line, and keeps lines where they matter', () => {
    expect(oneLine('a\r\n\tb\u001b[0m')).toBe('a b\\x1b[0m');
    expect(manyLines('a\r\nb\u001b[2J\n\tc\rd')).toBe('a\nb\\x1b[2J\n    c\\x0dd');
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9949, '9.9 kB'],
    [9950, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [52_428_800, '52 MB'],
    [2 ** 50, '1126 TB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(readableSize(bytes)).toBe(text);
  });

  it('writes local time', () => {
    expect(readableTime(new Date(2026, 0, 2, 3, 4, 5))).toBe('2026-01-02 03:04:05');
  });
});
