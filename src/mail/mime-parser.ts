import { Worker } from 'node:worker_threads';
import { type ParsedMail, parsePlainly } from './mime.ts';
import type { Reporter } from './report.ts';

/**
 * Takes mails apart in a thread of its own, where a hostile one can take all the time it likes: it is stopped.
 *
 * Parsers of mail have a history of input that keeps them busy for minutes. On the event loop that would stop the
 * whole daemon, so one thread does the work, mail after mail, and is killed when a mail takes longer than its
 * deadline; the reader then gets header and body unparsed, and the next mail a new thread.
 */
export interface MimeParser {
  /** Never rejects; see ParsedMail.complete. */
  parse(raw: Buffer): Promise<ParsedMail>;
  /** Stops the thread; what still waits is answered unparsed. */
  close(): Promise<void>;
}

export interface MimeParserOptions {
  readonly report: Reporter;
  /** What one mail may take once its turn has come. */
  readonly parseMs?: number;
  /** Memory of the thread, beyond which it is stopped. */
  readonly threadMebibytes?: number;
  /** Module that the thread runs instead of mime-thread, for tests of one that hangs or dies. */
  readonly entry?: URL;
}

interface Job {
  readonly raw: Buffer;
  readonly done: (parsed: ParsedMail) => void;
}

// the built daemon has .js files where the sources have .ts
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './mime-thread.ts' : './mime-thread.js', import.meta.url);

/** Makes a parser; its thread starts with the first mail. */
export function createMimeParser(options: MimeParserOptions): MimeParser {
  return new ThreadedParser(options);
}

class ThreadedParser implements MimeParser {
  readonly #report: Reporter;
  readonly #parseMs: number;
  readonly #threadMebibytes: number;
  readonly #entry: URL;
  readonly #waiting: Job[] = [];
  #worker: Worker | undefined;
  #job: Job | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ report, parseMs = 10_000, threadMebibytes = 512, entry = ENTRY }: MimeParserOptions) {
    this.#report = report;
    this.#parseMs = parseMs;
    this.#threadMebibytes = threadMebibytes;
    this.#entry = entry;
  }

  parse(raw: Buffer): Promise<ParsedMail> {
    if (this.#closed) return Promise.resolve(parsePlainly(raw));
    return new Promise((done) => {
      this.#waiting.push({ raw, done });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#settle(undefined);
    for (const { raw, done } of this.#waiting.splice(0)) done(parsePlainly(raw));
    await worker?.terminate();
  }

  #next(): void {
    if (this.#job !== undefined || this.#closed) return;
    this.#job = this.#waiting.shift();
    if (this.#job === undefined) return;
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    this.#deadline = setTimeout(() => {
      const { length } = this.#job?.raw ?? { length: 0 };
      this.#giveUp(worker, new Error(`gave up parsing a mail of ${length} octets after ${this.#parseMs} ms`));
    }, this.#parseMs);
    worker.postMessage(this.#job.raw);
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, {
      name: 'mime parser',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#threadMebibytes },
    });
    worker.on('message', (parsed: ParsedMail) => {
      if (worker !== this.#worker) return;
      worker.unref();
      this.#settle(revive(parsed));
      this.#next();
    });
    worker.on('error', (error) => this.#giveUp(worker, error));
    worker.on('exit', (code) => this.#giveUp(worker, new Error(`the parsing thread ended with code ${code}`)));
    return worker;
  }

  /** The thread is lost, or has to be: answers its mail unparsed and goes on with a new one. */
  #giveUp(worker: Worker, error: unknown): void {
    if (worker !== this.#worker) return; // it was given up before
    this.#worker = undefined;
    this.#report({ type: 'crash', where: 'mime', error });
    worker.terminate().catch((cause: unknown) => this.#report({ type: 'crash', where: 'mime', error: cause }));
    this.#settle(undefined);
    this.#next();
  }

  #settle(parsed: ParsedMail | undefined): void {
    const job = this.#job;
    clearTimeout(this.#deadline);
    this.#job = undefined;
    job?.done(parsed ?? parsePlainly(job.raw));
  }
}

/** Makes Buffers again of what crossed from the thread as bare arrays. */
function revive(parsed: ParsedMail): ParsedMail {
  const parts = parsed.parts.map((part) => {
    const { buffer, byteOffset, byteLength } = part.content;
    return { ...part, content: Buffer.from(buffer, byteOffset, byteLength) };
  });
  return { ...parsed, parts };
}
