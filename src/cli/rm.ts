import type { Config } from '../config.ts';
import type { Selection } from '../mail/store.ts';
import { createSqliteStore } from '../store/sqlite/store.ts';
import { EXIT } from './exit-codes.ts';
import { complain, oneLine, print, printJson } from './output.ts';
import { findDaemon } from './running-daemon.ts';
import { findInbox, findMessage, type StoreReader, withReader } from './store-access.ts';

export interface RmOptions {
  readonly inbox?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

const IDS_PER_REQUEST = 1000;

/** What is to be removed, once it is known to exist. */
interface Found {
  readonly selection: Exclude<Selection, { query: unknown }>;
  /** Messages that the selection takes out of where it looks. */
  readonly ids: readonly string[];
  readonly missing: readonly string[];
}

/**
 * `inboxd rm`: removes messages. Works beside a running daemon, which is then asked to do it, and without one.
 * What is there is looked up first, so that the exit code is right in both cases.
 */
export async function rm(config: Config, ids: readonly string[], options: RmOptions): Promise<number> {
  const found = await withReader(config, (reader) => find(reader, config, ids, options));
  const removed = found.ids.length === 0 ? [] : await remove(config, found);
  if (options.json) printJson({ removed, missing: found.missing });
  else if (removed.length > 0) print(`removed ${removed.length} ${removed.length === 1 ? 'message' : 'messages'}`);
  for (const name of found.missing)
    complain(options.inbox === undefined ? `no message ${oneLine(name)}` : `no inbox ${oneLine(name)}`);
  if (options.all && removed.length === 0) complain('no mail to remove');
  return found.missing.length > 0 || removed.length === 0 ? EXIT.NOTHING : EXIT.OK;
}

async function find(
  reader: StoreReader,
  config: Config,
  wanted: readonly string[],
  options: RmOptions,
): Promise<Found> {
  if (options.all) return { selection: { all: true }, ids: idsOf(await reader.list({})), missing: [] };
  if (options.inbox !== undefined) {
    const inbox = await findInbox(reader, options.inbox, config.naming);
    if (inbox === undefined) return { selection: { ids: [] }, ids: [], missing: [options.inbox] };
    return { selection: { inbox }, ids: idsOf(await reader.list({ inbox })), missing: [] };
  }
  const ids = new Set<string>();
  const missing: string[] = [];
  for (const name of wanted) {
    const id = await findMessage(reader, name);
    if (id === undefined) missing.push(name);
    else ids.add(id);
  }
  return { selection: { ids: [...ids] }, ids: [...ids], missing };
}

function idsOf(page: { readonly messages: readonly { readonly id: string }[] }): string[] {
  return page.messages.map(({ id }) => id);
}

async function remove(config: Config, found: Found): Promise<readonly string[]> {
  try {
    return await removeAlone(config, found);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'STORE_LOCKED') throw error;
    return removeThroughDaemon(config.data, found);
  }
}

/** No retention here: what goes is what was named. */
async function removeAlone(config: Config, found: Found): Promise<readonly string[]> {
  const { data: directory, naming } = config;
  const store = await createSqliteStore({
    directory,
    naming,
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    report: () => {},
  });
  try {
    await store.remove(found.selection);
    return found.ids;
  } finally {
    await store.close();
  }
}

async function removeThroughDaemon(data: string, { selection, ids }: Found): Promise<readonly string[]> {
  const daemon = findDaemon(data);
  if ('inbox' in selection) {
    await daemon.ask('DELETE', `/api/inboxes/${encodeURIComponent(selection.inbox)}`);
  } else if ('all' in selection) {
    await daemon.ask('DELETE', '/api/v1/messages', {});
  } else {
    // never an empty list: to this route that means every message
    for (let from = 0; from < ids.length; from += IDS_PER_REQUEST) {
      await daemon.ask('DELETE', '/api/v1/messages', { IDs: ids.slice(from, from + IDS_PER_REQUEST) });
    }
  }
  return ids;
}
