/** The daemon as its users meet it: a process of its own, spoken to over sockets and stopped by signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/inboxd.ts', import.meta.url));
const START_MS = 30_000;

export interface DaemonOptions {
  /** Further arguments, behind `serve --port 0 --http-port 0 --data DIR`. */
  readonly args?: readonly string[];
  /** Data folder; without it the daemon gets a new one, which is removed when it stops. */
  readonly data?: string;
  /** Program to run instead of the tree's own, e.g. an installed one. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface ListedMessage {
  readonly ID: string;
  readonly Subject: string;
  readonly Size: number;
}

export interface MessageList {
  readonly total: number;
  readonly messages_count: number;
  readonly messages: readonly ListedMessage[];
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Starts a daemon; resolves when it has printed its listeners, rejects with what it printed if it ends before. */
export async function startDaemon(options: DaemonOptions = {}): Promise<DaemonProcess> {
  const daemon = launchDaemon(options);
  await daemon.listening();
  return daemon;
}

/** Starts a daemon without waiting for it. */
export function launchDaemon(options: DaemonOptions = {}): DaemonProcess {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'inboxd-test-'));
  const [program, ...first] = options.command ?? [process.execPath, BIN];
  // tests that change user ids or mount run as root, and so does the daemon then
  const own = ['serve', '--allow-root', '--port', '0', '--http-port', '0', '--data', data];
  const args = [...first, ...own, ...(options.args ?? [])];
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
  return new DaemonProcess(child, data, options.data === undefined);
}

export class DaemonProcess {
  readonly data: string;
  readonly pid: number;
  /** Lines of standard output, parsed; the log. */
  readonly log: Record<string, unknown>[] = [];
  /** What is not a log line: standard error, and anything else printed. */
  stray = '';
  readonly #child: ChildProcess;
  readonly #ownsData: boolean;
  readonly #urls = new Map<string, string>();
  readonly #exit: Promise<Exit>;
  #onListening: (() => void) | undefined;

  constructor(child: ChildProcess, data: string, ownsData: boolean) {
    this.#child = child;
    this.#ownsData = ownsData;
    this.data = data;
    this.pid = child.pid ?? 0;
    this.#exit = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    this.#exit.catch(() => {}); // a program that cannot be started: `listening` tells
    createInterface(child.stdout!).on('line', (line) => this.#read(line));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stray += text));
  }

  #read(line: string): void {
    let entry: Record<string, unknown>;
    try {
      entry = JSON.parse(line);
    } catch {
      this.stray += `${line}\n`;
      return;
    }
    this.log.push(entry);
    if (entry.msg !== 'listening') return;
    this.#urls.set(String(entry.protocol), String(entry.url));
    this.#onListening?.();
  }

  /** Resolves when both the SMTP and the HTTP listener have been printed. */
  async listening(): Promise<void> {
    const printed = new Promise<void>((resolve) => {
      this.#onListening = () => this.#urls.has('smtp') && this.#urls.has('http') && resolve();
      this.#onListening();
    });
    const ended = this.#exit.then((exit) => {
      throw new Error(`daemon ended with ${JSON.stringify(exit)} before it listened:\n${this.output()}`);
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#child.kill('SIGKILL');
        reject(new Error(`daemon does not listen after ${START_MS} ms:\n${this.output()}`));
      }, START_MS);
    });
    await Promise.race([printed, ended, late]).finally(() => clearTimeout(timer));
    ended.catch(() => {});
  }

  /** Everything it has printed so far. */
  output(): string {
    return `${this.stray}${this.log.map((entry) => JSON.stringify(entry)).join('\n')}`;
  }

  /** URL of the listener of a protocol; throws if it printed none. */
  url(protocol: string): string {
    const url = this.#urls.get(protocol);
    if (!url) throw new Error(`no ${protocol} listener:\n${this.output()}`);
    return url;
  }

  get smtpPort(): number {
    return Number(new URL(this.url('smtp')).port);
  }

  get httpUrl(): string {
    return this.url('http').replace(/\/$/, '');
  }

  /** A request to the HTTP API, e.g. `api('/info')`; leaves no connection open behind it. */
  api(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`${this.httpUrl}/api/v1${path}`, { ...init, headers: { ...init?.headers, connection: 'close' } });
  }

  async list(query = 'limit=0'): Promise<MessageList> {
    const response = await this.api(`/messages?${query}`);
    if (response.status !== 200) throw new Error(`messages: ${response.status} ${await response.text()}`);
    return (await response.json()) as MessageList;
  }

  /** The stored bytes of a message. */
  async raw(id: string): Promise<Buffer> {
    const response = await this.api(`/message/${id}/raw`);
    if (response.status !== 200) throw new Error(`raw ${id}: ${response.status} ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** How many file descriptors the process has open now. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Sends a signal and waits for the end. Never fails on a process that is gone already. */
  async kill(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal);
    return await this.#exit;
  }

  /** Resolves when the process has ended by itself. */
  exited(): Promise<Exit> {
    return this.#exit;
  }

  /** SIGTERM, the end, and the removal of a data folder that was made for it. */
  async stop(): Promise<Exit> {
    const exit = await this.kill('SIGTERM');
    if (this.#ownsData) rmSync(this.data, { recursive: true, force: true });
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
