import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { HEADER_LIMITS } from '../../mail/headers.ts';
import { matchesHeader } from '../../mail/query.ts';
import { fold, spacedWords } from '../../mail/words.ts';
import { searchedHeaders, startOfFile } from './header-text.ts';
import { makePrivateFile } from './layout.ts';
import { checkVersion, migrate } from './migrations.ts';
import { MEMORY } from './sqlite-errors.ts';
import { Unpacker } from './unpacker.ts';

/** Few large pages: a 4 KiB mail then lies within one page, which measured faster than SQLite's 4 KiB default. */
const PAGE_BYTES = 16 * 1024;
/**
 * The WAL is copied into the database after this many octets: more would hold up a batch for longer. Of a large database it
 * saves something, for messages come to inboxes, and go from them, all over it: pages are changed again before they are copied.
 */
const CHECKPOINT = { least: 8 * 1024 * 1024, most: 32 * 1024 * 1024, part: 1 / 64 };
/** The system has read files in its own cache, which all threads share. */
const CACHE_KIB = 4 * 1024;

/**
 * Opens the database to write; makes it or brings it to the newest version.
 * @param contents folder of the content files
 * @param reserveBytes room that is sure to be there when the WAL has to be copied on a full disk
 */
export function openToWrite(
  path: string,
  contents: string,
  reserveBytes: number = Number.POSITIVE_INFINITY,
): DatabaseSync {
  if (path !== MEMORY) makePrivateFile(path);
  const { least, most, part } = CHECKPOINT;
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const wanted = Math.max(least, Math.min(most, size * part));
  const checkpointBytes = Math.min(wanted, reserveBytes * (2 / 3)); // a batch may overshoot
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    // have effect on an empty file only
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`);
    checkVersion(database, path);
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${Math.ceil(checkpointBytes / PAGE_BYTES)};
      PRAGMA journal_size_limit = ${Math.round(2 * checkpointBytes)};
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA temp_store = MEMORY;
    `);
    migrate(database, path);
    addFunctions(database, contents);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens the database to read beside whoever writes. */
export function openToRead(path: string, contents: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    checkVersion(database, path);
    database.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`);
    addFunctions(database, contents);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** What conditions (search.ts) use. `seq` is that of a message, `file` the name of its content file or null. */
function addFunctions(database: DatabaseSync, contents: string): void {
  const pure = { deterministic: true };
  const unpacker = new Unpacker(database);
  const startOf = (seq: unknown, file: unknown): Uint8Array =>
    typeof file === 'string'
      ? startOfFile(contents, file)
      : (unpacker.content(Number(seq)) ?? Buffer.alloc(0)).subarray(0, HEADER_LIMITS.bytes);
  const headers = (seq: unknown, file: unknown) => {
    const { buffer, byteOffset, byteLength } = startOf(seq, file);
    return searchedHeaders(Buffer.from(buffer, byteOffset, byteLength));
  };
  database.function('fold', pure, (text) => fold(String(text)));
  database.function('words', pure, (text) => spacedWords(String(text)));
  database.function('listed', (block, seq, place) => unpacker.listed(Number(block), Number(seq))[Number(place)] ?? '');
  database.function('text_of', (seq) => unpacker.text(Number(seq)));
  database.function('header_values', (seq, file) =>
    headers(seq, file)
      .map(({ value }) => value)
      .join('\x1e'),
  );
  database.function('has_header', (seq, file, name, text) =>
    matchesHeader(String(name), String(text), headers(seq, file)) ? 1 : 0,
  );
}
