import { WEBHOOK_LIMITS } from '../webhooks/limits.ts';
import { duration, OPTIONAL_FILE, SWITCH, wholeNumber } from './kinds.ts';
import type { AnyOption } from './options.ts';
import { WEBHOOK_URLS, WEBHOOKS } from './webhook-kinds.ts';

const ATTEMPT_TIME = duration(1, 600_000, 'a duration such as 500ms or 10s, above 0 and at most 10m');
const AGE = duration(1000, 30 * 86_400_000, 'a duration such as 1h or 3d, at least 1s and at most 30d');

/** Options of webhooks. */
// biome-ignore format: a table
export const WEBHOOK_OPTIONS: readonly AnyOption[] = [
  { key: 'webhook',               property: 'webhookUrls',         category: 'Webhooks', kind: WEBHOOK_URLS,                  initial: () => [],                        usually: 'none', doc: 'Tell this URL of all mail; repeatable' },
  { key: 'webhooks',              property: 'webhooks',            category: 'Webhooks', kind: WEBHOOKS,                      initial: () => [],                        usually: 'none', doc: 'Webhooks with names, filters and secrets of their own' },
  { key: 'webhook-secret-file',   property: 'webhookSecretFile',   category: 'Webhooks', kind: OPTIONAL_FILE,                 initial: () => '',                        usually: 'none', doc: 'Secrets that sign for webhooks without a file of their own, one in a line, the newest first' },
  { key: 'webhook-allow-private', property: 'webhookAllowPrivate', category: 'Webhooks', kind: SWITCH,                        initial: () => false,                     doc: 'Webhooks may be on this machine and in private networks' },
  { key: 'webhook-timeout',       property: 'webhookTimeoutMs',    category: 'Webhooks', kind: ATTEMPT_TIME,                  initial: () => WEBHOOK_LIMITS.attemptMs,  doc: 'Longest wait for the answer of a webhook' },
  { key: 'webhook-attempts',      property: 'webhookAttempts',     category: 'Webhooks', kind: wholeNumber(1, 1000),          initial: () => WEBHOOK_LIMITS.attempts,   doc: 'Attempts until a delivery is given up' },
  { key: 'webhook-age',           property: 'webhookAgeMs',        category: 'Webhooks', kind: AGE,                           initial: () => WEBHOOK_LIMITS.ageMs,      doc: 'Age at which a delivery is given up, however often it was tried' },
  { key: 'webhook-at-once',       property: 'webhookAtOnce',       category: 'Webhooks', kind: wholeNumber(1, 1000),          initial: () => WEBHOOK_LIMITS.atOnce,     doc: 'Deliveries under way to one webhook' },
  { key: 'webhook-queue',         property: 'webhookQueue',        category: 'Webhooks', kind: wholeNumber(1, 1_000_000),     initial: () => WEBHOOK_LIMITS.waiting,    doc: 'Deliveries that may wait for one webhook; with more, the oldest are given up' },
  { key: 'webhook-dead',          property: 'webhookDead',         category: 'Webhooks', kind: wholeNumber(0, 1_000_000),     initial: () => WEBHOOK_LIMITS.dead,       doc: 'Deliveries given up that are kept of one webhook, to be replayed' },
];
