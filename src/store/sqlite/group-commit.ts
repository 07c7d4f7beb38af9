import type { Content } from '../../mail/content.ts';
import type { Message } from '../../mail/message.ts';
import { StoreError } from '../errors.ts';
import { arrivalOf, type ContentFiles, receivedContent } from './facts.ts';
import type { IntakeLog } from './intake-log.ts';
import type { Thread } from './thread.ts';
import type { BatchOutcome, Fate, Keeping, Batch as Packed } from './writer.ts';
import type { WriteMethods } from './writer-thread.ts';

/** What one batch may hold: enough to share an fsync among, little enough to be written quickly. */
const BATCH_MESSAGES = 512;
const BATCH_BYTES = 2 * 1024 * 1024;
/** Of the memory that contents travel in, so that one serves for most batches. */
const LEAST_ROOM_BYTES = 64 * 1024;
/** The tables take what was logged so often at most: the fewer transactions, the less each message costs. */
const APPLY_EVERY_MS = 8;
/** How long after the tables could not take it it is tried again. */
const RETRY_MS = 1000;

interface Waiting {
  readonly id: string;
  /** JSON of its Arrival. */
  readonly json: string;
  /** Files that its contents are in. */
  readonly files: ContentFiles;
  /** Bytes that travel with it; none when they are in files. */
  readonly views: readonly Buffer[];
  readonly bytes: number;
  /** Its sender waits for the tables and not only for the log. */
  readonly isForTables: boolean;
  readonly resolve: (fate: 'kept' | 'known') => void;
  readonly reject: (error: Error) => void;
}

type Batch = readonly Waiting[];

interface Logged {
  readonly batch: Batch;
  /** Of its frame. */
  readonly number: number;
}

