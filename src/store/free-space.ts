import { statfs } from 'node:fs/promises';
import type { Store } from '../mail/store.ts';

/** Knows how much can still be stored, without asking the disk each time. */
export interface FreeSpace {
  /** Octets that may still be stored, the reserve kept; Infinity when nothing limits it. Below 0 the reserve is in use. */
  room(): number;
  stop(): void;
}

/** Part of the file system that is never filled, so that there is room to tidy up; at most this many octets. */
const RESERVE_BYTES = 10 * 1024 * 1024;
const RESERVE_PART = 0.05;
/** With more than this free the store is not asked what it could reuse. */
const PLENTY_BYTES = 1024 * 1024 * 1024;
const LOOK_EVERY_MS = 1_000;

/**
 * Looks at the file system of `directory` once a second: what is free there and what the store can use again, less the
 * reserve. A look that fails changes nothing; the store's own errors still tell the client the truth.
 */
export function createFreeSpace(directory: string, store: Store): FreeSpace {
  if (directory === ':memory:') return { room: () => Number.POSITIVE_INFINITY, stop: () => {} };
  let room = Number.POSITIVE_INFINITY;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      const { bsize, blocks, bavail } = await statfs(directory);
      const free = bsize * bavail;
      const reserve = Math.min(RESERVE_BYTES, bsize * blocks * RESERVE_PART);
      const reusable = free < PLENTY_BYTES ? (await store.stats()).reusableBytes : 0;
      room = free + reusable - reserve;
    } catch {
      room = Number.POSITIVE_INFINITY;
    } finally {
      looking = false;
    }
  };
  void look();
  const timer = setInterval(() => void look(), LOOK_EVERY_MS).unref();
  return { room: () => room, stop: () => clearInterval(timer) };
}
