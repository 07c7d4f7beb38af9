import { setTimeout as delay } from 'node:timers/promises';
import type { Reporter } from '../mail/report.ts';
import type { PendingMessage, Store } from '../mail/store.ts';
import { failedVerification, type Verification } from '../mail/verification.ts';
import type { Finding } from './protocol.ts';
import { factsOf } from './scope.ts';
import type { Verifier } from './verifier.ts';

export interface AnnotatorOptions {
  readonly store: Store;
  readonly verifier: Verifier;
  readonly report: Reporter;
  /** Messages that are looked at at a time. */
  readonly messages: number;
  /** Until it is tried again after the store has failed. */
  readonly retryMs?: number;
}

/** What is taken from the store at once. */
const PAGE = 64;
const RETRY_MS = 10_000;

/**
 * Verifies what the store holds as pending, oldest first. The store is the queue: nothing is held in memory but what is
 * being looked at, and what a stop or a crash leaves is taken up by the next start.
 */
export class Annotator {
  readonly #options: AnnotatorOptions;
  readonly #stop = new AbortController();
  readonly #atWork = new Map<string, Promise<void>>();
  #running: Promise<void> | undefined;
  #isWanted = false;
  #hasFailed = false;

  constructor(options: AnnotatorOptions) {
    this.#options = options;
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWanted = true;
    if (!this.#stop.signal.aborted) this.#running ??= this.#run();
  }

  /** Stops; what is not done stays pending. To be called before verifier and store close. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false;
      try {
        await this.#workThrough();
        this.#hasFailed = false;
      } catch (error) {
        this.#fail(error);
        this.#isWanted = true;
        await delay(this.#options.retryMs ?? RETRY_MS, undefined, { signal: this.#stop.signal, ref: false }).catch(
          () => {},
        );
      }
    }
    this.#running = undefined;
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #workThrough(): Promise<void> {
    const { store, messages } = this.#options;
    const failures: unknown[] = [];
    let last: string | undefined;
    while (!this.#isStopped && failures.length === 0) {
      const page = await store.pending(PAGE, last);
      if (page.length === 0) break;
      for (const message of page) {
        if (this.#atWork.size >= messages) await Promise.race(this.#atWork.values());
        if (this.#isStopped || failures.length > 0) break;
        if (this.#atWork.has(message.id)) continue;
        const work = this.#verify(message)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => this.#atWork.delete(message.id));
        this.#atWork.set(message.id, work);
      }
      last = page.at(-1)?.id;
    }
    await Promise.all(this.#atWork.values());
    if (failures.length > 0) throw failures[0];
  }

  async #verify(message: PendingMessage): Promise<void> {
    const { store, verifier } = this.#options;
    const content = await store.content(message.id);
    if (!content) return; // deleted meanwhile
    const finding = await verifier.verify(factsOf(message.mailFrom, message.client), () => content.stream());
    if (this.#isStopped && finding.kind === 'gaveUp') return;
    await store.annotate(message.id, { verification: verificationOf(finding) });
  }

  #fail(error: unknown): void {
    if (this.#hasFailed || this.#isStopped) return;
    this.#hasFailed = true;
    this.#options.report({ type: 'crash', where: 'verify', error });
  }
}

/** What is written down of a finding. */
export function verificationOf(finding: Finding): Verification {
  return finding.kind === 'verified' ? finding.verification : failedVerification(finding.why);
}
