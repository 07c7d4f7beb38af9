import { readlinkSync } from 'node:fs';
import { SystemError } from './errors.ts';
import { listeningSockets } from './proc-net.ts';

/** A socket that listens already when we start; systemd or another program bound it (sd_listen_fds(3)). */
export interface PassedSocket {
  readonly fd: number;
  /** `FileDescriptorName=` of the socket unit, else the unit's own name; 'unknown' where none was passed. */
  readonly name: string;
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
}

type Environment = Record<string, string | undefined>;

const FIRST = 3;
/**
 * Takes the sockets that were passed to this process, and the variables that name them away: programs that we start are
 * not meant.
 * @throws SystemError SOCKET_UNMATCHED for one that is no listening stream socket
 */
export function takePassedSockets(environment: Environment = process.env): PassedSocket[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = environment;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[name];
  if (LISTEN_PID !== String(process.pid) || !/^\d{1,4}$/.test(LISTEN_FDS ?? '')) return [];
  const names = LISTEN_FDNAMES?.split(':') ?? [];
  return Array.from({ length: Number(LISTEN_FDS) }, (_, index) => {
    const fd = FIRST + index;
    const name = names[index] || 'unknown';
    const at = addressOf(fd);
    if (at === undefined) {
      throw new SystemError(
        'SOCKET_UNMATCHED',
        `descriptor ${fd} (${name}) that was passed on is no listening stream socket; the socket unit wants ListenStream= and Accept=no`,
      );
    }
    return { fd, name, at };
  });
}

/** Where a descriptor listens. */
function addressOf(fd: number): PassedSocket['at'] | undefined {
  const inode = /^socket:\[(\d+)\]$/.exec(linkOf(fd))?.[1];
  return listeningSockets().find((socket) => socket.inode === inode)?.at;
}

function linkOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // not open: the caller says so
  }
}
