import { existsSync } from 'node:fs';
import type { Store } from '../../mail/store.ts';
import { StoreError } from '../errors.ts';
import { Indexer } from './indexer.ts';
import { layoutOf } from './layout.ts';
import { startReaders } from './readers.ts';
import { createReading } from './reading.ts';

export type StoreReader = Pick<Store, 'list' | 'get' | 'content' | 'inboxes' | 'tags' | 'stats' | 'close'>;

/**
 * Reads a store without its lock, beside a daemon or without one.
 * @throws STORE_MISSING if there is none, STORE_NEWER, STORE_CORRUPT
 */
export async function openSqliteReader(directory: string): Promise<StoreReader> {
  const layout = layoutOf(directory);
  if (!existsSync(layout.database)) throw new StoreError('STORE_MISSING', `There is no store in ${directory}`);
  const readers = await startReaders(1).open(directory);
  const indexer = new Indexer({ reader: readers.slow, contents: layout.contents });
  const reading = createReading(readers, indexer, layout.contents);
  return {
    ...reading,
    stats: async () => ({ ...(await reading.stats()), deleted: 0, location: directory }),
    async close() {
      await indexer.close();
      await readers.close();
    },
  };
}
