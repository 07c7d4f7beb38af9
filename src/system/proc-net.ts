import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';

/** A socket that listens, as the kernel's tables of this machine have it. */
export interface ListeningSocket {
  readonly inode: string;
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
}

/** TCP_LISTEN in /proc/net/tcp, and __SO_ACCEPTCON among the flags in /proc/net/unix. */
const LISTENING = '0A';
const ACCEPTING = 0x10000;

/** Every stream socket that listens; Node.js has no call that tells. Empty where there is no /proc. */
export function listeningSockets(): ListeningSocket[] {
  const sockets: ListeningSocket[] = [];
  for (const table of ['tcp', 'tcp6']) {
    for (const [, local = '', , state, , , , , , inode = ''] of rowsOf(table)) {
      if (state === LISTENING) sockets.push({ inode, at: tcpAddress(local) });
    }
  }
  for (const [, , , flags = '', , , inode = '', path] of rowsOf('unix')) {
    if ((Number.parseInt(flags, 16) & ACCEPTING) !== 0 && path !== undefined) sockets.push({ inode, at: { path } });
  }
  return sockets;
}

function rowsOf(table: string): string[][] {
  try {
    const rows = readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1);
    return rows.map((line) => line.trim().split(/\s+/));
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
