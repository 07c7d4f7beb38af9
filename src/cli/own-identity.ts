import type { LoadedConfig } from '../config.ts';
import { StartError } from '../errors.ts';
import { findIdentity } from '../system/identity.ts';
import { ownFolder } from '../system/own-folder.ts';
import { Privileges } from '../system/privileges.ts';
import { requireReadable } from './readable-files.ts';

/**
 * Sees to whom the daemon runs as: becomes the configured user, but for binding, or makes sure that a root who stays root
 * was meant to.
 * @returns the rights that are still to be given up
 * @throws errors with codes of START_ERRORS
 */
export function settleIdentity({ config, origins }: LoadedConfig): Privileges | undefined {
  if (config.user === '') {
    if (config.group !== '') throw new StartError('CONFIG_CONFLICT', 'group has no effect: user is not given');
    if (process.geteuid?.() === 0 && !config.allowRoot) throw new StartError('ROOT_REFUSED', ROOT_REFUSED);
    return undefined;
  }
  const identity = findIdentity(config.user, config.group);
  const isRoot = process.geteuid?.() === 0;
  if (!isRoot && process.geteuid?.() === identity.uid) {
    requireReadable(config, config.user);
    return undefined; // whom we are to become we are already
  }
  if (isRoot) {
    if (config.sink.kind === 'store' && config.data !== ':memory:') {
      if (origins.data?.source === 'default') throw new StartError('CONFIG_CONFLICT', DATA_WANTED);
      ownFolder(config.data, identity);
    }
    if (config.sink.kind === 'maildir') ownFolder(config.sink.path, identity);
  }
  const privileges = new Privileges(identity);
  privileges.lend();
  requireReadable(config, config.user);
  return privileges;
}

const ROOT_REFUSED =
  'will not run as root: give --user NAME to become that user once the ports are bound, or --allow-root to stay root';
const DATA_WANTED =
  'user needs data: the default folder is in the home of whoever starts inboxd; name another, such as --data /var/lib/inboxd';