export interface GroupCommitOptions {
  readonly writer: Thread<WriteMethods, never>;
  /** Where batches are safe before the tables have them; without it they wait for the tables. */
  readonly log: IntakeLog | undefined;
  readonly now: () => number;
  /** The tables have taken messages; for those that were not logged, before their promises are resolved. */
  readonly onCommit: (stored: readonly string[], outcome: BatchOutcome) => void;
  /** Whether the last batch came to rest on disk. */
  readonly onHealth: (isWell: boolean) => void;
  /** A group is on disk in the intake log; its write took so long. */
  readonly onLogged: (messages: number, milliseconds: number) => void;
  /** A message was kept already, and the files of its second content are nobody's. */
  readonly onOrphan: (files: ContentFiles) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Gathers messages while a batch is on its way to the disk and sends the next when it is there: under load many
 * messages share one wait, and a single one waits for nobody. A batch goes to the intake log and from there, together
 * with others, into the tables; or, where the log can't take it, into the tables at once.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #queue: Waiting[] = [];
  #isBusy = false;
  #idle: PromiseWithResolvers<void> | undefined;
  /** Logged, oldest first, and to be put into the tables. */
  #logged: Logged[] = [];
  /** The tables did not take what was logged; until they do, nothing more is. */
  #isStuck = false;
  #applying: Promise<Error | undefined> | undefined;
  #appliedAt = 0;
  /** Memory that contents travelled in, to be used again. */
  #room: ArrayBuffer | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the message is on disk.
   * @param isForTables wait until it is in the tables too
   */
  add(message: Message, files: ContentFiles, isForTables: boolean): Promise<'kept' | 'known'> {
    const { views, bytes } = travelling(message, files);
    return new Promise((resolve, reject) => {
      this.#queue.push({
        id: message.id,
        json: JSON.stringify(arrivalOf(message, files)),
        files,
        views,
        bytes,
        isForTables,
        resolve,
        reject,
      });
      if (!this.#isBusy) this.#begin();
    });
  }

  /** True while messages are on their way to the log or the tables. */
  get isBusy(): boolean {
    return this.#isBusy || this.isBehind;
  }

  /** True while messages that are safe already are not in the tables yet. */
  get isBehind(): boolean {
    return this.#logged.length > 0 || this.#applying !== undefined;
  }

  /** Has the tables take everything that was safe when this was called; resolves also when they cannot. */
  async catchUp(): Promise<void> {
    const goal = this.#logged.at(-1)?.number ?? 0;
    if (this.#applying) await this.#applying;
    while (this.#logged.length > 0 && this.#logged[0]!.number <= goal) if (await this.#apply()) break;
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    if (this.#isBusy) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
    while (this.isBehind) if (await this.#apply()) break;
    clearTimeout(this.#timer);
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
    const batch = take(this.#queue);
    this.#queue = batch.length === this.#queue.length ? [] : this.#queue.slice(batch.length);
    const { log } = this.#options;
    const isLoggable = !this.#isStuck && !batch.some(({ isForTables }) => isForTables);
    const logged = isLoggable ? log?.append(batch) : undefined;
    if (logged === 'behind') {
      void this.#sendWhenThereIsRoom(batch);
      return;
    }
    if (!logged) {
      void this.#keep(batch);
      return;
    }
    const from = performance.now();
    logged.then(
      () => {
        this.#options.onLogged(batch.length, performance.now() - from);
        this.#logged.push({ batch, number: log!.newest });
        this.#send(); // first: the disk shall not wait for us
        for (const { resolve } of batch) resolve('kept');
        this.#applySoon();
      },
      (error: unknown) => {
        this.#options.onError(error);
        void this.#keep(batch);
      },
    );
  }

  /**
   * Has the tables take the older half of what was logged and goes on to log then: while the batch waits the writer is at
   * work, and it has the younger half to go on with.
   */
  async #sendWhenThereIsRoom(batch: Batch): Promise<void> {
    while (this.#options.log!.wantsSync) {
      if (!this.isBehind || (await this.#apply())) return this.#keep(batch);
    }
    this.#queue = [...batch, ...this.#queue];
    this.#send();
  }

  /** Puts a batch into the tables while its senders wait, behind everything that was logged before. */
  async #keep(batch: Batch): Promise<void> {
    const { onHealth, onCommit, log } = this.#options;
    try {
      while (this.isBehind) {
        const failure = await this.#apply();
        if (failure) throw failure;
      }
      const newest = log?.newest ?? 0;
      const outcome = await this.#save(batch, { loggedTo: newest, isSynced: true, isAcknowledged: false });
      if (outcome.fates.includes('kept')) log?.synced(newest);
      this.#send(); // first: the writer shall not wait for us
      onHealth(outcome.fates.every(isWell));
      onCommit(storedIn(batch, outcome), outcome);
      for (const [place, { resolve, reject }] of batch.entries()) {
        const fate = outcome.fates[place]!;
        if (isWell(fate)) resolve(fate);
        else reject(new StoreError(fate.code, fate.message));
      }
    } catch (error) {
      onHealth(false);
      this.#send();
      for (const { reject } of batch) reject(error as Error);
    }
  }

  async #save(messages: Batch, how: Omit<Keeping, 'now'>): Promise<BatchOutcome> {
    const { writer, now } = this.#options;
    const room = this.#room;
    this.#room = undefined;
    const batch = packed(messages, room);
    const keeping = { ...how, now: now() };
    const { outcome, contents } = await writer.call('save', { batch, keeping }, [batch.contents]);
    if (contents.byteLength <= BATCH_BYTES) this.#room = contents;
    return outcome;
  }

  #applySoon(): void {
    if (this.#applying || this.#timer) return;
    const wait = this.#appliedAt + (this.#isStuck ? RETRY_MS : APPLY_EVERY_MS) - performance.now();
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.#apply();
      },
      Math.max(wait, 0),
    );
  }

  /** One transaction of what was logged. @returns why it failed; then it stays logged */
  #apply(): Promise<Error | undefined> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#applying ??= this.#applyOnce().then((failure) => {
      this.#applying = undefined;
      this.#isStuck = failure !== undefined;
      if (this.#logged.length > 0) this.#applySoon();
      return failure;
    });
    return this.#applying;
  }

  /** As much of what was logged as one transaction shall hold. */
  #takeLogged(): Logged[] {
    let bytes = 0;
    let messages = 0;
    let count = 0;
    for (const { batch } of this.#logged) {
      messages += batch.length;
      for (const waiting of batch) bytes += waiting.bytes;
      if (count > 0 && (bytes > BATCH_BYTES || messages > BATCH_MESSAGES)) break;
      count++;
    }
    return this.#logged.splice(0, count);
  }

  async #applyOnce(): Promise<Error | undefined> {
    const { log, onCommit, onHealth, onOrphan, onError } = this.#options;
    this.#appliedAt = performance.now();
    const some = this.#takeLogged();
    const loggedTo = some.at(-1)!.number;
    const all = some.flatMap(({ batch }) => batch);
    const isSynced = log!.wantsSync;
    try {
      const outcome = await this.#save(all, { loggedTo, isSynced, isAcknowledged: true });
      const { diskError } = outcome;
      if (diskError) throw new StoreError(diskError.code, diskError.message);
      if (isSynced) log!.synced(loggedTo);
      for (const [place, fate] of outcome.fates.entries()) {
        const { id, files } = all[place]!;
        if (fate === 'known') onOrphan(files);
        else if (!isWell(fate))
          onError(new StoreError(fate.code, `Message ${id} is safe but cannot be listed: ${fate.message}`));
      }
      onCommit(storedIn(all, outcome), outcome);
      return undefined;
    } catch (error) {
      this.#logged = [...some, ...this.#logged];
      onHealth(false);
      return error as Error;
    }
  }
}

