import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { type Layout, makePrivateFile } from './layout.ts';

/*
 * The index of words is a database of its own beside that of the messages, with a writer of its own: however long FTS5
 * takes to merge its parts, mail that comes does not wait for it. Whoever searches has both attached to each other, and
 * no table of one is called like one of the other. It holds nothing that the messages do not say: where it is missing,
 * damaged or of another version it is made anew, and all mail is indexed again.
 *
 * Of what it says only that up to totals.indexed_to is believed, which is written after it. It is not fsynced commit by
 * commit, so after a power cut it may know less than that: the writer looks when it opens (`searchedTo`).
 */

/** Of what the index is made of, and what it holds of a mail; with another one it is made anew. */
const SEARCH_VERSION = 1;
const PAGE_BYTES = 16 * 1024;
/** Its WAL is copied into it after this many octets. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
const CACHE_KIB = 4 * 1024;
/** Of the messages it looks up where a few lie. */
const STORE_CACHE_KIB = 512;
const BUSY_MS = 5000;
/** What the index is called where it is attached to the messages. */
export const WORDS = 'words';

const CORRUPT = 11;
const NOT_A_DATABASE = 26;

// Columns with the most words come first: FTS5 then takes less room.
const COLUMNS = `starts, body, header_values, envelope, recipients, subject, sender, message_id, header_names, marks, cc, bcc,
  reply_to, file_names, content = '', contentless_delete = 1, tokenize = 'ascii'`;

function schemaOf(place: string): string {
  return `
    CREATE TABLE ${place}.search_state (
      only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
      indexed_to INTEGER NOT NULL,        -- the words of every message up to this seq are here
      last_kind  INTEGER NOT NULL         -- the largest number that a kind was ever given (shared-words.ts)
    ) STRICT;
    INSERT INTO ${place}.search_state VALUES (1, 0, 0);
    CREATE VIRTUAL TABLE ${place}.search USING fts5 (${COLUMNS});        -- see search-index.ts
    CREATE VIRTUAL TABLE ${place}.shared_search USING fts5 (${COLUMNS}); -- see shared-words.ts
  `;
}

/** Sees to it that there is an index, if need be an empty one. */
export function makeSearch({ search }: Layout): void {
  if (isUsable(search)) return;
  for (const path of [search, `${search}-wal`, `${search}-shm`]) rmSync(path, { force: true });
  makePrivateFile(search);
  const database = new DatabaseSync(search, { timeout: BUSY_MS });
  try {
    database.exec(`
      PRAGMA page_size = ${PAGE_BYTES};
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL;
      BEGIN;
      ${schemaOf('main')}
      PRAGMA user_version = ${SEARCH_VERSION};
      COMMIT;
    `);
  } finally {
    database.close();
  }
}

function isUsable(path: string): boolean {
  makePrivateFile(path);
  const database = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    const row = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (row.user_version !== SEARCH_VERSION) return false;
    database.prepare('SELECT indexed_to FROM search_state').get();
    return true;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return false;
  } finally {
    database.close();
  }
}

/** Whether an error of SQLite says that a file is damaged. */
export function isDamage(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && [CORRUPT, NOT_A_DATABASE].includes(errcode & 0xff);
}

/** Lets a connection to the messages search: in the index of their folder, or in one in memory, which it makes. */
export function attachSearch(database: DatabaseSync, layout: Layout | undefined): void {
  database.prepare(`ATTACH ? AS ${WORDS}`).run(layout ? toRead(layout.search) : ':memory:');
  if (!layout) database.exec(schemaOf(WORDS));
}

/** Opens the index to write, with the messages beside it to be read. */
export function openSearch(layout: Layout): DatabaseSync {
  const database = new DatabaseSync(layout.search, { timeout: BUSY_MS });
  try {
    database.prepare('ATTACH ? AS store').run(toRead(layout.database));
    database.exec(`
      PRAGMA main.synchronous = NORMAL;
      PRAGMA main.wal_autocheckpoint = ${Math.ceil(CHECKPOINT_BYTES / PAGE_BYTES)};
      PRAGMA main.journal_size_limit = ${2 * CHECKPOINT_BYTES};
      PRAGMA main.cache_size = -${CACHE_KIB};
      PRAGMA store.cache_size = -${STORE_CACHE_KIB};
      PRAGMA temp_store = MEMORY;
    `);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Has an index that proved to be damaged be made anew when the store is next opened. */
export function condemnSearch({ search }: Layout): void {
  const database = new DatabaseSync(search, { timeout: BUSY_MS });
  try {
    database.exec('PRAGMA user_version = 0');
  } finally {
    database.close();
  }
}

/** Copies what the WAL of the index holds and removes it, as the last one who has it open. */
export function settleSearch({ search }: Layout): void {
  const database = new DatabaseSync(search, { timeout: BUSY_MS });
  try {
    database.prepare('SELECT indexed_to FROM search_state').get(); // SQLite opens a file when it is first read
  } finally {
    database.close();
  }
}

/** Up to which seq the index has the words of messages. */
export function searchedTo(database: DatabaseSync): number {
  return Number(database.prepare('SELECT indexed_to FROM search_state').get()?.indexed_to ?? 0);
}

function toRead(path: string): string {
  return `${pathToFileURL(path).href}?mode=ro`;
}
