import type { ReaderMethods } from './reader-thread.ts';
import type { ReadMethods } from './reads.ts';
import { type Caller, SeldomThread } from './seldom-thread.ts';

/**
 * Where reads go: what is done in a moment, and what may take its time, for a search is to delay no list; and what work
 * in the background asks about mail that has just come.
 */
export interface Readers {
  readonly quick: Caller<ReadMethods>;
  readonly slow: Caller<ReadMethods>;
  readonly fresh: Caller<ReadMethods>;
}

/** Threads that read a folder, beside whoever writes. */
export interface ReaderThreads extends Readers {
  close(): Promise<void>;
}

/** Until a thread to which no read has come gives its memory back: starting one takes less time than people notice. */
const IDLE_MS = { quick: 300_000, slow: 60_000 };

/**
 * Makes readers of a folder; each starts with the first read that goes there.
 * @param fresh who writes: what has just come lies in its cache, and all that arrives keeps no further thread awake
 * @param onDeath one of them is gone though nobody ended it; the next read starts another
 */
export function createReaders(
  directory: string,
  fresh: Readers['fresh'],
  onDeath: (error: Error) => void,
): ReaderThreads {
  const make = (name: string, idleMs: number): SeldomThread<ReaderMethods> =>
    new SeldomThread<ReaderMethods>('reader-thread', { name, data: directory, idleMs, onDeath });
  const quick = make('store reader', IDLE_MS.quick);
  const slow = make('store searcher', IDLE_MS.slow);
  return {
    quick,
    slow,
    fresh,
    async close() {
      await Promise.all([quick.close(), slow.close()]);
    },
  };
}

/** One thread for everything, which is started at once. @throws STORE_NEWER, STORE_CORRUPT */
export async function startReader(directory: string): Promise<ReaderThreads> {
  const options = { name: 'store reader', data: directory, idleMs: IDLE_MS.quick };
  const reader = new SeldomThread<ReaderMethods>('reader-thread', options);
  await reader.start();
  return { quick: reader, slow: reader, fresh: reader, close: () => reader.close() };
}
