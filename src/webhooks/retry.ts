import { WEBHOOK_LIMITS } from './limits.ts';

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
