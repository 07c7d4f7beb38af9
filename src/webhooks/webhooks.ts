import type { DeliveryQueue, Overflow } from '../mail/deliveries.ts';
import type { Reporter } from '../mail/report.ts';
import type { Store } from '../mail/store.ts';
import type { WebhookDesk, WebhookFacts } from '../mail/webhook-desk.ts';
import { Courier, type CourierLimits } from './courier.ts';
import { WEBHOOK_LIMITS } from './limits.ts';
import { hostOf, type Target } from './target.ts';

export interface WebhooksOptions {
  readonly targets: readonly Target[];
  readonly queue: DeliveryQueue;
  readonly store: Store;
  readonly report: Reporter;
  readonly userAgent: string;
  readonly limits: CourierLimits;
  readonly now: () => number;
}

/** All webhooks of a daemon: a courier for each, and the desk where they are looked after. */
export class Webhooks implements WebhookDesk {
  readonly #options: WebhooksOptions;
  readonly #couriers: ReadonlyMap<string, Courier>;
  readonly #overflows = new Map<string, Overflow>();
  readonly #unsubscribe: (() => void)[];
  #overflowTimer: NodeJS.Timeout | undefined;

  /** Begins with what the last run left. */
  constructor(options: WebhooksOptions) {
    const { targets, queue, store } = options;
    this.#options = options;
    this.#couriers = new Map(targets.map((target) => [target.name, new Courier({ ...options, target })]));
    const wake = (): void => {
      for (const courier of this.#couriers.values()) courier.wake();
    };
    this.#unsubscribe = [queue.onAdded(wake), queue.onOverflow((overflow) => this.#gather(overflow))];
    if (targets.some(({ query }) => query !== '')) {
      this.#unsubscribe.push(
        store.feed.subscribe(({ type, message }) => {
          if (type !== 'changed') return;
          for (const courier of this.#couriers.values()) courier.changed(message);
        }),
      );
    }
    wake();
  }

  async list(): Promise<WebhookFacts[]> {
    return (await this.#options.queue.counts()).map((counts) => {
      const courier = counts.isConfigured ? this.#couriers.get(counts.name) : undefined;
      if (!courier) return { ...counts, host: '', inboxes: [], query: '', isSigned: false, state: 'removed' as const };
      const { target, state } = courier;
      const { inboxes, query } = target;
      return { ...counts, host: hostOf(target), inboxes, query, isSigned: target.secrets().length > 0, state };
    });
  }

  async dead(name: string, limit: number) {
    const { queue } = this.#options;
    const isKnown = (await queue.counts()).some((counts) => counts.name === name);
    return isKnown ? queue.dead(name, limit) : undefined;
  }

  async replay(name: string, ids?: readonly string[]): Promise<number | undefined> {
    const courier = this.#couriers.get(name);
    if (!courier) return undefined;
    const replayed = await this.#options.queue.replay(name, ids);
    courier.resume();
    return replayed;
  }

  async test(name: string) {
    return this.#couriers.get(name)?.test();
  }

  /** To be called before the store closes. */
  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await Promise.all([...this.#couriers.values()].map((courier) => courier.close()));
    this.#tellOverflows();
  }

  /** Under load something overflows with every commit; people are told of it together. */
  #gather({ target, buried, forgotten }: Overflow): void {
    const before = this.#overflows.get(target) ?? { buried: 0, forgotten: 0 };
    this.#overflows.set(target, {
      target,
      buried: before.buried + buried,
      forgotten: before.forgotten + forgotten,
    });
    this.#overflowTimer ??= setTimeout(() => this.#tellOverflows(), WEBHOOK_LIMITS.overflowMs).unref();
  }

  #tellOverflows(): void {
    clearTimeout(this.#overflowTimer);
    this.#overflowTimer = undefined;
    for (const overflow of this.#overflows.values()) this.#options.report({ type: 'webhook-overflow', ...overflow });
    this.#overflows.clear();
  }
}
