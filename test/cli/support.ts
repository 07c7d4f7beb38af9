import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type RunResult, run } from '../support/run.ts';

export const BIN = fileURLToPath(new URL('../../bin/inboxd.ts', import.meta.url));

/** The environment without variables of ours that whoever runs the tests may have set; who may well be root. */
export function plainEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const ours = Object.keys(process.env).filter((name) => name.startsWith('INBOXD_'));
  return {
    ...Object.fromEntries([...ours, 'STATE_DIRECTORY', 'FORCE_COLOR'].map((name) => [name, undefined])),
    INBOXD_ALLOW_ROOT: 'true',
    ...more,
  };
}

/** Runs `inboxd` to its end. */
export function inboxd(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  return run(process.execPath, [BIN, ...args], { env: plainEnvironment(env) });
}

/** A folder that is gone after use. */
export class Folder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'inboxd-cli-'));

  at(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Starts `inboxd` and resolves once it says that it has started. */
export async function serve(args: readonly string[]): Promise<Serving> {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...process.env, ...plainEnvironment() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const serving = new Serving(child);
  await serving.logged('started');
  return serving;
}

/** A daemon in a process of its own, with whatever listeners a test asks for. */
export class Serving implements AsyncDisposable {
  readonly pid: number;
  readonly log: Record<string, unknown>[] = [];
  stderr = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #onLine: () => void = () => {};

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid!;
    this.#ended = once(child, 'close').then(([code]) => code as number | null);
    child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk));
    createInterface(child.stdout!).on('line', (line) => {
      this.log.push(JSON.parse(line) as Record<string, unknown>);
      this.#onLine();
    });
  }

  /** Resolves with the first log line of that message, past or to come; rejects if the daemon ends without. */
  async logged(message: string): Promise<Record<string, unknown>> {
    const found = () => this.log.find(({ msg }) => msg === message);
    const come = new Promise<void>((resolve) => {
      this.#onLine = () => found() && resolve();
      this.#onLine();
    });
    await Promise.race([come, this.#ended]);
    const line = found();
    if (line === undefined) throw new Error(`no line "${message}" in ${JSON.stringify(this.log)}; ${this.stderr}`);
    return line;
  }

  port(protocol: string): number {
    const line = this.log.find(({ msg, protocol: spoken }) => msg === 'listening' && spoken === protocol);
    return Number(new URL(String(line?.url)).port);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the exit code. */
  ended(): Promise<number | null> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
