import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/config/nearest.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['port', 'port', 0],
    ['prot', 'port', 1],
    ['keep_age', 'keep-age', 1],
    ['kitten', 'sitting', 3],
  ])('from %j to %j is %d', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
    expect(editDistance(to, from)).toBe(distance);
  });
});

describe('nearest', () => {
  const KEYS = ['port', 'http-port', 'host', 'keep-per-inbox', 'keep-bytes'];
  it.each([
    ['prot', 'port'],
    ['PORT', 'port'],
    ['httpport', 'http-port'],
    ['keep_per_inbox', 'keep-per-inbox'],
    ['keep-byte', 'keep-bytes'],
  ])('takes %j for %j', (word, meant) => {
    expect(nearest(word, KEYS)).toBe(meant);
  });

  it('guesses nothing when nothing is near', () => {
    expect(nearest('colour', KEYS)).toBeUndefined();
    expect(nearest('', KEYS)).toBeUndefined();
    expect(nearest('x'.repeat(1_000_000), KEYS)).toBeUndefined();
  });
});
