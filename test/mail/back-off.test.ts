import { describe, expect, it } from 'vitest';
import { backOffMs } from '../../src/mail/back-off.ts';

const backOff = { firstMs: 1000, longestMs: 60_000 };

describe('the wait between tries', () => {
  it('doubles up to the longest', () => {
    expect([1, 2, 3, 6, 7, 100].map((failures) => backOffMs(backOff, failures, 0))).toEqual([
      1000, 2000, 4000, 32_000, 60_000, 60_000,
    ]);
  });

  it('is up to half less by chance', () => {
    expect(backOffMs(backOff, 2, 1)).toBe(1000);
    for (let tries = 0; tries < 100; tries++) {
      const wait = backOffMs(backOff, 1);
      expect(wait).toBeGreaterThanOrEqual(500);
      expect(wait).toBeLessThanOrEqual(1000);
    }
  });
});
