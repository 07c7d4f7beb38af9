import { describe, expect, it } from 'vitest';
import { WEBHOOK_LIMITS } from '../../src/webhooks/limits.ts';
import { parseRetryAfter, waitAfter } from '../../src/webhooks/retry.ts';

describe('the wait after a failure', () => {
  it('doubles up to its bound, and half of it is chance', () => {
    const least = [1, 2, 3, 4].map((attempts) => waitAfter(attempts, () => 0));
    expect(least).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waitAfter(3, () => 1)).toBe(8_000);
    expect(waitAfter(11, () => 1)).toBe(WEBHOOK_LIMITS.longestWaitMs);
    expect(waitAfter(100_000, () => 1)).toBe(WEBHOOK_LIMITS.longestWaitMs);
  });
});

describe('Retry-After (RFC 9110 section 10.2.3)', () => {
  const now = Date.UTC(2026, 0, 31, 12);

  it('is seconds or a date', () => {
    expect(parseRetryAfter('120', now)).toBe(120_000);
    expect(parseRetryAfter('Sat, 31 Jan 2026 12:00:30 GMT', now)).toBe(30_000);
  });

  it('is never before now, nor later than the longest wait', () => {
    expect(parseRetryAfter('Sat, 31 Jan 2026 11:00:00 GMT', now)).toBe(0);
    expect(parseRetryAfter('9999999999', now)).toBe(WEBHOOK_LIMITS.longestWaitMs);
  });

  it.each(['', 'soon', '-5', '1e9999'])('says nothing as %j', (text) => {
    const wait = parseRetryAfter(text, now);
    expect(wait === undefined || wait <= WEBHOOK_LIMITS.longestWaitMs).toBe(true);
    if (text === '' || text === 'soon') expect(wait).toBeUndefined();
  });
});
