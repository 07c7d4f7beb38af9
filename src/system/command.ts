import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/**
 * Runs a program of somebody else within limits: a list of arguments that no shell ever reads, an environment of its
 * own, and a process group of its own, so that what it has started goes with it when its time is over.
 */
export interface CommandRun {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Facts beside the few variables of ours that every program may expect. */
  readonly environment: Readonly<Record<string, string>>;
  /** What its standard input brings; nothing if absent. */
  readonly input?: AsyncIterable<Buffer>;
  /** How long it may take; then it is killed. */
  readonly runMs: number;
  /** Octets kept of its output, and as many of its error output. */
  readonly outputBytes: number;
  /** What becomes of a program that writes more: the rest is thrown away, or it is killed. */
  readonly excess: 'drop' | 'kill';
  /** Kills it when it fires. */
  readonly signal: AbortSignal;
}

/** How a program that came to its own end did so. */
export interface CommandEnd {
  readonly exitCode: number;
  readonly output: Buffer;
  readonly errors: Buffer;
}

/** Variables that are handed on. Ours stay ours: a program that starts inboxd would have them as options. */
const HANDED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'];

/** How long output is waited for after the program has gone; what it left running may hold that open. */
const LAST_WORDS_MS = 200;

/**
 * Finds out whether a program can be run.
 * @param program a path if there is a slash in it, else a name to look for in PATH
 * @returns what is wrong, in words; undefined if nothing is
 */
export function whyNotRunnable(program: string): string | undefined {
  if (program.includes('/')) return whyNoProgram(program);
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  if (folders.some((folder) => whyNoProgram(join(folder, program)) === undefined)) return undefined;
  return 'there is no such program in PATH';
}

function whyNoProgram(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return 'it is no file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file' : `it cannot be looked at (${code})`;
  }
  try {
    accessSync(path, constants.X_OK);
  } catch {
    return 'it is not executable by the user that inboxd runs as';
  }
  return undefined;
}

/**
 * Runs a program to its end. A program that does not read its input to the end does no harm; its exit code counts.
 * @throws an error that says why, if it could not be started, was killed, took too long or wrote too much, or if its
 *   input failed; the reason of `signal` if that fired
 */
export async function runCommand(run: CommandRun): Promise<CommandEnd> {
  run.signal.throwIfAborted();
  const [program = '', ...args] = run.command;
  const child = spawn(program, args, { env: environmentOf(run), detached: true, stdio: 'pipe' });
  let failure: { readonly error: unknown } | undefined;
  const give = (error: unknown): void => {
    failure ??= { error };
    killGroup(child);
  };
  const output = keepStart(child.stdout, run, give);
  const errors = keepStart(child.stderr, run, give);
  const late = setTimeout(() => give(new Error(`${program} took longer than ${run.runMs} ms`)), run.runMs);
  const aborted = (): void => give(run.signal.reason);
  run.signal.addEventListener('abort', aborted);
  try {
    const ended = endOf(child);
    const fed = feed(child.stdin, run.input).catch(give);
    const [exitCode, killedBy] = await ended;
    await Promise.all([fed, lastWords(child)]);
    if (killedBy !== null) killGroup(child); // what it had at work would finish what nobody waits for
    if (failure) throw failure.error;
    if (exitCode === null) throw new Error(`${program} was killed by ${killedBy}`);
    return { exitCode, output: output(), errors: errors() };
  } finally {
    clearTimeout(late);
    run.signal.removeEventListener('abort', aborted);
  }
}

function environmentOf({ environment }: CommandRun): Record<string, string> {
  const handedOn: Record<string, string> = {};
  for (const name of HANDED_ON) {
    const value = process.env[name];
    if (value !== undefined) handedOn[name] = value;
  }
  return { ...handedOn, ...environment };
}

function endOf(child: ChildProcess): Promise<[exitCode: number | null, killedBy: NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('exit', (exitCode, killedBy) => resolve([exitCode, killedBy]));
    child.once('error', (error) => {
      if (child.pid === undefined) reject(error); // it has not started
    });
  });
}

/** Brings the input as fast as it is read, and no faster. */
async function feed(stdin: Writable, input: AsyncIterable<Buffer> | undefined): Promise<void> {
  stdin.on('error', () => {
    // EPIPE: the program has read what it wants, and its exit code says what that came to
  });
  for await (const view of input ?? []) {
    if (stdin.destroyed) return;
    if (!stdin.write(view)) await drained(stdin);
  }
  stdin.end();
}

function drained(stdin: Writable): Promise<void> {
  if (stdin.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      stdin.off('drain', go).off('close', go);
      resolve();
    };
    stdin.on('drain', go).on('close', go);
  });
}

/** Reads all of a stream and keeps the start of it. */
function keepStart(stream: Readable, { outputBytes, excess }: CommandRun, fail: (error: Error) => void): () => Buffer {
  const views: Buffer[] = [];
  let room = outputBytes;
  stream.on('data', (view: Buffer) => {
    if (view.length > room && excess === 'kill') fail(new Error(`it wrote more than ${outputBytes} bytes`));
    if (room > 0) views.push(view.subarray(0, room));
    room = Math.max(0, room - view.length);
  });
  return () => Buffer.concat(views);
}

/** Waits until what the program wrote has been read. */
function lastWords(child: ChildProcess): Promise<void> {
  const open = [child.stdout!, child.stderr!].filter((stream) => !stream.closed);
  if (open.length === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      for (const stream of open) stream.destroy();
    }, LAST_WORDS_MS);
    let left = open.length;
    for (const stream of open) {
      stream.once('close', () => {
        if (--left > 0) return;
        clearTimeout(timer);
        resolve();
      });
    }
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // gone already, or it has become another user, whom we have no power over
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
