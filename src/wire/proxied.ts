import type { Networks } from './networks.ts';
import type { Peer } from './peer.ts';
import { type ProxiedPeer, readProxyHeader } from './proxy-header.ts';

/** Load balancers that connections may come through. */
export interface Proxies {
  /** From these every connection starts with a PROXY header; from anywhere else none does. */
  readonly networks: Networks;
  /** Is told of a connection that was cut for its header, and why. */
  readonly refused: (address: string, why: string) => void;
}

/** How long a header may take to come, whole. */
const HEADER_MS = 5_000;

const HEARD = ['data', 'end', 'error'] as const;

/**
 * Reads the header that a connection begins with, and leaves what follows it to be read.
 * @param done is told once: who is behind the connection, or why nobody can say; then it is for the caller to close
 * @returns ends the wait, if it still goes on
 */
export function readProxied(peer: Peer, done: (outcome: ProxiedPeer | string) => void): () => void {
  let held: Buffer = Buffer.alloc(0);
  let isOver = false;
  const timer = setTimeout(() => settle(`no whole header came within ${HEADER_MS} ms`), HEADER_MS);
  const stop = (): void => {
    isOver = true;
    clearTimeout(timer);
  };
  const settle = (outcome: ProxiedPeer | string): void => {
    if (isOver) return;
    stop();
    peer.pause();
    // what cannot be served keeps its listeners, since its errors are still to come
    if (typeof outcome !== 'string') for (const event of HEARD) peer.removeAllListeners(event);
    done(outcome);
  };
  const lost = (): void => settle('the connection ended in its header');
  peer.on('end', lost);
  peer.on('error', lost);
  peer.on('close', lost);
  peer.on('data', (view) => {
    if (isOver) return;
    held = Buffer.concat([held, view]);
    const header = readProxyHeader(held);
    if (header.state === 'partial') return;
    if (header.state === 'complete' && header.bytes < held.length) peer.unshift(held.subarray(header.bytes));
    settle(header.state === 'complete' ? header.peer : header.why);
  });
  return stop;
}
