/**
 * `npm run fuzz -- --inputs 1000000`: hostile input for everything that reads octets of strangers.
 *
 *   --inputs N         inputs of all targets together (default 1000000)
 *   --seed N           of the first input (default: another one each day)
 *   --target NAME      this target only; `--list` names them
 *   --write            puts the figures into test/bench/RESULTS.md
 *
 * Each target has a process of its own, which is watched: one that works on an input for too long is a finding as well.
 * Ends with 1 at the first finding; its seed brings it back.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuMicros } from '../bench/contest.ts';
import { writeSection } from '../bench/results.ts';
import { GROWTH_BYTES, type RunResult, runTarget } from './run.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets.ts';

/** So much work without progress is a hang; time on the wall says nothing on a busy machine. */
const HANG_CPU_SECONDS = 60;
const LOOK_EVERY_MS = 5_000;
const MIB = 2 ** 20;

type Word = { readonly seed: number } | { readonly done: RunResult } | { readonly finding: string };

const { values: flags } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Math.floor(Date.now() / 86_400_000) * 10_000_000) },
    target: { type: 'string' },
    list: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    child: { type: 'boolean', default: false },
  },
});
const inputs = wholeNumber('inputs', flags.inputs);
const seed = wholeNumber('seed', flags.seed);

if (flags.list) for (const { name } of TARGETS) console.log(name);
else if (flags.child) await work(TARGETS.find(({ name }) => name === flags.target)!);
else await watchAll();

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`--${name} wants a whole number, not ${text}`);
  return Number(text);
}

/** The process of one target. */
async function work(target: Target): Promise<void> {
  const tell = (word: Word): void => void process.send?.(word);
  try {
    tell({
      done: await runTarget(target, {
        inputs,
        seed,
        watchesMemory: inputs >= 1_000,
        onProgress: (at) => tell({ seed: at }),
      }),
    });
  } catch (error) {
    tell({ finding: (error as Error).message });
  }
  await target.close?.();
  process.disconnect?.();
}

async function watchAll(): Promise<void> {
  const targets = flags.target === undefined ? TARGETS : TARGETS.filter(({ name }) => name === flags.target);
  if (targets.length === 0) throw new Error(`no target ${flags.target}; --list names them`);
  const shares = targets.reduce((sum, { share }) => sum + share, 0);
  const rows: string[] = [];
  let all = 0;
  const started = performance.now();
  for (const target of targets) {
    const part = Math.ceil((inputs * target.share) / shares);
    const start = performance.now();
    const result = await watch(target, part);
    const seconds = (performance.now() - start) / 1000;
    all += result.inputs;
    const grown = part < 1_000 ? '–' : `${(result.grownBytes / MIB).toFixed(1)}`;
    const row = `| ${target.name} | ${result.inputs} | ${seconds.toFixed(0)} | ${result.slowestMs.toFixed(0)} | ${grown} |`;
    console.log(row);
    rows.push(row);
  }
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  console.log(`${all} inputs, no finding, ${minutes} minutes`);
  if (!flags.write) return;
  const command = `npm run fuzz -- --inputs ${inputs} --seed ${seed} --write`;
  writeSection(
    'fuzz',
    [
      '## Fuzzing',
      '',
      `\`${command}\` on ${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}: ${all} inputs in ${minutes} minutes, no crash, no input`,
      `over its deadline, no memory that grew by more than ${GROWTH_BYTES / MIB} MiB in the second half of a target's inputs. The machine did other work`,
      'at the same time: the slowest input is what the clock on the wall says.',
      '',
      '| target | inputs | s | slowest, ms | memory added by the second half, MiB |',
      '|---|---:|---:|---:|---:|',
      ...rows,
    ].join('\n'),
  );
}

/** What a process has worked so far; nothing once it is gone. */
function cpuSeconds(pid: number): number {
  try {
    return cpuMicros(pid) / 1e6;
  } catch {
    return 0; // it has ended, and says so itself
  }
}

/** Runs a target in a process of its own; ends this one at a finding. */
async function watch(target: Target, part: number): Promise<RunResult> {
  const args = ['--child', '--target', target.name, '--inputs', String(part), '--seed', String(seed)];
  const child = fork(fileURLToPath(import.meta.url), args);
  const exit = once(child, 'exit');
  let at = seed;
  let result: RunResult | undefined;
  const give = (text: string): never => {
    console.error(`FINDING ${text}`);
    process.exit(1);
  };
  let worked = 0;
  const timer = setInterval(() => {
    if (cpuSeconds(child.pid!) - worked < HANG_CPU_SECONDS) return;
    child.kill('SIGKILL');
    give(`${target.name}: no progress in ${HANG_CPU_SECONDS} s of work at seed ${at} or one of the next`);
  }, LOOK_EVERY_MS);
  child.on('message', (word: Word) => {
    worked = cpuSeconds(child.pid!);
    if ('seed' in word) at = word.seed;
    else if ('done' in word) result = word.done;
    else give(word.finding);
  });
  const [code, signal] = await exit;
  clearInterval(timer);
  return result ?? give(`${target.name}: the process ended with ${code ?? signal} at seed ${at} or one of the next`);
}
