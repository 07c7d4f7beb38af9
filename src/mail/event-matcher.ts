import type { ChangeEvent } from './feed.ts';
import { matches, needsContent, type Query } from './query.ts';
import type { Store } from './store.ts';

/** How many answers are kept; as many as there are different searches at a time. */
const KEPT = 1_000;
const PAGE = 50;

/**
 * Says whether the message of an event fits a search. Most searches the event itself can answer; one that needs the text
 * of the message asks the store, once for all who want to know.
 */
export class EventMatcher {
  readonly #answers = new WeakMap<Store, Map<string, Promise<boolean>>>();

  /**
   * A boolean where it is known at once.
   * @param event as the client may see it, and `store` likewise
   */
  fits(event: ChangeEvent, query: Query, inbox: string | undefined, store: Store): boolean | Promise<boolean> {
    if (query.kind === 'all') return true;
    const { summary } = event;
    if (summary === undefined) return false;
    if (!needsContent(query)) return matches(query, summary);
    const answers = this.#answers.get(store) ?? new Map<string, Promise<boolean>>();
    this.#answers.set(store, answers);
    const key = JSON.stringify([event.id, inbox, query]);
    let answer = answers.get(key);
    if (answer === undefined) {
      answer = isFound(store, event.message, summary.receivedAt, query, inbox);
      answers.set(key, answer);
      for (const oldest of answers.keys()) {
        if (answers.size <= KEPT) break;
        answers.delete(oldest);
      }
    }
    return answer;
  }
}

/** Looks for a message where it must be if it fits: among the newest up to its own time. */
async function isFound(store: Store, id: string, at: Date, query: Query, inbox: string | undefined): Promise<boolean> {
  const before = new Date(at.getTime() + 1);
  let cursor: string | undefined;
  do {
    const page = await store.list({
      query,
      before,
      limit: PAGE,
      ...(inbox !== undefined && { inbox }),
      ...(cursor !== undefined && { cursor }),
    });
    if (page.messages.some((message) => message.id === id)) return true;
    // what is older than the message cannot be it
    if (page.messages.some(({ receivedAt }) => receivedAt < at)) return false;
    cursor = page.next;
  } while (cursor !== undefined);
  return false;
}
