import { join } from 'node:path';
import type { Store, StoreStats } from '../../mail/store.ts';
import { readFile } from './content-files.ts';
import type { Indexer } from './indexer.ts';
import type { ReadMethods } from './reads.ts';
import { needsText } from './search.ts';
import type { Thread } from './thread.ts';

/** The reading half of a store. */
export type Reading = Pick<Store, 'list' | 'get' | 'content' | 'inboxes' | 'tags' | 'pending'> & {
  stats(): Promise<Omit<StoreStats, 'deleted' | 'location'>>;
};

/** Reads through a thread, so that no query holds up the event loop. */
export function createReading(reader: Thread<ReadMethods, never>, indexer: Indexer, contents: string): Reading {
  return {
    async list(query) {
      if (needsText(query.query)) await indexer.caughtUp();
      let page = await reader.call('list', query);
      if (page.isPartial) {
        await indexer.caughtUp();
        page = await reader.call('list', query);
      }
      const { messages, unindexed, isPartial: _partial, ...rest } = page;
      return { messages: await indexer.complete(messages, unindexed), ...rest };
    },
    async get(id) {
      const found = await reader.call('get', id);
      if (!found) return undefined;
      const [message] = await indexer.complete([found.message], found.unindexed);
      return message;
    },
    async content(id) {
      const found = await reader.call('content', id);
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
    inboxes: (query = {}) => reader.call('inboxes', query),
    pending: (limit, after) => reader.call('pending', { limit, after }),
    tags: () => reader.call('tags', undefined),
    stats: () => reader.call('stats', undefined),
  };
}
