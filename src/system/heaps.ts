import { setFlagsFromString } from 'node:v8';

/**
 * How V8 is to treat the heaps of the daemon's threads. What it does by itself suits programs that may have all the
 * memory of a large machine: the first garbage of lasting objects is collected when there are hundreds of MiB of them,
 * and then when they have grown by half or more. In a daemon of half a dozen threads that is most of what is resident.
 */
const FLAGS = [
  // from the command line it bounds this thread, whose heap is made; it would win over the bounds of threads
  '--max-semi-space-size=0',
  // MiB of lasting objects at which a new thread first collects
  '--initial-old-space-size=12',
  // and how much more than what it kept then, buffers included, a thread may have before it collects again: with 30 and
  // mail of 64 KiB the event loop did so after each hundred messages
  '--heap-growing-percent=100',
];

/**
 * Flags for Node.js: V8 then takes at most 8 MiB for new objects of the thread of the event loop, on a machine with much
 * memory 24 to 56 MiB less. They hold only where they are given to it, and the first line of a program gives none where
 * `env` is BusyBox's.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=4'];

/**
 * Environment for the C library of Linux, which reads it before the program begins: threads share two heaps in place of
 * one each, and what is free at their ends goes back.
 */
export const MALLOC_ENVIRONMENT: Readonly<Record<string, string>> = Object.freeze({
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '262144',
  MALLOC_TRIM_THRESHOLD_: '1048576',
});

/** Has V8 keep heaps small. For the whole process, so only a program that is nothing but the daemon may ask for it. */
export function keepHeapsSmall(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
