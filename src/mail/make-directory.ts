import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder for mail, and those above it, each 0700 and with its name on disk: what will be fsynced in there must
 * be reachable. One that is there already stays as it is.
 *
 * `mkdir` with `recursive` is not used: it never returns where the kernel says ENOENT in a folder that exists, as in
 * /proc.
 * @throws the system's error
 */
export function makeDirectory(path: string): void {
  const parent = dirname(resolve(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(parent)) throw error;
    makeDirectory(parent);
    mkdirSync(path, { mode: 0o700 });
  }
  syncDirectory(parent);
}

/** Brings the names in a folder to disk. */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
