import { EventMatcher } from '../../mail/event-matcher.ts';
import type { ChangeEvent } from '../../mail/feed.ts';
import type { Query } from '../../mail/query.ts';
import type { Grant } from '../auth/grant.ts';
import { scopeEvent } from '../auth/scoped-store.ts';
import type { Context } from '../context.ts';
import { storeFor } from '../store-for.ts';

export interface Wait {
  readonly inbox: string;
  readonly query: Query;
  readonly grant: Grant;
  readonly timeoutMs: number;
}

/** A place in the waiting room. */
export interface Place {
  /** Id of the message that came; undefined when the time is up, or whoever waited has left. */
  readonly arrival: Promise<string | 'closing' | undefined>;
  leave(): void;
}

interface Waiter extends Wait {
  readonly settle: (id: string | 'closing' | undefined) => void;
}

/**
 * Where requests wait for mail. Nobody polls: there is one listener on the feed while anybody waits, waiters stand under the name of their
 * inbox, and an event costs only those something who wait for just that inbox.
 */
export class WaitingRoom {
  readonly #context: Context;
  readonly #matcher: EventMatcher;
  readonly #waiting = new Map<string, Set<Waiter>>();
  /** Set while somebody waits: a feed without listeners costs its writers nothing. */
  #leaveFeed: (() => void) | undefined;
  #count = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#matcher = new EventMatcher();
  }

  /** How many wait. */
  get size(): number {
    return this.#count;
  }

  /** Takes a place; undefined if there is none left. */
  enter(wait: Wait): Place | undefined {
    if (this.#count >= this.#context.limits.waiters) return undefined;
    const { promise, resolve } = Promise.withResolvers<string | 'closing' | undefined>();
    const { expiresAt = Number.POSITIVE_INFINITY } = wait.grant;
    const waitMs = Math.min(wait.timeoutMs, Math.max(0, expiresAt - Date.now()));
    const timer = setTimeout(() => waiter.settle(undefined), waitMs);
    const waiter: Waiter = {
      ...wait,
      settle: (id) => {
        if (!this.#remove(waiter)) return;
        clearTimeout(timer);
        resolve(id);
      },
    };
    const others = this.#waiting.get(wait.inbox);
    if (others === undefined) this.#waiting.set(wait.inbox, new Set([waiter]));
    else others.add(waiter);
    this.#count++;
    this.#leaveFeed ??= this.#context.store.feed.subscribe((event) => this.#take(event));
    return { arrival: promise, leave: () => waiter.settle(undefined) };
  }

  /** Sends everybody away; the store is about to close. */
  close(): void {
    for (const waiters of [...this.#waiting.values()]) for (const waiter of [...waiters]) waiter.settle('closing');
  }

  #take(event: ChangeEvent): void {
    if (event.type !== 'received') return;
    for (const inbox of event.inboxes) {
      for (const waiter of this.#waiting.get(inbox) ?? []) this.#offer(event, waiter);
    }
  }

  #offer(event: ChangeEvent, waiter: Waiter): void {
    const { inbox, query, grant, settle } = waiter;
    const { access, report } = this.#context;
    if (!access.isGood(grant)) {
      settle(undefined);
      return;
    }
    const seen = scopeEvent(event, grant, this.#context.naming);
    const fits = seen !== undefined && this.#matcher.fits(seen, query, inbox, storeFor({ grant }, this.#context));
    if (fits === true) settle(event.message);
    else if (fits !== false) {
      fits.then(
        (isFit) => isFit && settle(event.message),
        (error: unknown) => report({ type: 'crash', where: 'http wait', error }),
      );
    }
  }

  #remove(waiter: Waiter): boolean {
    const others = this.#waiting.get(waiter.inbox);
    if (!others?.delete(waiter)) return false;
    if (others.size === 0) this.#waiting.delete(waiter.inbox);
    this.#count--;
    if (this.#count === 0) {
      this.#leaveFeed?.();
      this.#leaveFeed = undefined;
    }
    return true;
  }
}
