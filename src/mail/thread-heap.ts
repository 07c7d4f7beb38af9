import type { ResourceLimits } from 'node:worker_threads';

/**
 * Of the memory in which a thread's JavaScript makes new objects. What V8 takes on a machine with much memory is 64 MiB,
 * which a thread that is busy fills and keeps: half a dozen of them were most of the daemon's resident memory. Objects
 * that one message needs fit into far less.
 */
const YOUNG_MEBIBYTES = 8;

/**
 * Bounds on the memory of a thread's JavaScript.
 * @param mebibytes of objects that stay, beyond which the thread is stopped; absent for those that nobody could do without
 */
export function threadHeap(mebibytes?: number): ResourceLimits {
  return {
    maxYoungGenerationSizeMb: YOUNG_MEBIBYTES,
    ...(mebibytes !== undefined && { maxOldGenerationSizeMb: mebibytes }),
  };
}
