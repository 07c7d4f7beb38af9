import type { ReaderMethods } from './reader-thread.ts';
import type { ReadMethods } from './reads.ts';
import { startThread, type Thread } from './thread.ts';

/** Where reads go: what is done in a moment, and what may take its time. A search then delays no list. */
export interface Readers {
  readonly quick: Thread<ReadMethods, never>;
  readonly slow: Thread<ReadMethods, never>;
}

/** Threads that read a folder, beside whoever writes. */
export interface ReaderThreads extends Readers {
  readonly isAlive: boolean;
  close(): Promise<void>;
}

/**
 * Starts threads, which takes longer than what they then do: the database need not be there yet.
 * @param count one thread for everything, or one for each
 * @returns what opens the database with them, or ends them if it cannot
 */
export function startReaders(count: 1 | 2, onDeath?: (error: Error) => void): Starting {
  const names = ['store reader', 'store searcher'].slice(0, count);
  const starting = Promise.allSettled(
    names.map((name) =>
      startThread<ReaderMethods>('reader-thread', { name, data: undefined, ...(onDeath && { onDeath }) }),
    ),
  );
  const end = async (): Promise<void> => {
    for (const started of await starting) if (started.status === 'fulfilled') await started.value.end();
  };
  return {
    end,
    async open(directory) {
      try {
        const threads: Thread<ReaderMethods>[] = [];
        for (const started of await starting) {
          if (started.status === 'rejected') throw started.reason;
          threads.push(started.value);
        }
        await Promise.all(threads.map((thread) => thread.call('open', directory)));
        return readersOf(threads);
      } catch (error) {
        await end();
        throw error;
      }
    },
  };
}

interface Starting {
  open(directory: string): Promise<ReaderThreads>;
  end(): Promise<void>;
}

function readersOf(threads: readonly Thread<ReaderMethods>[]): ReaderThreads {
  return {
    quick: threads[0]! as unknown as Readers['quick'],
    slow: threads.at(-1)! as unknown as Readers['slow'],
    get isAlive() {
      return threads.every(({ isAlive }) => isAlive);
    },
    async close() {
      try {
        await Promise.all(threads.filter(({ isAlive }) => isAlive).map((thread) => thread.call('close', undefined)));
      } finally {
        await Promise.all(threads.map((thread) => thread.end()));
      }
    },
  };
}
