import { closeSync, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openToWrite } from './database.ts';

/** Where the file format keeps what belongs to one database alone (https://sqlite.org/fileformat2.html#the_database_header). */
const CHANGE_COUNTER = 24;
const PAGES = 28;
const FREE_LIST = 32;
const VALID_FOR = 92;

/**
 * Replaces the first page of a database: it says that this is one, and where its tables begin. A new database of ours
 * has them in the same places, unless it was made by an older version and then migrated.
 * @param work folder for the new database
 */
export function graftFirstPage(path: string, work: string): void {
  const pattern = join(work, 'pattern.db');
  openToWrite(pattern, '').close();
  const whole = readFileSync(pattern);
  const page = whole.subarray(0, whole.readUInt16BE(16));
  const file = openSync(path, 'r+');
  try {
    page.writeUInt32BE(Math.floor(fstatSync(file).size / page.length), PAGES);
    page.fill(0, FREE_LIST, FREE_LIST + 8);
    page.writeUInt32BE(page.readUInt32BE(CHANGE_COUNTER), VALID_FOR);
    writeSync(file, page, 0, page.length, 0);
  } finally {
    closeSync(file);
  }
}
