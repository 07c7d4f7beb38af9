import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeEvent, Feed } from '../mail/feed.ts';
import type { Reporter } from '../mail/report.ts';
import type { Thread } from '../store/sqlite/thread.ts';
import type { NewJob } from './docket.ts';
import type { DocketMethods } from './docket-thread.ts';
import { RESPONDER_LIMITS } from './limits.ts';

export interface IntakeOptions {
  readonly feed: Feed;
  readonly docket: Thread<DocketMethods>;
  /** What is to be done for a mail that came to an inbox; nothing for most. */
  readonly jobsOf: (inbox: string) => readonly Pick<NewJob, 'kind' | 'worker'>[];
  /** Called before inboxes are asked about. */
  readonly refresh: () => Promise<void>;
  /** There may be jobs. */
  readonly onJobs: () => void;
  readonly report: Reporter;
  readonly retryMs?: number;
}

/** Events that are read at once. */
const PAGE = 256;
/** Events of others' mail after which the place is written down anyway, so that it never falls far behind. */
const UNWRITTEN = 10_000;
const RETRY_MS = 10_000;

/**
 * Follows the journal of the store and writes down what is to be done. The journal is the queue: nothing is held in memory,
 * nobody who hands mail in waits for it, and what a crash leaves is read from where the docket says. Mail of other inboxes
 * costs a look into a table: as long as nothing comes for anybody here, the journal itself is not read.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #stop = new AbortController();
  readonly #pending: Set<string>;
  #at: number;
  #written: number;
  #jobs = 0;
  #running: Promise<void> | undefined;
  #isWanted = true;
  #hasFailed = false;
  #unsubscribe = (): void => {};

  /**
   * @param event where the last run has read to; null if there was none, and then only what comes from now on counts
   * @param pending messages of jobs that wait to be verified
   */
  constructor(options: IntakeOptions, event: number | null, pending: readonly string[]) {
    this.#options = options;
    this.#at = event ?? options.feed.latest();
    this.#written = event ?? -1;
    this.#pending = new Set(pending);
  }

  start(): void {
    this.#unsubscribe = this.#options.feed.subscribe((event) => {
      if (!this.#running && event.id === this.#at + 1 && !this.#concerns(event)) {
        this.#at = event.id;
        if (this.#at - this.#written < UNWRITTEN) return;
      }
      this.wake();
    });
    this.wake();
  }

  /** Jobs are left. */
  done(jobs: number): void {
    const wasFull = this.#isFull;
    this.#jobs = jobs;
    if (wasFull && !this.#isFull) this.wake();
  }

  wake(): void {
    this.#isWanted = true;
    if (!this.#stop.signal.aborted) this.#running ??= this.#run();
  }

  /** Stops, and writes down the place. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.#stop.abort();
    await this.#running;
    if (this.#at !== this.#written) await this.#write([], []);
  }

  get #isFull(): boolean {
    return this.#jobs >= RESPONDER_LIMITS.jobs;
  }

  #concerns({ type, message, inboxes }: ChangeEvent): boolean {
    if (type !== 'received') return this.#pending.has(message);
    return inboxes.some((inbox) => this.#options.jobsOf(inbox).length > 0);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (this.#isWanted && !signal.aborted) {
      this.#isWanted = false;
      try {
        await this.#follow();
        this.#hasFailed = false;
      } catch (error) {
        if (!this.#hasFailed) this.#options.report({ type: 'crash', where: 'responders', error });
        this.#hasFailed = true;
        this.#isWanted = true;
        // the only end of this wait that is no time is the stop
        await delay(this.#options.retryMs ?? RETRY_MS, undefined, { signal, ref: false }).catch(() => {});
      }
    }
    this.#running = undefined;
  }

  async #follow(): Promise<void> {
    const { feed, report } = this.#options;
    if (this.#written < 0) await this.#write([], []);
    while (!this.#isFull && !this.#stop.signal.aborted) {
      const events = await feed.since(this.#at, PAGE);
      if (events === 'gone') {
        const text =
          'events of the store are gone, after a long time without responders: mail of that time is not answered';
        report({ type: 'crash', where: 'responders', error: new Error(text) });
        this.#at = feed.latest();
        await this.#write([], []);
        continue;
      }
      const last = events.at(-1)?.id;
      if (last === undefined) return;
      await this.#options.refresh();
      await this.#take(events, last);
    }
  }

  async #take(events: readonly ChangeEvent[], last: number): Promise<void> {
    const jobs: NewJob[] = [];
    const known: string[] = [];
    for (const { type, message, inboxes, summary } of events) {
      const isPending = summary?.verification?.status === 'pending';
      if (type !== 'received') {
        if (!isPending && this.#pending.delete(message)) known.push(message);
        continue;
      }
      const found = inboxes.flatMap((inbox) =>
        this.#options.jobsOf(inbox).map((job) => ({ ...job, message, inbox, isPending })),
      );
      jobs.push(...found);
      if (isPending && found.length > 0) this.#pending.add(message);
    }
    this.#at = last;
    if (jobs.length === 0 && known.length === 0 && this.#at - this.#written < UNWRITTEN) return;
    await this.#write(jobs, known);
    this.#options.onJobs();
  }

  async #write(jobs: readonly NewJob[], known: readonly string[]): Promise<void> {
    const event = this.#at;
    this.#jobs = await this.#options.docket.call('take', { event, jobs, known });
    this.#written = event;
  }
}
