import { parentPort, type Transferable, Worker, workerData } from 'node:worker_threads';
import { threadOptions } from '../../mail/thread-options.ts';
import { StoreError } from '../errors.ts';
import { asStoreError, MEMORY } from './sqlite-errors.ts';

/*
 * Calls to a thread: { call, method, argument } goes there, { call, result } or { call, error } comes back, and
 * { event } comes unasked. A thread first opens what it needs and answers call 0.
 */
interface Call {
  readonly call: number;
  readonly method: string;
  readonly argument: unknown;
}

const OPENING = 0;

interface CarriedError {
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
}

type Answer =
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly error: CarriedError }
  | { readonly event: unknown };

/** What a thread can do, by name. */
export type Methods = Readonly<Record<string, (argument: never) => unknown>>;

export type Argument<M extends Methods, N extends keyof M> = Parameters<M[N]>[0];
type Result<M extends Methods, N extends keyof M> = Awaited<ReturnType<M[N]>>;

/** An answer whose buffers move instead of being copied. */
export class Moved<T> {
  readonly value: T;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: T, buffers: readonly ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

type Unmoved<T> = T extends Moved<infer V> ? V : T;

/** What a caller gets of a method. */
export type Outcome<M extends Methods, N extends keyof M> = Unmoved<Result<M, N>>;

export interface ThreadOptions<E> {
  /** What the thread is for, in error texts. */
  readonly name: string;
  readonly data: unknown;
  readonly onEvent?: (event: E) => void;
  /** The thread is gone though nobody ended it. */
  readonly onDeath?: (error: Error) => void;
  readonly heapMiB?: number;
}

/**
 * Starts a thread.
 * @param file name of its file beside this one, without extension: the same as .ts in the source and .js when built; or its URL
 * @throws what opening threw there, with its code
 */
export async function startThread<M extends Methods, E = never>(
  file: string | URL,
  options: ThreadOptions<E>,
): Promise<Thread<M, E>> {
  const thread = new Thread<M, E>(file, options);
  try {
    await thread.opened;
  } catch (error) {
    await thread.end();
    throw error;
  }
  return thread;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Thread<M extends Methods, E = never> {
  readonly opened: Promise<unknown>;
  readonly #options: ThreadOptions<E>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #death: Error | undefined;
  #isEnding = false;

  constructor(file: string | URL, options: ThreadOptions<E>) {
    this.#options = options;
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    const entry = file instanceof URL ? file : new URL(`./${file}${extension}`, import.meta.url);
    this.#worker = new Worker(entry, {
      ...threadOptions(options.heapMiB),
      name: options.name,
      workerData: options.data,
    });
    this.opened = new Promise((resolve, reject) => {
      this.#waiting.set(OPENING, { resolve, reject });
    });
    this.#worker.on('message', (answer: Answer) => this.#take(answer));
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', (code) => this.#die(new Error(`exit code ${code}`)));
  }

  get isAlive(): boolean {
    return !this.#death;
  }

  call<N extends keyof M & string>(
    method: N,
    argument: Argument<M, N>,
    move: readonly Transferable[] = [],
  ): Promise<Outcome<M, N>> {
    return new Promise((resolve, reject) => {
      if (this.#death) {
        reject(this.#death);
        return;
      }
      const call = ++this.#calls;
      this.#waiting.set(call, { resolve: resolve as (result: unknown) => void, reject });
      this.#worker.postMessage({ call, method, argument } satisfies Call, move);
    });
  }

  /** Ends it, whatever it is doing; calls that wait are rejected. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#worker.terminate();
  }

  #take(answer: Answer): void {
    if ('event' in answer) {
      this.#options.onEvent?.(answer.event as E);
      return;
    }
    const waiting = this.#waiting.get(answer.call);
    this.#waiting.delete(answer.call);
    if ('error' in answer && answer.call === OPENING) this.#isEnding = true; // with nothing to do it ends by itself
    if ('error' in answer) waiting?.reject(revive(answer.error));
    else waiting?.resolve(answer.result);
  }

  #die(cause: unknown): void {
    if (this.#death) return;
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#death = this.#isEnding
      ? new StoreError('STORE_CLOSED', `The ${this.#options.name} was ended`)
      : new StoreError('STORE_FAILED', `The ${this.#options.name} stopped: ${why}`, { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#death);
    this.#waiting.clear();
    if (!this.#isEnding) this.#options.onDeath?.(this.#death);
  }
}

/**
 * The other side: opens, then answers calls in the order they come.
 * @param open gets the thread's data; what it throws rejects `startThread`
 */
export function serveThread<D>(open: (data: D) => Methods | Promise<Methods>): void {
  const port = parentPort!;
  const answer = async (call: number, work: () => unknown): Promise<void> => {
    try {
      const result = await work();
      if (result instanceof Moved) port.postMessage({ call, result: result.value }, [...result.buffers]);
      else port.postMessage({ call, result });
    } catch (error) {
      port.postMessage({ call, error: carry(error) });
    }
  };
  void answer(OPENING, async () => {
    const methods = (await open(workerData as D)) as Record<string, (argument: unknown) => unknown>;
    port.on('message', ({ call, method, argument }: Call) => void answer(call, () => methods[method]!(argument)));
  });
}

export function tellParent(event: unknown): void {
  parentPort!.postMessage({ event });
}

function carry(error: unknown): CarriedError {
  if (!(error instanceof Error)) return { message: String(error), code: undefined, stack: undefined };
  if ('errcode' in error) return carry(asStoreError(error, MEMORY)); // a read, of which nobody has asked the disk
  return { message: error.message, code: (error as { code?: string }).code, stack: error.stack };
}

function revive({ message, code, stack }: CarriedError): Error {
  const error = new StoreError(code ?? 'STORE_FAILED', message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
