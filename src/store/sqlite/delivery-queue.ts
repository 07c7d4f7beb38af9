import type { DeliveryQueue, Overflow, Settlement } from '../../mail/deliveries.ts';
import { Gatherer } from './gatherer.ts';
import type { Readers } from './readers.ts';
import type { Thread } from './thread.ts';
import type { CommittedEvent, WriteMethods } from './writer-thread.ts';

export interface DeliveryQueueOptions {
  readonly reader: Readers['quick'];
  readonly writer: Thread<WriteMethods, CommittedEvent>;
  readonly now: () => number;
}

/** The queue of deliveries as others use it; the store tells it of commits. */
export class StoreDeliveries implements DeliveryQueue {
  readonly #options: DeliveryQueueOptions;
  readonly #settlements: Gatherer<Settlement, void>;
  readonly #added = new Set<() => void>();
  readonly #overflow = new Set<(overflow: Overflow) => void>();
  /** What opening the store gave up, before anybody could listen. */
  #untold: Overflow[] = [];

  constructor(options: DeliveryQueueOptions) {
    const { writer, now } = options;
    this.#options = options;
    this.#settlements = new Gatherer<Settlement, void>(async (settlements) => {
      await writer.call('settle', { settlements, now: now() });
      return [];
    });
  }

  waiting: DeliveryQueue['waiting'] = (target, after, limit) =>
    this.#options.reader.call('waitingDeliveries', { target, after, limit });

  get: DeliveryQueue['get'] = (seq) => this.#options.reader.call('delivery', seq);

  settle: DeliveryQueue['settle'] = (settlement) => this.#settlements.add(settlement);

  dead: DeliveryQueue['dead'] = (target, limit) => this.#options.reader.call('deadLetters', { target, limit });

  counts: DeliveryQueue['counts'] = () => this.#options.reader.call('deliveryCounts', undefined);

  async replay(target: string, ids?: readonly string[]): Promise<number> {
    const { writer, now } = this.#options;
    const replayed = await writer.call('replay', { target, ids, now: now() });
    if (replayed > 0) this.tell([]);
    return replayed;
  }

  onAdded(listener: () => void): () => void {
    const own = () => listener();
    this.#added.add(own);
    return () => this.#added.delete(own);
  }

  onOverflow(listener: (overflow: Overflow) => void): () => void {
    const own = (overflow: Overflow) => listener(overflow);
    this.#overflow.add(own);
    for (const overflow of this.#untold.splice(0)) listener(overflow);
    return () => this.#overflow.delete(own);
  }

  /** A commit may have added deliveries, and there was no room for these. */
  tell(overflows: readonly Overflow[]): void {
    for (const listener of this.#added) listener();
    if (this.#overflow.size === 0) this.#untold.push(...overflows);
    else for (const overflow of overflows) for (const listener of this.#overflow) listener(overflow);
  }

  /** Resolves when nothing waits to be written. */
  async drain(): Promise<void> {
    await this.#settlements.drain();
  }
}
