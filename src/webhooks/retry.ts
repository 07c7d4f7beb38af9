import { WEBHOOK_LIMITS } from './limits.ts';

/**
 * Time until a delivery is tried again: twice as long after every failure, up to a bound, and half of it by chance, so
 * that what failed together does not come back together.
 * @param attempts that have failed, from 1
 */
export function waitAfter(attempts: number, random: () => number = Math.random): number {
  const { firstWaitMs, longestWaitMs } = WEBHOOK_LIMITS;
  const whole = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempts - 1, 30));
  return Math.round(whole / 2 + (whole / 2) * random());
}

/**
 * Reads Retry-After (RFC 9110 §10.2.3): seconds, or a date.
 * @param now milliseconds since 1970
 * @returns milliseconds from now, within the longest wait; undefined if there is nothing to read
 */
export function parseRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const wait = /^\d{1,10}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(0, wait), WEBHOOK_LIMITS.longestWaitMs);
}
