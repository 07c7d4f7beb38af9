import { describe, expect, it } from 'vitest';
import { WEBHOOK_LIMITS } from '../../src/webhooks/limits.ts';
import { parseRetryAfter } from '../../src/webhooks/retry.ts';

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
