import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Runs a script of the tests, named from here, as a process of its own. */
export function runScript(name: string, args: readonly string[]): ScriptProcess {
  const script = fileURLToPath(new URL(name, import.meta.url));
  return new ScriptProcess(spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

export class ScriptProcess {
  readonly pid: number;
  /** Whole lines of its standard output. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #errors = '';
  #onLine: (() => void) | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.#closed = once(child, 'close').then(() => this.#onLine?.());
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    createInterface(child.stdout!).on('line', (line) => {
      this.lines.push(line);
      this.#onLine?.();
    });
  }

  /** Waits until it has printed this line; rejects with its errors if it ends before. */
  async line(text: string): Promise<void> {
    while (!this.lines.includes(text)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`It ended: ${this.#errors}`);
      await new Promise<void>((resolve) => {
        this.#onLine = resolve;
      });
    }
  }

  /** Sends a signal and waits until it is gone and all it printed is here. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.ended();
  }

  async ended(): Promise<string> {
    await this.#closed;
    return this.#errors;
  }
}
