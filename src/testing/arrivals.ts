import type { ChangeEvent } from '../mail/feed.ts';
import type { Store, StoredMessage } from '../mail/store.ts';
import type { Judge } from './wanted.ts';

interface Waiter {
  readonly fits: Judge;
  take(message: StoredMessage): void;
  fail(error: unknown): void;
}

/**
 * What has come and was not handed out yet, and who waits. The feed of the store brings every message; nobody polls.
 * Each message goes to one waiter, the one that waits longest of those it fits; each waiter gets the oldest that fits.
 */
export class Arrivals {
  readonly #store: Store;
  /** In order of arrival. */
  readonly #there = new Map<string, StoredMessage>();
  readonly #waiting = new Set<Waiter>();
  readonly #leaveFeed: () => void;
  /** Ends with the last event that was told: events are taken one after the other. */
  #taken: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(store: Store) {
    this.#store = store;
    this.#leaveFeed = store.feed.subscribe((event) => {
      this.#taken = this.#taken.then(() => this.#take(event)).catch((error: unknown) => this.#fail(error));
    });
  }

  /** Gives the oldest message that fits, at once or when it comes; `leave` gives up, if it is not too late. */
  next(fits: Judge): { readonly message: Promise<StoredMessage>; leave(why: Error): void } {
    const { promise, resolve, reject } = Promise.withResolvers<StoredMessage>();
    const waiter: Waiter = { fits, take: resolve, fail: reject };
    const there = [...this.#there.values()].find(fits);
    if (this.#failure !== undefined) reject(this.#failure.error);
    else if (there === undefined) this.#waiting.add(waiter);
    else {
      this.#there.delete(there.id);
      resolve(there);
    }
    const leave = (why: Error): void => {
      // what has come by now is in time, though it may still be on its way through here
      void this.#taken.then(() => this.#waiting.delete(waiter) && reject(why));
    };
    return { message: promise, leave };
  }

  /** Forgets messages that were removed, also those on their way here. */
  async forget(ids: readonly string[]): Promise<void> {
    await this.#taken;
    for (const id of ids) this.#there.delete(id);
  }

  /** True for a message that no waiter has got. */
  has(id: string): boolean {
    return this.#there.has(id);
  }

  /** Ends all waiting. */
  close(why: Error): void {
    this.#leaveFeed();
    this.#fail(why);
  }

  async #take({ type, message: id }: ChangeEvent): Promise<void> {
    if (type === 'changed') return;
    const message = await this.#store.get(id);
    if (message === undefined) this.#there.delete(id);
    else if (type === 'received') this.#hand(message);
  }

  #hand(message: StoredMessage): void {
    const waiter = [...this.#waiting].find(({ fits }) => fits(message));
    if (waiter === undefined) this.#there.set(message.id, message);
    else {
      this.#waiting.delete(waiter);
      waiter.take(message);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const waiter of this.#waiting) waiter.fail(error);
    this.#waiting.clear();
  }
}