/** The bytes that a message takes along: of the content as filters left it, then of the one that came, if that is another. */
function travelling(message: Message, files: ContentFiles): Pick<Waiting, 'views' | 'bytes'> {
  const own = inlineOf(message.content, files.file);
  const received = receivedContent(message);
  if (received === undefined) return own;
  const other = inlineOf(received, files.received);
  return { views: [...own.views, ...other.views], bytes: own.bytes + other.bytes };
}

function inlineOf({ at, bytes }: Content, file: string | null): Pick<Waiting, 'views' | 'bytes'> {
  return file === null && at.kind === 'memory' ? { views: at.views, bytes } : NOTHING;
}

const NOTHING = { views: [], bytes: 0 };

/**
 * What travels to the writer: the arrivals as JSON, and their bytes in a buffer that can move.
 * @param room that they are put into if they fit
 */
function packed(batch: Batch, room: ArrayBuffer | undefined): Packed {
  let bytes = 0;
  for (const waiting of batch) bytes += waiting.bytes;
  const fits = room && room.byteLength >= bytes;
  const joined = fits ? Buffer.from(room) : Buffer.allocUnsafeSlow(Math.max(bytes, LEAST_ROOM_BYTES));
  let at = 0;
  for (const { views } of batch) for (const view of views) at += view.copy(joined, at);
  return { arrivals: `[${batch.map(({ json }) => json).join()}]`, contents: joined.buffer as ArrayBuffer };
}

function take(queue: readonly Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  for (const waiting of queue) {
    bytes += waiting.bytes;
    if (count > 0 && (bytes > BATCH_BYTES || count >= BATCH_MESSAGES)) break;
    count++;
  }
  return queue.slice(0, count);
}

function storedIn(batch: Batch, { fates }: BatchOutcome): string[] {
  const stored: string[] = [];
  for (const [place, { id }] of batch.entries()) if (fates[place] === 'kept') stored.push(id);
  return stored;
}

function isWell(fate: Fate): fate is 'kept' | 'known' {
  return typeof fate === 'string';
}
