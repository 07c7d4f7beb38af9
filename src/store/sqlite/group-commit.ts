import type { Message } from '../../mail/message.ts';
import { StoreError } from '../errors.ts';
import { type Arrival, arrivalOf } from './facts.ts';
import type { Thread } from './thread.ts';
import type { BatchOutcome, Fate } from './writer.ts';
import type { WriteMethods } from './writer-thread.ts';

/** What one batch may hold: enough to share an fsync among, little enough to be written quickly. */
const BATCH_MESSAGES = 512;
const BATCH_BYTES = 4 * 1024 * 1024;

interface Waiting {
  readonly arrival: Arrival;
  /** Bytes that travel with it; none when they are in a file. */
  readonly views: readonly Buffer[];
  readonly bytes: number;
  readonly resolve: (fate: 'kept' | 'known') => void;
  readonly reject: (error: Error) => void;
}

export interface GroupCommitOptions {
  readonly writer: Thread<WriteMethods, never>;
  readonly now: () => number;
  /** After each commit, before the messages' promises are resolved. */
  readonly onCommit: (stored: readonly string[], outcome: BatchOutcome) => void;
  /** Whether the last batch came to rest on disk. */
  readonly onHealth: (isWell: boolean) => void;
}

/**
 * Gathers messages while the writer is busy with a batch and hands it the next when it is done: under load many
 * messages share one fsync, and a single one waits for nobody.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #queue: Waiting[] = [];
  #isBusy = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Resolves when the message is on disk. */
  add(message: Message, file: string | null): Promise<'kept' | 'known'> {
    const { at, bytes } = message.content;
    return new Promise((resolve, reject) => {
      const isInline = file === null && at.kind === 'memory';
      this.#queue.push({
        arrival: arrivalOf(message, file),
        views: isInline ? at.views : [],
        bytes: isInline ? bytes : 0,
        resolve,
        reject,
      });
      if (!this.#isBusy) this.#begin();
    });
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    if (!this.#isBusy) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  #begin(): void {
    this.#isBusy = true;
    setImmediate(() => this.#send()); // what else this turn brings comes along
  }

  #send(): void {
    if (this.#queue.length === 0) {
      this.#isBusy = false;
      this.#idle?.resolve();
      this.#idle = undefined;
      return;
    }
    const batch = this.#take();
    const contents = join(batch);
    const arrivals = JSON.stringify(batch.map(({ arrival }) => arrival));
    const argument = { batch: { arrivals, contents }, now: this.#options.now() };
    this.#options.writer.call('save', argument, [contents]).then(
      (outcome) => {
        this.#send(); // first: the writer shall not wait for us
        this.#settle(batch, outcome);
      },
      (error: Error) => {
        this.#options.onHealth(false);
        this.#send();
        for (const { reject } of batch) reject(error);
      },
    );
  }

  #take(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      bytes += waiting.bytes;
      if (count > 0 && (bytes > BATCH_BYTES || count >= BATCH_MESSAGES)) break;
      count++;
    }
    if (count === this.#queue.length) {
      const all = this.#queue;
      this.#queue = [];
      return all;
    }
    return this.#queue.splice(0, count);
  }

  #settle(batch: readonly Waiting[], outcome: BatchOutcome): void {
    const { fates } = outcome;
    const stored: string[] = [];
    for (const [place, { arrival }] of batch.entries()) if (fates[place] === 'kept') stored.push(arrival.id);
    this.#options.onHealth(fates.every(isWell));
    this.#options.onCommit(stored, outcome);
    for (const [place, { resolve, reject }] of batch.entries()) {
      const fate = fates[place]!;
      if (isWell(fate)) resolve(fate);
      else reject(new StoreError(fate.code, fate.message));
    }
  }
}

function isWell(fate: Fate): fate is 'kept' | 'known' {
  return typeof fate === 'string';
}

/** Joins the bytes of a batch in a buffer that can move to the writer. */
function join(batch: readonly Waiting[]): ArrayBuffer {
  let bytes = 0;
  for (const waiting of batch) bytes += waiting.bytes;
  const joined = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const { views } of batch) for (const view of views) at += view.copy(joined, at);
  return joined.buffer as ArrayBuffer;
}
