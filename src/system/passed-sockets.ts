import { readFileSync, readlinkSync } from 'node:fs';
import { endianness } from 'node:os';
import { SystemError } from './errors.ts';

/** A socket that listens already when we start; systemd or another program bound it (sd_listen_fds(3)). */
export interface PassedSocket {
  readonly fd: number;
  /** `FileDescriptorName=` of the socket unit, else the unit's own name; 'unknown' where none was passed. */
  readonly name: string;
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
}

type Environment = Record<string, string | undefined>;

const FIRST = 3;
/** TCP_LISTEN in /proc/net/tcp, and __SO_ACCEPTCON among the flags in /proc/net/unix. */
const LISTENING = '0A';
const ACCEPTING = 0x10000;

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

/** Where a descriptor listens; Node.js has no call for that, the kernel's tables know it by inode. */
function addressOf(fd: number): PassedSocket['at'] | undefined {
  const inode = /^socket:\[(\d+)\]$/.exec(linkOf(fd))?.[1];
  if (inode === undefined) return undefined;
  for (const table of ['tcp', 'tcp6']) {
    for (const [, local = '', , state, , , , , , id] of rowsOf(table)) {
      if (id === inode && state === LISTENING) return tcpAddress(local);
    }
  }
  for (const [, , , flags = '', , , id, path] of rowsOf('unix')) {
    if (id === inode && (Number.parseInt(flags, 16) & ACCEPTING) !== 0 && path !== undefined) return { path };
  }
  return undefined;
}

function linkOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // not open: the caller says so
  }
}

function rowsOf(table: string): string[][] {
  try {
    return readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1).map((line) => line.trim().split(/\s+/)); // biome-ignore format: one line
  } catch {
    return []; // a kernel without IPv6
  }
}

/** Reads `0100007F:0401`: the address in words of the machine's own order, the port as people write it. */
function tcpAddress(text: string): { host: string; port: number } {
  const [address = '', port = ''] = text.split(':');
  const words = address.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => {
    const inOrder = word.match(/../g) ?? [];
    return endianness() === 'LE' ? inOrder.reverse() : inOrder;
  });
  return { host: bytes.length === 4 ? ipv4(bytes) : ipv6(bytes), port: Number.parseInt(port, 16) };
}

function ipv4(bytes: readonly string[]): string {
  return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
}

function ipv6(bytes: readonly string[]): string {
  const groups = Array.from({ length: 8 }, (_, at) => `${bytes[2 * at]}${bytes[2 * at + 1]}`);
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1); // in its shortest form
}
