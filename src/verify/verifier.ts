import { Worker } from 'node:worker_threads';
import { threadEntry } from '../mail/killable-thread.ts';
import type { Reporter } from '../mail/report.ts';
import type { Resolver } from '../mail/resolver.ts';
import { threadOptions } from '../mail/thread-options.ts';
import { VERIFY_LIMITS, type VerifyLimits } from './limits.ts';
import { type LookupLimits, Lookups } from './lookups.ts';
import type { Answer, Facts, Finding, FromThread, Question, ToThread } from './protocol.ts';

export interface VerifierOptions {
  readonly resolver: Resolver;
  readonly report: Reporter;
  /** True when nobody waits for what is found. */
  readonly isBackground: boolean;
  readonly limits?: Partial<VerifyLimits>;
  readonly lookups?: Partial<LookupLimits>;
  /** Module that the thread runs instead of verify-thread, for tests of one that hangs or dies. */
  readonly entry?: URL;
}

/** Finds out who sent messages. */
export interface Verifier {
  /** Never rejects. @param open gives the content from its start; called again when it has to be tried again */
  verify(facts: Facts, open: () => AsyncIterable<Buffer>): Promise<Finding>;
  /** Stops the thread; what is under way is given up. */
  close(): Promise<void>;
}

/**
 * Makes a verifier. A thread looks at the messages, because what they hold is a stranger's: it is stopped when one keeps
 * it busy for too long, and all that were with it are tried once more, each alone. Content goes to it in pieces as it
 * asks for them; DNS is asked on this side, where the resolver is. The thread starts with the first message.
 */
export function createVerifier(options: VerifierOptions): Verifier {
  return new ThreadedVerifier(options);
}

interface Job {
  readonly id: number;
  readonly facts: Facts;
  readonly open: () => AsyncIterable<Buffer>;
  readonly done: (finding: Finding) => void;
  isAlone: boolean;
  content?: AsyncIterator<Buffer>;
  deadline?: NodeJS.Timeout;
  dnsUntil: number;
}

