import { existsSync } from 'node:fs';
import type { Config } from '../config.ts';
import { StartError } from '../errors.ts';
import { inboxOf } from '../mail/inbox.ts';
import type { Store } from '../mail/store.ts';
import { pathOf } from '../store/sqlite/facts.ts';
import { layoutOf } from '../store/sqlite/layout.ts';
import { openSqliteReader } from '../store/sqlite/reader.ts';

/** The part of a store that reads; works beside a running daemon. */
export type StoreReader = Awaited<ReturnType<typeof openSqliteReader>>;

/**
 * Runs work on the store of the data folder, open for reading, and closes it.
 * @throws StartError if there is no store to open
 */
export async function withReader<T>(config: Config, work: (reader: StoreReader) => Promise<T>): Promise<T> {
  requireStore(config.data);
  const reader = await openSqliteReader(config.data, config.naming);
  try {
    return await work(reader);
  } finally {
    await reader.close();
  }
}

/** Refuses a data folder that no command can work on, before anything creates a store in it. */
function requireStore(data: string): void {
  if (data === ':memory:') {
    throw new StartError(
      'STORE_IN_MEMORY',
      'data is :memory:, which only the daemon itself can see; ask its HTTP API instead',
    );
  }
  if (!existsSync(layoutOf(data).database)) {
    throw new StartError(
      'STORE_MISSING',
      `${data} holds no mail yet; start inboxd on it, or name another folder with --data`,
    );
  }
}

/**
 * Finds the inbox that people mean: one of just that name, else that of the address they wrote.
 * @returns undefined if neither holds a message
 */
export async function findInbox(
  reader: Pick<Store, 'list'>,
  text: string,
  naming: Config['naming'],
): Promise<string | undefined> {
  for (const inbox of new Set([text, inboxOf(pathOf(text), naming).inbox])) {
    if ((await reader.list({ inbox, limit: 1 })).messages.length > 0) return inbox;
  }
  return undefined;
}

/** The id itself, or that of the newest message for `latest`; undefined if there is no such message. */
export async function findMessage(reader: Pick<Store, 'list' | 'get'>, id: string): Promise<string | undefined> {
  if (id === 'latest') return (await reader.list({ limit: 1 })).messages[0]?.id;
  return (await reader.get(id)) === undefined ? undefined : id;
}
