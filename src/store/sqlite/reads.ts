import type { ContentForm, InboxQuery, ListQuery } from '../../mail/store.ts';
import type { BacklogLimits, FoundContent, FoundMessage, FoundPage, Queries, Unindexed } from './queries.ts';
import { Moved } from './thread.ts';

/** Reading as methods of a thread: of a reader's, or of the writer's when the database is in its memory. */
export function readMethods(queries: () => Queries) {
  return {
    list: (query: ListQuery): Moved<FoundPage> => {
      const page = queries().list(query);
      return new Moved(page, buffersOf(page.unindexed));
    },
    get: (id: string): Moved<FoundMessage | undefined> => {
      const found = queries().get(id);
      return new Moved(found, buffersOf(found?.unindexed ?? []));
    },
    content: ({ id, form }: { readonly id: string; readonly form: ContentForm }): Moved<FoundContent | undefined> => {
      const found = queries().content(id, form);
      return new Moved(found, found?.kind === 'blob' ? [found.content.buffer] : []);
    },
    inboxes: (query: InboxQuery) => queries().inboxes(query),
    pending: ({ limit, after }: { readonly limit: number; readonly after: string | undefined }) =>
      queries().pending(limit, after),
    tags: () => queries().tags(),
    events: ({ after, limit }: { readonly after: number; readonly limit: number }) => queries().events(after, limit),
    waitingDeliveries: ({
      target,
      after,
      limit,
    }: {
      readonly target: string;
      readonly after: number;
      readonly limit: number;
    }) => queries().waitingDeliveries(target, after, limit),
    delivery: (seq: number) => queries().delivery(seq),
    deadLetters: ({ target, limit }: { readonly target: string; readonly limit: number }) =>
      queries().deadLetters(target, limit),
    deliveryCounts: () => queries().deliveryCounts(),
    stats: () => queries().stats(),
    isPackable: () => queries().isPackable(),
    unindexed: (limits: BacklogLimits) => {
      const found = queries().unindexed(limits);
      return new Moved(found, buffersOf(found.entries));
    },
  };
}

export type ReadMethods = ReturnType<typeof readMethods>;

function buffersOf(entries: readonly Unindexed[]): ArrayBuffer[] {
  return entries.flatMap(({ content }) => (content.kind === 'blob' ? [content.content.buffer] : []));
}