class ThreadedVerifier implements Verifier {
  readonly #options: VerifierOptions;
  readonly #limits: VerifyLimits;
  readonly #lookups: Lookups;
  readonly #waiting: Job[] = [];
  readonly #running = new Map<number, Job>();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #jobs = 0;
  #isClosed = false;

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#limits = { ...VERIFY_LIMITS, ...options.limits };
    this.#lookups = new Lookups(options.resolver, options.lookups);
  }

  verify(facts: Facts, open: () => AsyncIterable<Buffer>): Promise<Finding> {
    if (this.#isClosed) return Promise.resolve({ kind: 'gaveUp', why: 'the daemon is stopping' });
    if (this.#waiting.length >= this.#limits.waiting) {
      return Promise.resolve({ kind: 'gaveUp', why: 'too many messages wait' });
    }
    return new Promise((done) => {
      this.#waiting.push({ id: ++this.#jobs, facts, open, done, isAlone: false, dnsUntil: 0 });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    clearTimeout(this.#idle);
    for (const job of [...this.#running.values(), ...this.#waiting.splice(0)]) {
      this.#settle(job, { kind: 'gaveUp', why: 'the daemon is stopping' });
    }
    await worker?.terminate();
  }

  #next(): void {
    while (!this.#isClosed) {
      const job = this.#waiting[0];
      if (!job) break;
      const places = job.isAlone ? 1 : this.#limits.messages;
      const others = [...this.#running.values()];
      if (others.length >= places || others.some(({ isAlone }) => isAlone)) return;
      this.#waiting.shift();
      this.#start(job);
    }
  }

  #start(job: Job): void {
    const worker = (this.#worker ??= this.#startThread());
    clearTimeout(this.#idle);
    worker.ref();
    const { messageMs, dnsMs } = this.#limits;
    job.content = job.open()[Symbol.asyncIterator]();
    job.dnsUntil = Date.now() + dnsMs;
    job.deadline = setTimeout(() => {
      this.#lose(worker, new Error(`gave up on who sent a message after ${messageMs} ms`));
    }, messageMs);
    this.#running.set(job.id, job);
    this.#tell(worker, { kind: 'verify', job: job.id, facts: job.facts });
  }

  #startThread(): Worker {
    const { entry = threadEntry('./verify-thread', import.meta.url), isBackground } = this.#options;
    const worker = new Worker(entry, {
      ...threadOptions(this.#limits.heapMebibytes),
      name: 'verify',
      workerData: { limits: this.#limits, isBackground },
    });
    worker.on('message', (message: FromThread) => {
      if (worker === this.#worker) this.#hear(worker, message);
    });
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', (code) => this.#lose(worker, new Error(`the verifying thread ended with code ${code}`)));
    return worker;
  }

  #hear(worker: Worker, message: FromThread): void {
    const job = this.#running.get(message.job);
    if (!job) return;
    switch (message.kind) {
      case 'more':
        void this.#sendPiece(worker, job);
        return;
      case 'ask':
        void this.#answer(worker, job, message);
        return;
      case 'done':
        this.#settle(job, message.finding);
        if (this.#running.size === 0 && this.#waiting.length === 0) this.#rest(worker);
        this.#next();
    }
  }

  async #sendPiece(worker: Worker, job: Job): Promise<void> {
    try {
      const { value, done } = await job.content!.next();
      const bytes = done ? null : new Uint8Array(value); // a copy: the view may be a part of somebody's buffer
      this.#tell(worker, { kind: 'content', job: job.id, bytes }, bytes ? [bytes.buffer] : []);
    } catch {
      this.#tell(worker, { kind: 'lost', job: job.id }); // gone meanwhile, or the disk fails: nobody can tell
    }
  }

  async #answer(
    worker: Worker,
    job: Job,
    { question, name, type }: { question: number; name: string; type: Question },
  ) {
    const leftMs = job.dnsUntil - Date.now();
    let timer: NodeJS.Timeout | undefined;
    const late: Answer = { code: 'ETIMEOUT', why: 'DNS took too long' };
    const tooLate = new Promise<Answer>((resolve) => {
      timer = setTimeout(() => resolve(late), Math.max(leftMs, 0));
    });
    const asked = this.#lookups.ask(name, type).then(
      (records): Answer => ({ records }),
      (error: unknown): Answer => {
        const { code = 'EUNKNOWN', message = 'DNS failed' } = (error ?? {}) as { code?: string; message?: string };
        return { code: String(code), why: String(message) };
      },
    );
    const answer = leftMs > 0 ? await Promise.race([asked, tooLate]) : late;
    clearTimeout(timer);
    this.#tell(worker, { kind: 'answer', job: job.id, question, answer });
  }

  #tell(worker: Worker, message: ToThread, transfer: ArrayBuffer[] = []): void {
    if (worker === this.#worker) worker.postMessage(message, transfer);
  }

  /** The thread is gone, or has to be. Who was alone with it is to blame; the others are tried again. */
  #lose(worker: Worker, error: unknown): void {
    if (worker !== this.#worker) return; // it was given up before
    this.#worker = undefined;
    const { report } = this.#options;
    report({ type: 'crash', where: 'verify', error });
    worker.terminate().catch((cause: unknown) => report({ type: 'crash', where: 'verify', error: cause }));
    const lost = [...this.#running.values()];
    const isAlone = lost.length === 1;
    for (const job of lost.toReversed()) {
      if (isAlone || job.isAlone)
        this.#settle(job, { kind: 'gaveUp', why: error instanceof Error ? error.message : '' });
      else {
        this.#release(job);
        job.isAlone = true;
        this.#waiting.unshift(job);
      }
    }
    this.#next();
  }

  #settle(job: Job, finding: Finding): void {
    this.#release(job);
    job.done(finding);
  }

  #release(job: Job): void {
    clearTimeout(job.deadline);
    this.#running.delete(job.id);
    job.content?.return?.().catch(() => {}); // closes its file; whatever that says, nobody reads on
    delete job.content;
  }

  #rest(worker: Worker): void {
    worker.unref();
    this.#idle = setTimeout(() => {
      if (worker !== this.#worker) return;
      this.#worker = undefined;
      void worker.terminate();
    }, this.#limits.idleMs).unref();
  }
}
