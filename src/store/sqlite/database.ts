import { DatabaseSync } from 'node:sqlite';
import { makePrivateFile } from './layout.ts';
import { checkVersion, migrate } from './migrations.ts';
import { fold } from './search.ts';
import { MEMORY } from './sqlite-errors.ts';

/** Few large pages: a 4 KiB mail then lies within one page, which measured faster than SQLite's 4 KiB default. */
const PAGE_BYTES = 16 * 1024;
/** The WAL is copied into the database after this many octets, and its file is kept below twice of that. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024;
const CACHE_KIB = 32 * 1024;

/** Opens the database to write; makes it or brings it to the newest version. */
export function openToWrite(path: string): DatabaseSync {
  if (path !== MEMORY) makePrivateFile(path);
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}`); // has effect on an empty file only
    checkVersion(database, path);
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_BYTES / PAGE_BYTES};
      PRAGMA journal_size_limit = ${2 * CHECKPOINT_BYTES};
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA temp_store = MEMORY;
    `);
    migrate(database, path);
    addFunctions(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens the database to read beside whoever writes. */
export function openToRead(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    checkVersion(database, path);
    database.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`);
    addFunctions(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function addFunctions(database: DatabaseSync): void {
  database.function('fold', { deterministic: true }, (text) => fold(String(text)));
}
