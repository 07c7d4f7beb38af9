import { open } from 'node:fs/promises';
import { SOURCE_LIMITS } from '../limits.ts';
import type { UserSource } from '../source.ts';
import { createMapSource, parseUsers } from './map.ts';

/** A file of users, in the form of `parseUsers`, read again whenever it has changed. */
export function createFileSource(path: string): UserSource {
  let read: { readonly version: string; readonly users: UserSource } | undefined;
  const current = async (): Promise<UserSource> => {
    const file = await open(path, 'r');
    try {
      const { mtimeNs, ctimeNs, size, ino } = await file.stat({ bigint: true });
      const version = [mtimeNs, ctimeNs, size, ino].join();
      if (read?.version === version) return read.users;
      if (size > BigInt(SOURCE_LIMITS.outputBytes))
        throw new Error(`${path} has more than ${SOURCE_LIMITS.outputBytes} bytes`);
      const users = createMapSource(parseUsers(await file.readFile('utf8')));
      read = { version, users };
      return users;
    } finally {
      await file.close();
    }
  };
  return {
    find: async (user, ask) => (await current()).find(user, ask),
    list: async (ask) => (await current()).list(ask),
  };
}
