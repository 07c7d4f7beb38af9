import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';
import { type Layout, makePrivateFile } from './layout.ts';

/**
 * One daemon per folder. The lock is an exclusive transaction on an empty database: a lock of the kernel that is gone
 * with the process however it died, which a pid file is not, and SQLite sees two of them in one process as well.
 * The pid file beside it only tells people whom to look for.
 */
export interface StoreLock {
  release(): void;
}

/** Takes the lock of a folder or throws STORE_LOCKED. */
export function takeLock(layout: Layout): StoreLock {
  makePrivateFile(layout.lock);
  const database = new DatabaseSync(layout.lock);
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new StoreError('STORE_LOCKED', `${layout.directory} is in use by another inboxd${holder(layout)}`);
  }
  writePid(layout);
  return {
    release() {
      try {
        rmSync(layout.pid, { force: true }); // before the lock: afterwards it may be another's
      } finally {
        database.close();
      }
    },
  };
}

/** On a full disk a store opens without its pid: messages can still be read and removed then. */
function writePid(layout: Layout): void {
  try {
    writeFileSync(layout.pid, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
  }
}

const SQLITE_BUSY = 5;

function holder(layout: Layout): string {
  try {
    const pid = readFileSync(layout.pid, 'utf8').trim();
    return /^\d+$/.test(pid) ? ` (process ${pid})` : '';
  } catch {
    return ''; // it is just starting or just stopping
  }
}
