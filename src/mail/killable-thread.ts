import { parentPort, Worker } from 'node:worker_threads';
import type { Reporter } from './report.ts';
import { threadOptions } from './thread-options.ts';

/**
 * A thread for work on what a mail brought along: one job after the other, each with a deadline.
 *
 * Images and style sheets can be made to keep a decoder busy for minutes, and to ask for gigabytes. On the event loop
 * that would stop the whole daemon, so a thread does the work and is stopped when a job takes too long, fails or wants
 * too much memory; the next job gets a new one. It also stops by itself when nothing comes, and takes its memory along.
 */
export interface KillableThread<Job, Result> {
  /** Gives the result; undefined if the job failed, took too long or too many wait already. Never rejects. */
  run(job: Job): Promise<Result | undefined>;
  /** A job is expected: starts the thread, or keeps it as if it had just had one. */
  prepare(): void;
  /** True while no more jobs are taken, because too many wait. */
  readonly isBusy: boolean;
  /** Stops the thread; what still waits is answered undefined. */
  close(): Promise<void>;
}

export interface KillableThreadOptions {
  /** Names the thread in reports. */
  readonly name: string;
  /** Module that the thread runs; it calls `answerJobs`. */
  readonly entry: URL;
  /** What one job may take once its turn has come. */
  readonly jobMs: number;
  /** Jobs that may wait for their turn. */
  readonly waitingJobs: number;
  /** Memory of the thread's JavaScript. */
  readonly heapMebibytes: number;
  /** Until a thread with nothing to do is stopped. */
  readonly idleMs: number;
  readonly report: Reporter;
  /** Gets what the thread prints, as it comes; without it that goes where the program's own output goes. */
  readonly print?: (text: string) => void;
}

/** A job took longer than it may, and its thread was stopped. */
export class JobTimeout extends Error {
  override readonly name = 'JobTimeout';
}

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly done: (result: Result | undefined) => void;
}

type Answer<Result> = { readonly result: Result; readonly isLast: boolean } | { readonly error: unknown };

/** Code that runs there can post what it likes. */
function isAnswer(given: unknown): boolean {
  return typeof given === 'object' && given !== null && ('result' in given || 'error' in given);
}

/** Entry of a module: the built daemon has .js files where the sources have .ts. */
export function threadEntry(name: string, base: string): URL {
  return new URL(`${name}${base.endsWith('.ts') ? '.ts' : '.js'}`, base);
}

/**
 * The thread's side: answers each job; what the work throws fails the job and ends the thread.
 * Work that calls `retire` ends the thread too, once it is done, and nobody is alarmed.
 */
export function answerJobs<Job, Result>(work: (job: Job, retire: () => void) => Result | Promise<Result>): void {
  const port = parentPort;
  if (port === null) throw new Error('runs only as a worker thread');
  port.on('message', async (job: Job) => {
    let answer: Answer<Result>;
    let isLast = false;
    const retire = (): void => {
      isLast = true;
    };
    try {
      const result = await work(job, retire);
      answer = { result, isLast };
    } catch (error) {
      answer = { error: error instanceof Error ? error : new Error(String(error)) };
    }
    port.postMessage(answer);
  });
}

/** Makes a thread; it starts with the first job. */
export function createKillableThread<Job, Result>(options: KillableThreadOptions): KillableThread<Job, Result> {
  return new Killable(options);
}

class Killable<Job, Result> implements KillableThread<Job, Result> {
  readonly #options: KillableThreadOptions;
  readonly #waiting: Waiting<Job, Result>[] = [];
  #worker: Worker | undefined;
  #current: Waiting<Job, Result> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: KillableThreadOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#waiting.length >= this.#options.waitingJobs;
  }

  run(job: Job): Promise<Result | undefined> {
    if (this.#closed || this.isBusy) return Promise.resolve(undefined);
    return new Promise((done) => {
      this.#waiting.push({ job, done });
      this.#next();
    });
  }

  prepare(): void {
    if (this.#closed || this.#current !== undefined) return; // one that works is there
    if (this.#worker === undefined) {
      this.#worker = this.#start();
      this.#worker.unref();
    }
    this.#stopLater(this.#worker);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#settle(undefined);
    for (const { done } of this.#waiting.splice(0)) done(undefined);
    await worker?.terminate();
  }

  #next(): void {
    if (this.#current !== undefined || this.#closed) return;
    this.#current = this.#waiting.shift();
    if (this.#current === undefined) return;
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    const { jobMs, name } = this.#options;
    this.#startTimer(jobMs, () => this.#giveUp(worker, new JobTimeout(`gave up on the ${name} after ${jobMs} ms`)));
    worker.postMessage(this.#current.job);
  }

  #start(): Worker {
    const { entry, name, heapMebibytes, print } = this.#options;
    const worker = new Worker(entry, {
      ...threadOptions(heapMebibytes),
      name,
      ...(print && { stdout: true, stderr: true }),
    });
    if (print) for (const stream of [worker.stdout, worker.stderr]) stream.setEncoding('utf8').on('data', print);
    worker.on('message', (answer: Answer<Result>) => {
      if (worker !== this.#worker) return;
      if (!isAnswer(answer)) this.#giveUp(worker, new Error(`the ${name} posted something that is no answer`));
      else if ('error' in answer) this.#giveUp(worker, answer.error);
      else {
        worker.unref();
        if (answer.isLast) this.#stop(worker);
        this.#settle(answer.result);
        if (!answer.isLast) this.#stopLater(worker);
        this.#next();
      }
    });
    worker.on('error', (error) => this.#giveUp(worker, error));
    worker.on('exit', (code) => this.#giveUp(worker, new Error(`the ${name} ended with code ${code}`)));
    return worker;
  }

  /** The thread is lost, or in no state to go on: fails its job and goes on with a new one. */
  #giveUp(worker: Worker, error: unknown): void {
    if (worker !== this.#worker) return; // it was given up before
    this.#options.report({ type: 'crash', where: this.#options.name, error });
    this.#stop(worker);
    this.#settle(undefined);
    this.#next();
  }

  #stop(worker: Worker): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    worker
      .terminate()
      .catch((error: unknown) => this.#options.report({ type: 'crash', where: this.#options.name, error }));
  }

  #stopLater(worker: Worker): void {
    this.#startTimer(this.#options.idleMs, () => this.#stop(worker)).unref();
  }

  #settle(result: Result | undefined): void {
    const current = this.#current;
    clearTimeout(this.#timer);
    this.#current = undefined;
    current?.done(result);
  }

  #startTimer(milliseconds: number, act: () => void): NodeJS.Timeout {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, milliseconds);
    return this.#timer;
  }
}
