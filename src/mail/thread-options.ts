import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import type { WorkerOptions } from 'node:worker_threads';

/**
 * Of the memory in which a thread's JavaScript makes new objects. What V8 takes on a machine with much memory is 64 MiB,
 * which a thread that is busy fills and keeps: half a dozen of them were most of the daemon's resident memory. Objects
 * that one message needs fit into far less.
 */
const YOUNG_MEBIBYTES = 3;

/**
 * How threads of the daemon are made.
 * V8's own flag for new objects, given to the program, wins over what is said here; the daemon takes it back (system/heaps.ts).
 * @param mebibytes of objects that stay, beyond which the thread is stopped; absent for those that nobody could do without
 */
export function threadOptions(mebibytes?: number): WorkerOptions {
  const cache = getCompileCacheDir();
  return {
    execArgv: [],
    resourceLimits: {
      maxYoungGenerationSizeMb: YOUNG_MEBIBYTES,
      ...(mebibytes !== undefined && { maxOldGenerationSizeMb: mebibytes }),
    },
    // a thread goes by its environment alone; the folder that Node.js tells is one below that which it wants to be told
    ...(cache !== undefined && { env: { ...process.env, NODE_COMPILE_CACHE: dirname(cache) } }),
  };
}
