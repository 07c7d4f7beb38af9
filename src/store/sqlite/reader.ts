import { existsSync } from 'node:fs';
import type { Naming } from '../../mail/inbox.ts';
import type { Store } from '../../mail/store.ts';
import { StoreError } from '../errors.ts';
import { Indexer } from './indexer.ts';
import { hasIntake } from './intake-log.ts';
import { type Layout, layoutOf } from './layout.ts';
import { startReader } from './readers.ts';
import { createReading } from './reading.ts';
import { Writer } from './writer.ts';

export type StoreReader = Pick<Store, 'list' | 'get' | 'content' | 'inboxes' | 'tags' | 'stats' | 'close'>;

/**
 * Reads a store without its lock, beside a daemon or without one. What a killed daemon left in the intake log is put
 * into the tables first, unless one runs.
 * @throws STORE_MISSING if there is none, STORE_NEWER, STORE_CORRUPT
 */
export async function openSqliteReader(directory: string, naming: Naming): Promise<StoreReader> {
  const layout = layoutOf(directory);
  if (!existsSync(layout.database)) throw new StoreError('STORE_MISSING', `There is no store in ${directory}`);
  await takeIntake(layout, naming);
  const readers = await startReader(directory);
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

/** A daemon that runs has its own intake in hand; who may only read sees what is in the tables. Without an index nobody searches. */
async function takeIntake(layout: Layout, naming: Naming): Promise<void> {
  const isSearchable = existsSync(layout.search);
  if (isSearchable && !hasIntake(layout)) return;
  const limits = { keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 };
  try {
    await new Writer({ directory: layout.directory, naming, limits, now: Date.now() }, () => {}).close();
  } catch (error) {
    const { code } = error as { code?: string };
    if (!isSearchable || (code !== 'STORE_LOCKED' && code !== 'STORE_UNWRITABLE')) throw error;
  }
}
