import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRandom } from '../support/random.ts';
import { Finding, type Target } from './target.ts';

export interface RunOptions {
  readonly inputs: number;
  /** Of the first input; the next have the next. */
  readonly seed: number;
  /** Is told now and then which seed is at work, for when it never comes back. */
  readonly onProgress?: (seed: number) => void;
  /** Looks at the memory too. */
  readonly watchesMemory?: boolean;
}

export interface RunResult {
  readonly inputs: number;
  readonly slowestMs: number;
  /** What the second half of the run has added to memory that is in use, the garbage collected. */
  readonly grownBytes: number;
}

/** Growth that a run may show: what V8 compiles and caches on the way. */
export const GROWTH_BYTES = 16 * 2 ** 20;
const PROGRESS_EVERY = 64;

/** Runs one target; throws the first finding with its seed. */
export async function runTarget(target: Target, options: RunOptions): Promise<RunResult> {
  const { inputs, seed, onProgress = () => {}, watchesMemory = false } = options;
  const memory = watchesMemory ? usedBytes : () => 0;
  let slowestMs = 0;
  let half = 0;
  for (let number = 0; number < inputs; number++) {
    if (number % PROGRESS_EVERY === 0) onProgress(seed + number);
    if (number === Math.floor(inputs / 2)) half = memory();
    const ms = await timed(target, seed + number);
    // a busy machine is no finding: an input that was slow is tried again, and what counts is the work
    const sure = ms <= target.deadlineMs ? ms : await worked(target, seed + number);
    if (sure > target.deadlineMs)
      throw withSeed(target, seed + number, new Finding(`took ${sure.toFixed(0)} ms`, 'see the seed'));
    slowestMs = Math.max(slowestMs, sure);
  }
  const grownBytes = memory() - half;
  if (grownBytes > GROWTH_BYTES)
    throw withSeed(target, seed, new Finding(`memory grew by ${grownBytes} octets`, `${inputs} inputs`));
  return { inputs, slowestMs, grownBytes };
}

async function timed(target: Target, seed: number): Promise<number> {
  const start = performance.now();
  try {
    const running = target.run(createRandom(seed));
    if (running) await running;
  } catch (error) {
    throw withSeed(target, seed, error);
  }
  return performance.now() - start;
}

/** Milliseconds that the processor works on an input. */
async function worked(target: Target, seed: number): Promise<number> {
  const before = process.cpuUsage();
  await timed(target, seed);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function withSeed(target: Target, seed: number, cause: unknown): Error {
  return new Error(`${target.name}, seed ${seed}: ${(cause as Error).message}`, { cause });
}

let collect: (() => void) | undefined;

function usedBytes(): number {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
