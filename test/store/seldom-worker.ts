import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { serveThread } from '../../src/store/sqlite/thread.ts';

/** A thread for tests; it opens a file first. */
function methodsOf(file: string) {
  const text = readFileSync(file, 'utf8');
  return {
    text: () => text,
    thread: () => threadId,
    wait: (milliseconds: number) => delay(milliseconds, 'waited'),
    die: (): void => process.exit(3),
    fail: (): void => {
      throw new Error('no');
    },
    close: () => {},
  };
}

export type SeldomMethods = ReturnType<typeof methodsOf>;

serveThread(methodsOf);
