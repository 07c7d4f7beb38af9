import { existsSync } from 'node:fs';
import type { Store } from '../../mail/store.ts';
import { StoreError } from '../errors.ts';
import { Indexer } from './indexer.ts';
import { layoutOf } from './layout.ts';
import type { ReaderData, ReaderMethods } from './reader-thread.ts';
import { createReading } from './reading.ts';
import { startThread } from './thread.ts';

export type StoreReader = Pick<Store, 'list' | 'get' | 'content' | 'inboxes' | 'tags' | 'stats' | 'close'>;

/**
 * Reads a store without its lock, beside a daemon or without one.
 * @throws STORE_MISSING if there is none, STORE_NEWER, STORE_CORRUPT
 */
export async function openSqliteReader(directory: string): Promise<StoreReader> {
  const layout = layoutOf(directory);
  if (!existsSync(layout.database)) throw new StoreError('STORE_MISSING', `There is no store in ${directory}`);
  const data: ReaderData = { directory };
  const reader = await startThread<ReaderMethods>('reader-thread', { name: 'store reader', data });
  const indexer = new Indexer({ reader, contents: layout.contents });
  const reading = createReading(reader, indexer, layout.contents);
  return {
    ...reading,
    stats: async () => ({ ...(await reading.stats()), deleted: 0, location: directory }),
    async close() {
      await indexer.close();
      await reader.call('close', undefined);
      await reader.end();
    },
  };
}
