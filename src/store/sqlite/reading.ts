import { join } from 'node:path';
import type { ListQuery, Store, StoreStats } from '../../mail/store.ts';
import { readFile } from './content-files.ts';
import type { Indexer } from './indexer.ts';
import type { Readers } from './readers.ts';
import { needsText } from './search.ts';

/** The reading half of a store. */
export type Reading = Pick<Store, 'list' | 'get' | 'content' | 'inboxes' | 'tags' | 'pending'> & {
  stats(): Promise<Omit<StoreStats, 'deleted' | 'location'>>;
};

/** Reads through threads, so that no query holds up the event loop. */
export function createReading({ quick, slow, fresh }: Readers, indexer: Indexer, contents: string): Reading {
  return {
    async list(query) {
      if (needsText(query.query)) await indexer.caughtUp();
      const reader = isQuick(query) ? quick : slow;
      let page = await reader.call('list', query);
      if (page.isPartial) {
        await indexer.caughtUp();
        page = await reader.call('list', query);
      }
      const { messages, unindexed, isPartial: _partial, ...rest } = page;
      return { messages: await indexer.complete(messages, unindexed), ...rest };
    },
    async get(id) {
      const found = await quick.call('get', id);
      if (!found) return undefined;
      const [message] = await indexer.complete([found.message], found.unindexed);
      return message;
    },
    async content(id, form = 'received') {
      const found = await quick.call('content', { id, form });
      if (!found) return undefined;
      if (found.kind === 'file') {
        return { bytes: found.bytes, stream: () => readFile(join(contents, found.file)) };
      }
      const { content } = found;
      const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
      return {
        bytes: found.bytes,
        async *stream() {
          if (bytes.length > 0) yield bytes;
        },
      };
    },
    inboxes: (query = {}) => (query.contains ? slow : quick).call('inboxes', query),
    pending: (limit, after) => fresh.call('pending', { limit, after }),
    tags: () => slow.call('tags', undefined),
    stats: () => quick.call('stats', undefined),
  };
}

/** A list without a search goes along an index, and its count is known. */
function isQuick({ query, scope, before }: ListQuery): boolean {
  return (query === undefined || query.kind === 'all') && scope === undefined && before === undefined;
}
