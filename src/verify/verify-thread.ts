import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { DnsFailure } from './dns-failure.ts';
import { examine } from './examine.ts';
import { boundSignatures, excessOf, headerEnd } from './header-bounds.ts';
import type { VerifyLimits } from './limits.ts';
import type { Answer, Facts, Finding, FromThread, Question, ToThread } from './protocol.ts';

/** Entry of the thread that looks at messages: several at a time, since most of the time they wait for DNS. */
const port = parentPort;
if (port === null) throw new Error('verify-thread.ts runs only as a worker thread');
const { limits, isBackground } = workerData as { readonly limits: VerifyLimits; readonly isBackground: boolean };

/** Low: mail that arrives comes first. */
const BACKGROUND_PRIORITY = 10;
if (isBackground) setPriority(BACKGROUND_PRIORITY);

const jobs = new Map<number, Job>();
const tell = (message: FromThread): void => port.postMessage(message);

/** The mail cannot be looked at within the limits. */
class Unreadable extends Error {}

/** One message at work. */
class Job {
  readonly #id: number;
  #questions = 0;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #content: PromiseWithResolvers<Buffer | undefined> | undefined;

  constructor(id: number) {
    this.#id = id;
  }

  async run(facts: Facts): Promise<Finding> {
    try {
      const ask = (name: string, type: Question) => this.#ask(name, type);
      return { kind: 'verified', verification: await examine(this.#bounded(), facts, ask, limits) };
    } catch (error) {
      if (error instanceof Unreadable) return { kind: 'unreadable', why: error.message };
      return { kind: 'gaveUp', why: error instanceof Error ? error.message : String(error) };
    }
  }

  answer(question: number, answer: Answer): void {
    const asked = this.#asked.get(question);
    this.#asked.delete(question);
    if ('records' in answer) asked?.resolve(answer.records);
    else asked?.reject(new DnsFailure(answer.code, answer.why));
  }

  take(bytes: Uint8Array | null): void {
    this.#content?.resolve(bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : undefined);
  }

  lose(): void {
    this.#content?.reject(new Error('the content could not be read'));
  }

  #ask(name: string, type: Question): Promise<unknown> {
    const question = ++this.#questions;
    if (question > limits.questions) {
      return Promise.reject(new DnsFailure('ECANCELLED', `more than ${limits.questions} questions to DNS`));
    }
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(question, asked);
    tell({ kind: 'ask', job: this.#id, question, name, type });
    return asked.promise;
  }

  #next(): Promise<Buffer | undefined> {
    this.#content = Promise.withResolvers();
    tell({ kind: 'more', job: this.#id });
    return this.#content.promise;
  }

  /** The content with a header within the limits. */
  async *#bounded(): AsyncGenerator<Buffer> {
    let head = Buffer.alloc(0);
    for (;;) {
      const view = await this.#next();
      const seen = head.length;
      if (view) head = Buffer.concat([head, view]);
      const end = headerEnd(head, seen) ?? (view ? undefined : head.length);
      const excess = excessOf(head.subarray(0, end ?? head.length), limits);
      if (excess !== undefined) throw new Unreadable(excess);
      if (end === undefined) continue;
      yield boundSignatures(head.subarray(0, end), limits);
      if (end < head.length) yield head.subarray(end);
      if (!view) return;
      break;
    }
    for (let view = await this.#next(); view; view = await this.#next()) yield view;
  }
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'verify') {
    const job = new Job(message.job);
    jobs.set(message.job, job);
    void job.run(message.facts).then((finding) => {
      jobs.delete(message.job);
      tell({ kind: 'done', job: message.job, finding });
    });
    return;
  }
  const job = jobs.get(message.job);
  if (message.kind === 'content') job?.take(message.bytes);
  else if (message.kind === 'lost') job?.lose();
  else job?.answer(message.question, message.answer);
});
