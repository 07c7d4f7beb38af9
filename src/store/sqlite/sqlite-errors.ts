import { statfsSync } from 'node:fs';
import { StoreError } from '../errors.ts';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html) as the system's words for the same trouble. */
const SYSTEM_CODES: ReadonlyMap<number, string> = new Map([
  [3, 'EACCES'], // PERM
  [5, 'EBUSY'], // BUSY
  [6, 'EBUSY'], // LOCKED
  [7, 'ENOMEM'], // NOMEM
  [8, 'EROFS'], // READONLY
  [10, 'EIO'], // IOERR
  [11, 'STORE_CORRUPT'], // CORRUPT
  [13, 'ENOSPC'], // FULL
  [14, 'EIO'], // CANTOPEN
  [18, 'EFBIG'], // TOOBIG
  [26, 'STORE_CORRUPT'], // NOTADB
]);

/** Below this many free octets an I/O error is taken for a full disk. */
const NEARLY_FULL_BYTES = 256 * 1024;

/** Codes that come of the disk and not of one message: trying another message at once is no use. */
const DISK_CODES: ReadonlySet<string> = new Set([
  'EACCES',
  'EDQUOT',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOSPC',
  'EROFS',
  'STORE_CORRUPT',
]);

export function isDiskError(error: unknown): boolean {
  return error instanceof StoreError && DISK_CODES.has(error.code);
}

/**
 * Gives an error of SQLite the system's code; errors that have a code already keep it.
 * SQLite calls a write that did not fit FULL, but growing the shared index of the WAL on a full disk, or passing a
 * quota, an I/O error: what the disk says about its free space decides then.
 */
export function asStoreError(error: unknown, directory: string): Error {
  if (!(error instanceof Error)) return new StoreError('STORE_FAILED', String(error));
  const { errcode, code } = error as Error & { errcode?: number; code?: string };
  if (typeof errcode !== 'number') {
    return error instanceof StoreError || code === undefined
      ? error
      : new StoreError(code, error.message, { cause: error });
  }
  let system = SYSTEM_CODES.get(errcode & 0xff) ?? 'STORE_FAILED';
  if (system === 'EIO' && isNearlyFull(directory)) system = 'ENOSPC';
  const words = system === 'ENOSPC' ? 'no space left on the disk' : error.message;
  return new StoreError(system, `${words} (SQLite ${errcode})`, { cause: error });
}

function isNearlyFull(directory: string): boolean {
  if (directory === MEMORY) return false;
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize < NEARLY_FULL_BYTES;
  } catch {
    return false; // the folder itself is gone: an I/O error indeed
  }
}

/** The name that stands for no folder at all. */
export const MEMORY = ':memory:';
