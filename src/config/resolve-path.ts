import { homedir } from 'node:os';
import { resolve } from 'node:path';

/** A leading `~` is the home folder: no shell expands it in a file or variable, and a folder of that name is never meant. */
export function resolvePath(path: string, base: string): string {
  return resolve(base, path === '~' || path.startsWith('~/') ? `${homedir()}${path.slice(1)}` : path);
}
