import type { WholeDelivery } from '../mail/deliveries.ts';
import { EventMatcher } from '../mail/event-matcher.ts';
import { matches, needsContent, parseQuery, type Query } from '../mail/query.ts';
import type { Store } from '../mail/store.ts';

/** `unproven`: who sent the message is asked, and being found out; `gone`: its text is asked, and nobody has it any more. */
export type Judgement = 'wanted' | 'unwanted' | 'unproven' | 'gone';

/**
 * Says whether a target wants to be told of a message: whether its search finds it as it came.
 * Most searches the summary answers that came with the delivery; what asks for the text is asked of the store.
 */
export class Judge {
  readonly #store: Store;
  readonly #matcher = new EventMatcher();

  constructor(store: Store) {
    this.#store = store;
  }

  async judge({ seq, message, inboxes, queuedAt, summary }: WholeDelivery, query: string): Promise<Judgement> {
    const parsed = parseQuery(query, undefined, queuedAt);
    if (!parsed.ok) throw new Error(`The search ${JSON.stringify(query)} cannot be read: ${parsed.why}`);
    const { value } = parsed;
    const isOpen = summary.verification?.status === 'pending' && asksSender(value);
    if (!isOpen && !needsContent(value)) return matches(value, summary) ? 'wanted' : 'unwanted';
    const stored = await this.#store.get(message);
    if (stored === undefined) return 'gone';
    const { verification } = stored;
    if (isOpen && verification?.status === 'pending') return 'unproven';
    const event = {
      id: seq,
      type: 'received',
      message,
      inboxes,
      at: stored.receivedAt,
      summary: { ...summary, verification },
    } as const;
    const fits = await this.#matcher.fits(event, value, inboxes[0], this.#store);
    return fits ? 'wanted' : 'unwanted';
  }
}

function asksSender(query: Query): boolean {
  switch (query.kind) {
    case 'and':
    case 'or':
      return query.parts.some(asksSender);
    case 'not':
      return asksSender(query.part);
    case 'is':
      return query.what === 'verified';
    default:
      return query.kind === 'result';
  }
}
