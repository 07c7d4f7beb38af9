import { setTimeout as delay } from 'node:timers/promises';
import { backOffMs } from '../mail/back-off.ts';
import type { Delivery, DeliveryQueue, Settlement, WholeDelivery } from '../mail/deliveries.ts';
import { createId } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
import type { Store } from '../mail/store.ts';
import { Judge } from './judge.ts';
import { Lanes } from './lanes.ts';
import { WEBHOOK_LIMITS } from './limits.ts';
import { bodyOfMessage, bodyOfTest } from './payload.ts';
import { type Attempt, post } from './post.ts';
import { hostOf, type Target } from './target.ts';

const BACK_OFF = { firstMs: WEBHOOK_LIMITS.firstWaitMs, longestMs: WEBHOOK_LIMITS.longestWaitMs };

export interface CourierOptions {
  readonly target: Target;
  readonly queue: DeliveryQueue;
  readonly store: Store;
  readonly report: Reporter;
  readonly userAgent: string;
  readonly limits: CourierLimits;
  /** The clock that deliveries grow old by. */
  readonly now: () => number;
}

export interface CourierLimits {
  readonly attemptMs: number;
  readonly attempts: number;
  readonly ageMs: number;
  readonly atOnce: number;
}

/** A delivery in hand. */
interface Errand {
  readonly seq: number;
  readonly message: string;
  readonly inboxes: readonly string[];
  attempts: number;
  isWanted: boolean;
  isUnderWay: boolean;
  /** By the clock that nobody sets. */
  dueAt: number;
}

/**
 * Brings deliveries to one target: those of an inbox one after the other, those of different inboxes side by side, a
 * bounded number at once.
 *
 * The queue in the store is the truth; in memory lies what is needed to choose. What became of an attempt is written
 * down before the next of that inbox goes out: after a crash the last of each inbox may come twice, under the same id,
 * but never an earlier one behind a later.
 *
 * Waits are kept by the steady clock, so that no jump of the wall clock empties or holds up the queue.
 */
export class Courier {
  readonly target: Target;
  readonly #options: CourierOptions;
  readonly #judge: Judge;
  readonly #lanes = new Lanes<Errand>();
  readonly #unjudged = new Set<Errand>();
  readonly #unproven = new Map<Errand, NodeJS.Timeout>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #hangUp = new AbortController();
  #readTo = 0;
  #reading: Promise<void> | undefined;
  #isReadWanted = false;
  #judging: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isStopped = false;
  #pausedUntil = 0;

  constructor(options: CourierOptions) {
    this.target = options.target;
    this.#options = options;
    this.#judge = new Judge(options.store);
  }

