import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { SystemError } from './errors.ts';

/** Whom to become. */
export interface Identity {
  /** As it was written. */
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** Name under which the system lists the user's further groups; absent where only `gid` shall be held. */
  readonly memberships?: string;
}

/**
 * Finds the ids of a user and his group, each a name or a number.
 * @param group '' for the user's own group and those that he is a member of
 * @throws SystemError USER_UNUSABLE
 */
export function findIdentity(user: string, group: string): Identity {
  const entry = findEntry('passwd', user);
  const uid = entry ? Number(entry[2]) : numberOf(user);
  if (uid === undefined) throw unusable(`there is no user ${user}; make one with: adduser --system --group ${user}`);
  if (uid === 0) throw unusable('user names root; to keep the rights of root, say allow-root instead');
  if (group !== '') {
    const gid = findGroup(group);
    if (gid === undefined) throw unusable(`there is no group ${group}; make one with: addgroup --system ${group}`);
    if (gid === 0) throw unusable('group names that of root');
    return { user, uid, gid };
  }
  if (!entry) throw unusable(`user ${user} is a number that the system has no name for; give group too`);
  return { user, uid, gid: Number(entry[3]), memberships: entry[0]! };
}

function findGroup(group: string): number | undefined {
  const entry = findEntry('group', group);
  return entry ? Number(entry[2]) : numberOf(group);
}

/** A line of /etc/passwd or /etc/group by name or number; `getent` knows those that come from elsewhere. */
function findEntry(file: 'passwd' | 'group', key: string): readonly string[] | undefined {
  const lines = readFileSync(`/etc/${file}`, 'utf8').split('\n').map((line) => line.split(':')); // biome-ignore format: one line
  const local = lines.find(([name]) => name === key) ?? lines.find((fields) => fields[2] === key);
  if (local) return local;
  const { status, stdout } = spawnSync('getent', [file, key], { encoding: 'utf8' });
  return status === 0 ? stdout.trim().split(':') : undefined;
}

function numberOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : undefined;
}

function unusable(why: string): SystemError {
  return new SystemError('USER_UNUSABLE', why);
}
