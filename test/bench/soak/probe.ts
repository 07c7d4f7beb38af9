/**
 * Loaded into the daemon before its own code (`--import`): once a second it appends to the file SOAK_PROBE_FILE what
 * only the process itself can see. Threads load it too and say nothing.
 */
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** One line of the file. */
export interface ProbeLine {
  readonly lagP50Ms: number;
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
}

const EVERY_MS = 1_000;
const RESOLUTION_MS = 10;

const path = process.env.SOAK_PROBE_FILE;
if (isMainThread && path !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  // the histogram holds the whole time between two of its ticks
  const lag = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  setInterval(() => {
    const { heapUsed, external } = process.memoryUsage();
    const line: ProbeLine = {
      lagP50Ms: lag(delay.percentile(50)),
      lagP99Ms: lag(delay.percentile(99)),
      lagMaxMs: lag(delay.max),
      heapBytes: heapUsed,
      externalBytes: external,
    };
    delay.reset();
    appendFileSync(path, `${JSON.stringify(line)}\n`);
  }, EVERY_MS).unref();
}
