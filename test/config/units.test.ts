import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, parseBytes, parseDuration } from '../../src/config/units.ts';

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['1073741824', 1073741824],
    ['1GiB', 2 ** 30],
    ['1gib', 2 ** 30],
    ['10MB', 10_000_000],
    ['10 MB', 10_000_000],
    ['1.5KiB', 1536],
    ['64kB', 64_000],
    ['2TiB', 2 ** 41],
    ['7b', 7],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each([
    '',
    ' ',
    '-1',
    '1e9',
    '10M',
    '10 XB',
    'NaN',
    'Infinity',
    '0x10',
    '1.0000000001MB',
    '0.5',
    '9999999999TiB',
    '1GiB ',
  ])('refuses %j', (text) => {
    expect(parseBytes(text)).toBeUndefined();
  });

  it.each([0, 1, 999, 1000, 1024, 1536, 10_000_000, 2 ** 30, 52_428_800, 12_345_678])(
    'writes %d so that it reads back',
    (bytes) => {
      expect(parseBytes(formatBytes(bytes))).toBe(bytes);
    },
  );
});

describe('durations', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['4h', 14_400_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
  ])('reads %s as %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '30', '-1s', '1e3s', '10M', '5 min', '1h30m', '0.0001s'])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it.each([0, 1, 1500, 30_000, 90_000, 5_400_000, 86_400_000])('writes %d ms so that it reads back', (milliseconds) => {
    expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
  });
});
