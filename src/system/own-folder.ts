import { closeSync, constants, fchownSync, fstatSync, mkdirSync, openSync, readdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { SystemError } from './errors.ts';
import type { Identity } from './identity.ts';

/**
 * Sees to it, as root, that a folder is there and belongs to a user: makes it, with those above it, or takes over one of
 * root's that is empty. What is somebody else's, or holds something, is not given away in silence.
 * @throws SystemError FOLDER_OF_ANOTHER
 */
export function ownFolder(path: string, { user, uid, gid }: Identity): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  // by descriptor, and no link followed: what is looked at is what is given away
  const descriptor = openSync(realpathSync(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const owner = fstatSync(descriptor).uid;
    if (owner === uid) return;
    if (owner !== 0 || readdirSync(path).length > 0) {
      throw new SystemError(
        'FOLDER_OF_ANOTHER',
        `${path} belongs to user id ${owner} and holds files; to give it to ${user}: chown -R ${uid}:${gid} ${path}`,
      );
    }
    fchownSync(descriptor, uid, gid);
  } finally {
    closeSync(descriptor);
  }
}
