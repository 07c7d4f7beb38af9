import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config/settings.ts';
import { bad, doubtful, type Finding, good } from './finding.ts';

/** Files that a daemon may need: one per connection, and some for its store. */
const SPARE_FILES = 200;
const LEAST_FREE_BYTES = 100 * 1024 * 1024;
const RELEASED = Date.UTC(2026, 0, 1);

/** Node.js, user, limits of the process, and the clock. */
export function checkMachine(config: Config): Finding[] {
  return [good('Node.js', process.versions.node), checkUser(config), ...checkOpenFiles(config), checkClock()];
}

function checkUser({ user, allowRoot }: Config): Finding {
  const uid = process.geteuid?.();
  if (uid !== 0) return good('user', `runs as user id ${uid}`);
  if (user !== '') return good('user', `root, and becomes ${user} once the ports are bound`);
  if (allowRoot) return doubtful('user', 'root, and stays it', 'give --user NAME instead of --allow-root');
  return bad('user', 'root, which the daemon refuses', 'give --user NAME, or --allow-root to stay root');
}

function checkOpenFiles({ maxConnections }: Config): Finding[] {
  if (!existsSync('/proc/self/limits')) return [];
  const limits = /^Max open files +(\S+) +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  const most = limits?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limits?.[1]);
  const needed = maxConnections + SPARE_FILES;
  if (most >= needed)
    return [good('open files', `${most} may be open, max-connections of ${maxConnections} needs ${needed}`)];
  const text = `only ${most} may be open, max-connections of ${maxConnections} needs ${needed}`;
  return [
    bad(
      'open files',
      text,
      `raise the limit (ulimit -n ${needed}, or LimitNOFILE= in the unit), or lower max-connections`,
    ),
  ];
}

function checkClock(): Finding {
  const now = new Date();
  if (now.getTime() < RELEASED) {
    return bad(
      'clock',
      `says ${now.toISOString()}, which is before inboxd was written`,
      'set it, and run an NTP client',
    );
  }
  return good('clock', now.toISOString());
}

/** The folder that mail is kept in: rights and room. */
export function checkFolder({ data, keepBytes, sink, user }: Config): Finding[] {
  if (sink.kind !== 'store' || data === ':memory:') return [good('data folder', 'none: nothing is kept by inboxd')];
  let place = data;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return [place === data ? checkRights(data, user) : checkMaking(data, place, user), checkRoom(place, keepBytes)];
}

function checkRights(data: string, user: string): Finding {
  const { mode, uid } = statSync(data);
  if (!statSync(data).isDirectory()) return bad('data folder', `${data} is no folder`, 'name another with --data');
  if (user === '' && !mayWrite(data)) {
    const text = `${data} cannot be written to; it belongs to user id ${uid}`;
    return bad('data folder', text, `run inboxd as that user, or: chown -R ${process.geteuid?.()} ${data}`);
  }
  if ((mode & 0o077) !== 0) {
    const text = `${data} can be looked into by others (mode ${(mode & 0o777).toString(8)})`;
    return doubtful('data folder', text, `chmod 700 ${data}`);
  }
  return good('data folder', `${data} belongs to user id ${uid} and to nobody else`);
}

function checkMaking(data: string, place: string, user: string): Finding {
  if (user !== '' || mayWrite(place)) return good('data folder', `${data} is not there yet and can be made`);
  return bad(
    'data folder',
    `${data} is not there and ${place} cannot be written to`,
    'make it for the user, or name another with --data',
  );
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function checkRoom(place: string, keepBytes: number): Finding {
  const { bsize, bavail } = statfsSync(place);
  const free = bsize * bavail;
  const text = `${readable(free)} free`;
  if (free < LEAST_FREE_BYTES) return bad('disk', text, 'make room: below the reserve mail is refused with 452');
  if (keepBytes > 0 && free < keepBytes) {
    return doubtful(
      'disk',
      `${text}, and keep-bytes allows ${readable(keepBytes)}`,
      'make room, or lower --keep-bytes',
    );
  }
  return good('disk', text);
}

function readable(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}