  get state(): 'working' | 'failing' | 'stopped' {
    if (this.#isStopped) return 'stopped';
    return this.#failures > 0 ? 'failing' : 'working';
  }

  /** There may be more in the queue. */
  wake(): void {
    this.#isReadWanted = true;
    if (!this.#isClosing) this.#reading ??= this.#read();
  }

  /** Something about a message has changed: who sent it may be known now. */
  changed(message: string): void {
    for (const errand of this.#unproven.keys()) if (errand.message === message) this.#judgeAgain(errand);
  }

  /** Delivers again to a target that had said that it is gone, and has shown that it is not. */
  resume(): void {
    this.#isStopped = false;
    this.#pausedUntil = 0;
    this.#go();
  }

  /** Sends an event that is no message. */
  async test(): Promise<Attempt> {
    const id = `test_${createId()}`;
    const head = { id, webhook: this.target.name, attempt: 1, at: Date.now() };
    const attempt = await this.#post(id, bodyOfTest(head));
    if (attempt.why === '') this.resume();
    return attempt;
  }

  /** Starts nothing more, and waits for what is under way; what does not end in time stays in the queue. */
  async close(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    for (const timer of this.#unproven.values()) clearTimeout(timer);
    const late = setTimeout(() => this.#hangUp.abort(), WEBHOOK_LIMITS.stopMs);
    await Promise.all([...this.#underWay, this.#reading, this.#judging]);
    clearTimeout(late);
  }

  get #isClosing(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #read(): Promise<void> {
    const { queue } = this.#options;
    while (this.#isReadWanted && !this.#isClosing) {
      this.#isReadWanted = false;
      try {
        let page: readonly Delivery[];
        do {
          page = await queue.waiting(this.target.name, this.#readTo, WEBHOOK_LIMITS.page);
          for (const delivery of page) this.#take(delivery);
          this.#go();
        } while (page.length === WEBHOOK_LIMITS.page && !this.#isClosing);
      } catch (error) {
        await this.#rest(error);
        this.#isReadWanted = true;
      }
    }
    this.#reading = undefined;
  }

  #take({ seq, message, inboxes, attempts, isWanted, dueAt }: Delivery): void {
    this.#readTo = seq;
    const wait = Math.min(Math.max(0, dueAt - this.#options.now()), WEBHOOK_LIMITS.longestWaitMs);
    const isSure = isWanted || this.target.query === '';
    const errand = { seq, message, inboxes, attempts, isWanted: isSure, isUnderWay: false, dueAt: performance.now() + wait }; // biome-ignore format: a line
    this.#lanes.add(errand);
    if (isSure) return;
    this.#unjudged.add(errand);
    this.#judging ??= this.#judgeAll();
  }

  /** Judges what has come, in its order and ahead of its turn: soon its message may be gone. */
  async #judgeAll(): Promise<void> {
    for (const errand of this.#unjudged) {
      if (this.#isClosing) break;
      this.#unjudged.delete(errand);
      try {
        await this.#judgeOne(errand);
      } catch (error) {
        await this.#rest(error);
        this.#unjudged.add(errand); // this loop comes to it again
      }
      this.#go();
    }
    this.#judging = undefined;
  }

  async #judgeOne(errand: Errand): Promise<void> {
    const { seq, attempts } = errand;
    const whole = await this.#options.queue.get(seq);
    if (whole === undefined) return this.#lanes.remove(errand);
    const judgement = await this.#judge.judge(whole, this.target.query);
    switch (judgement) {
      case 'wanted':
        if (await this.#settle({ seq, outcome: 'wanted' })) errand.isWanted = true;
        return;
      case 'unwanted':
        if (await this.#settle({ seq, outcome: 'unwanted' })) this.#lanes.remove(errand);
        return;
      case 'gone': {
        const why = 'the message was gone before the search could be tried on it';
        if (await this.#settle({ seq, outcome: 'dead', attempts, why })) this.#lanes.remove(errand);
        this.#tell(whole, 'dead', { at: Date.now(), status: 0, why, milliseconds: 0 });
        return;
      }
      case 'unproven':
        this.#unproven.set(errand, setTimeout(() => this.#judgeAgain(errand), WEBHOOK_LIMITS.unprovenMs).unref()); // biome-ignore format: a line
    }
  }

  #judgeAgain(errand: Errand): void {
    clearTimeout(this.#unproven.get(errand));
    this.#unproven.delete(errand);
    this.#unjudged.add(errand);
    if (!this.#isClosing) this.#judging ??= this.#judgeAll();
  }

  /** Starts what may start, and sets the clock for what comes next. */
  #go(): void {
    clearTimeout(this.#timer);
    if (this.#isClosing || this.#isStopped) return;
    const now = performance.now();
    const most = this.#failures >= WEBHOOK_LIMITS.failuresUntilOne ? 1 : this.#options.limits.atOnce;
    let next = Number.POSITIVE_INFINITY;
    for (const errand of this.#lanes.ready) {
      if (this.#underWay.size >= most) return; // whatever ends looks again
      if (errand.isUnderWay || !errand.isWanted) continue;
      const dueAt = Math.max(errand.dueAt, this.#pausedUntil);
      if (dueAt <= now) this.#start(errand);
      else next = Math.min(next, dueAt);
    }
    if (next < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#go(), Math.ceil(next - now));
  }

  #start(errand: Errand): void {
    errand.isUnderWay = true;
    const work = this.#deliver(errand)
      .catch((error: unknown) => this.#rest(error)) // the store failed: it is still in the queue
      .then(() => {
        errand.isUnderWay = false;
        this.#underWay.delete(work);
        this.#go();
      });
    this.#underWay.add(work);
  }

  async #deliver(errand: Errand): Promise<void> {
    const { queue, limits, now } = this.#options;
    const { seq } = errand;
    const whole = await queue.get(seq);
    if (whole === undefined) return this.#lanes.remove(errand); // it made room for others
    if (now() - whole.queuedAt > limits.ageMs) {
      const attempt = { at: Date.now(), status: 0, why: 'too old', milliseconds: 0 };
      return this.#bury(errand, whole, attempt);
    }
    const body = await this.#bodyOf(whole, errand.attempts + 1);
    const attempt = await this.#post(whole.id, body);
    if (this.#hangUp.signal.aborted && attempt.status === 0) return; // our own doing: nobody counts it
    if (attempt.why === '') {
      this.#succeeded();
      if (await this.#settle({ seq, outcome: 'delivered', attempt })) this.#lanes.remove(errand);
      this.#tell({ ...whole, attempts: errand.attempts + 1 }, 'delivered', attempt);
      return;
    }
    errand.attempts++;
    this.#failed(attempt);
    if (errand.attempts >= limits.attempts) return this.#bury(errand, whole, attempt);
    const wait = Math.max(backOffMs(BACK_OFF, errand.attempts), attempt.retryAfterMs ?? 0);
    errand.dueAt = performance.now() + wait;
    const { attempts } = errand;
    await this.#settle({ seq, outcome: 'later', attempts, dueAt: now() + wait, attempt });
    this.#tell({ ...whole, attempts }, 'later', attempt);
  }

  async #bury(errand: Errand, whole: WholeDelivery, attempt: Attempt): Promise<void> {
    const { seq, attempts } = errand;
    const why =
      attempts === 0 ? attempt.why : `${attempt.why}, after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
    if (await this.#settle({ seq, outcome: 'dead', attempts, why, attempt })) this.#lanes.remove(errand);
    this.#tell({ ...whole, attempts }, 'dead', attempt);
  }

  /** The message as it is now, with what was found in its text since it came; as it came where it is gone. */
  async #bodyOf(whole: WholeDelivery, attempt: number): Promise<Buffer> {
    const stored = await this.#options.store.get(whole.message);
    const message = { summary: stored ?? whole.summary, isGone: stored === undefined };
    return bodyOfMessage(whole, { webhook: this.target.name, attempt, at: Date.now() }, message);
  }

  #post(id: string, body: Buffer): Promise<Attempt> {
    const { userAgent, limits } = this.#options;
    return post(this.target, { id, body, userAgent, attemptMs: limits.attemptMs, signal: this.#hangUp.signal });
  }

  #succeeded(): void {
    const hasFailed = this.#failures > 0;
    this.#failures = 0;
    if (hasFailed) this.#tellState('works', '');
  }

  #failed({ status, why, retryAfterMs }: Attempt): void {
    this.#failures++;
    if (retryAfterMs !== undefined) this.#pausedUntil = performance.now() + retryAfterMs;
    // RFC 9110 §15.5.11: it is likely to stay so. What waits stays until somebody says that it does not
    if (status !== 410 || this.#isStopped) return;
    this.#isStopped = true;
    this.#tellState('stopped', why);
  }

  /** Writes down what became of a delivery, however long the store takes. @returns false if it closed meanwhile */
  async #settle(settlement: Settlement): Promise<boolean> {
    for (;;) {
      try {
        await this.#options.queue.settle(settlement);
        return true;
      } catch (error) {
        await this.#rest(error);
        if (this.#isClosing) return false;
      }
    }
  }

  /** Something of ours failed; waits a little. */
  async #rest(error: unknown): Promise<void> {
    this.#options.report({ type: 'crash', where: 'webhooks', error });
    await delay(WEBHOOK_LIMITS.retryMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  #tell({ id, attempts }: Delivery, outcome: 'delivered' | 'later' | 'dead', attempt: Attempt): void {
    const { status, why, milliseconds } = attempt;
    const { name: target } = this.target;
    const host = hostOf(this.target);
    this.#options.report({ type: 'webhook', target, host, delivery: id, outcome, attempt: attempts, status, why, milliseconds }); // biome-ignore format: a line
  }

  #tellState(state: 'works' | 'stopped', why: string): void {
    this.#options.report({ type: 'webhook-state', target: this.target.name, host: hostOf(this.target), state, why });
  }
}
