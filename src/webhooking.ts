import { type WebhookChoice, webhookOfUrl } from './config/webhook-kinds.ts';
import type { Config } from './config.ts';
import type { DeliveryBounds, DeliveryTarget } from './mail/deliveries.ts';
import type { Reporter } from './mail/report.ts';
import type { Resolver } from './mail/resolver.ts';
import type { WebhookDesk } from './mail/webhook-desk.ts';
import { createExpiryClock } from './store/expiry-clock.ts';
import type { SqliteStore } from './store/sqlite/store.ts';
import { VERSION } from './version.ts';
import { createReach } from './webhooks/reach.ts';
import { readText, SecretFile } from './webhooks/secrets.ts';
import type { Target } from './webhooks/target.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** Webhooks at work. */
export interface Webhooking extends WebhookDesk {
  /** Reads files of secrets again; throws nothing: what cannot be used is reported, and the old stays. */
  reload(): void;
  close(): Promise<void>;
}

/** What the store has to know of the webhooks of a configuration. */
export function deliveriesOf(config: Config): { targets: DeliveryTarget[]; bounds: DeliveryBounds } {
  const targets = choicesOf(config).map(({ name, inboxes }) => ({ name, inboxes }));
  return { targets, bounds: { waiting: config.webhookQueue, dead: config.webhookDead } };
}

export interface WebhookingParts {
  readonly store: SqliteStore;
  readonly resolver: Resolver;
  readonly report: Reporter;
}

/**
 * Starts the webhooks of a configuration.
 * @throws WebhookError for files that cannot be used
 */
export function startWebhooks(config: Config, { store, resolver, report }: WebhookingParts): Webhooking {
  const files = new Map<string, SecretFile>();
  const targets = choicesOf(config).map((choice) => targetOf(choice, config, resolver, files));
  const webhooks = new Webhooks({
    targets,
    queue: store.deliveries,
    store,
    report,
    userAgent: `inboxd/${VERSION}`,
    limits: {
      attemptMs: config.webhookTimeoutMs,
      attempts: config.webhookAttempts,
      ageMs: config.webhookAgeMs,
      atOnce: config.webhookAtOnce,
    },
    now: createExpiryClock(),
  });
  return {
    list: () => webhooks.list(),
    dead: (name, limit) => webhooks.dead(name, limit),
    replay: (name, ids) => webhooks.replay(name, ids),
    test: (name) => webhooks.test(name),
    close: () => webhooks.close(),
    reload() {
      for (const file of files.values()) {
        try {
          file.reload();
        } catch (error) {
          report({ type: 'webhook-secrets', error });
        }
      }
    },
  };
}

/** Every webhook of a configuration, those that are a URL alone too. */
export function choicesOf({ webhooks, webhookUrls }: Config): WebhookChoice[] {
  // a URL that is given twice is one webhook
  const ofUrls = new Map(webhookUrls.map((url) => [webhookOfUrl(url).name, webhookOfUrl(url)]));
  for (const { name } of webhooks) ofUrls.delete(name);
  return [...webhooks, ...ofUrls.values()];
}

/** The file of secrets that sign for a webhook; '' for none. */
export function secretFileOf({ secretFile }: WebhookChoice, { webhookSecretFile }: Config): string {
  return secretFile === '' ? webhookSecretFile : secretFile;
}

function targetOf(choice: WebhookChoice, config: Config, resolver: Resolver, files: Map<string, SecretFile>): Target {
  const { name, url, inboxes, query, caFile } = choice;
  const path = secretFileOf(choice, config);
  const file = path === '' ? undefined : (files.get(path) ?? new SecretFile(path));
  if (file) files.set(path, file);
  return {
    name,
    url: new URL(url),
    inboxes,
    query,
    reach: createReach(resolver, choice.allowPrivate ?? config.webhookAllowPrivate),
    ca: caFile === '' ? undefined : readText(caFile),
    secrets: () => file?.secrets ?? [],
  };
}
