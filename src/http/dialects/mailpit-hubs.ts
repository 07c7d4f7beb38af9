import type { Grant } from '../auth/grant.ts';
import type { Context } from '../context.ts';
import { storeFor } from '../store-for.ts';
import { HUB_LIMITS, MailpitHub } from './mailpit-hub.ts';

/**
 * Gives each client of the WebSocket the hub that tells what its credentials may see: one for all who see everything, and
 * one for each grant of some inboxes, over the store as that grant sees it, while it has clients.
 */
export class MailpitHubs {
  readonly #context: Context;
  readonly #whole: MailpitHub;
  readonly #scoped = new Map<Grant, MailpitHub>();

  constructor(context: Context) {
    this.#context = context;
    this.#whole = new MailpitHub(context);
  }

  /** True while no more clients are taken. */
  get isFull(): boolean {
    let clients = 0;
    for (const { size } of this.#all()) clients += size;
    return clients >= HUB_LIMITS.clients;
  }

  for(grant: Grant): MailpitHub {
    if (grant.scope === undefined) return this.#whole;
    const known = this.#scoped.get(grant);
    if (known) return known;
    // what was refused to whom is nobody's business who sees some inboxes only
    const context = { ...this.#context, store: storeFor({ grant }, this.#context), refusals: () => () => {} };
    const hub: MailpitHub = new MailpitHub(context, () => {
      if (this.#scoped.get(grant) === hub) this.#scoped.delete(grant);
    });
    this.#scoped.set(grant, hub);
    return hub;
  }

  /** Does what deletes all messages; who sees everything is told of it in one frame, the others of what was theirs. */
  truncate(remove: () => Promise<readonly string[]>): Promise<void> {
    return this.#whole.truncate(remove);
  }

  /** Tells clients that so much has changed that they do better to ask for everything again. */
  prune(): void {
    for (const hub of this.#all()) hub.prune();
  }

  /** Lets all clients go. */
  close(): void {
    for (const hub of this.#all()) hub.close();
  }

  #all(): MailpitHub[] {
    return [this.#whole, ...this.#scoped.values()];
  }
}
