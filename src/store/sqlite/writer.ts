import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { DeliveryBounds, DeliveryTarget, Overflow, Settlement } from '../../mail/deliveries.ts';
import type { Naming } from '../../mail/inbox.ts';
import { makeDirectory } from '../../mail/make-directory.ts';
import type { MessageChange, Selection } from '../../mail/store.ts';
import { StoreError } from '../errors.ts';
import { Annotations, type Note } from './annotations.ts';
import { Arrivals } from './arrivals.ts';
import { Changes } from './changes.ts';
import { RECEIVED } from './content-files.ts';
import { openToWrite } from './database.ts';
import { DeliveryWriter } from './delivery-writer.ts';
import { EventPacker } from './event-packer.ts';
import { type Arrival, type ArrivalContent, type ArrivedBytes, cutContents } from './facts.ts';
import { GoneWriter } from './gone-writer.ts';
import { makeIntake, readIntake } from './intake-log.ts';
import { type EventBatch, Journal } from './journal.ts';
import { type Layout, layoutOf, makeDirectories } from './layout.ts';
import { Ledger } from './ledger.ts';
import { type StoreLock, takeLock } from './lock.ts';
import { PackWriter } from './pack-writer.ts';
import type { PackStep } from './packer-thread.ts';
import { createQueries, type Queries } from './queries.ts';
import { Removal } from './removal.ts';
import { Reserve } from './reserve.ts';
import { Retention, type RetentionLimits } from './retention.ts';
import { nameIn } from './search.ts';
import { attachSearch, makeSearch, searchedTo, settleSearch } from './search-database.ts';
import { SearchWriter } from './search-writer.ts';
import { asStoreError, isDiskError, MEMORY } from './sqlite-errors.ts';
import { sweep } from './sweep.ts';
import { type IndexedTexts, TextWriter } from './text-writer.ts';
import { type Committed, Transactions } from './transaction.ts';
import { Vacuum } from './vacuum.ts';
import type { CommittedEvent } from './writer-thread.ts';

export interface WriterOptions {
  readonly directory: string;
  readonly naming: Naming;
  readonly limits: RetentionLimits;
  /** Events to be kept at least; as many as usual when absent. */
  readonly keptEvents?: number | undefined;
  /** Who is told of mail that comes; as the store has it when absent. */
  readonly deliveries?: { readonly targets: readonly DeliveryTarget[]; readonly bounds: DeliveryBounds } | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** How a batch is to be kept. */
export interface Keeping {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Number of the newest frame of the intake log whose messages are in the tables then. */
  readonly loggedTo: number;
  /** The commit is to be fsynced, and with it all before it. */
  readonly isSynced: boolean;
  /** The senders have their 250 already, the batch being in the intake log. */
  readonly isAcknowledged: boolean;
}

/** Messages that are to be committed together. */
export interface Batch {
  /** JSON of Arrival[]. */
  readonly arrivals: string;
  /** Bytes of those without a file, one behind the other; what is behind them means nothing. */
  readonly contents: ArrayBuffer;
}

/** What became of each message of a batch: kept, known already, or why not. */
export type Fate = 'kept' | 'known' | Failure;

export interface Failure {
  readonly code: string;
  readonly message: string;
}

export interface BatchOutcome {
  readonly fates: readonly Fate[];
  /** Ids that retention took out to make room. */
  readonly removed: readonly string[];
  /** One for each transaction. */
  readonly events: readonly EventBatch[];
  /** Deliveries that there was no room for. */
  readonly overflow: readonly Overflow[];
  /** What committing took, fsync included. */
  readonly commitMs: number;
  /** The disk did not take the batch: none of it is kept. */
  readonly diskError?: Failure;
}

/** Messages removed, or changed, in one transaction: others get their turn between two. */
const STEP = 500;
/** Expired messages that one batch takes along at most. */
const EXPIRE_WITH_BATCH = 1000;
/** What must fit on the disk before it counts as taking messages again. */
const PROBE_BYTES = 256 * 1024;

/** The one connection that changes the database. Every method is one or several whole transactions. */
export class Writer {
  readonly queries: Queries;
  readonly #layout: Layout | undefined;
  readonly #lock: StoreLock | undefined;
  readonly #database: DatabaseSync;
  readonly #ledger: Ledger;
  readonly #removal: Removal;
  readonly #journal: Journal;
  readonly #changes: Changes;
  readonly #annotations: Annotations;
  readonly #texts: TextWriter;
  readonly #gone: GoneWriter;
  readonly #packs: PackWriter;
  readonly #eventPacker: EventPacker;
  readonly #vacuum: Vacuum;
  readonly #retention: Retention;
  readonly #deliveries: DeliveryWriter;
  readonly #arrivals: Arrivals;
  readonly #transactions: Transactions;
  readonly #onCommitted: (event: CommittedEvent) => void;
  readonly #unlinking = new Set<Promise<void>>();
  /** The intake log has messages that are not in the tables: it must not be written over. */
  #isIntakeLeft = false;
  #search: SearchWriter | undefined;

  constructor(options: WriterOptions, onCommitted: (event: CommittedEvent) => void) {
    const { directory, naming, limits } = options;
    this.#onCommitted = onCommitted;
    this.#layout = directory === MEMORY ? undefined : layoutOf(directory);
    try {
      if (this.#layout) {
        makeDirectories(this.#layout);
        this.#lock = takeLock(this.#layout);
        refuseOrphans(this.#layout);
      }
      const reserve = this.#layout && new Reserve(this.#layout);
      this.#database = open(this.#layout, reserve);
      this.#ledger = new Ledger(this.#database);
      this.#journal = new Journal(this.#database, options.keptEvents);
      this.#removal = new Removal(this.#database, this.#ledger, this.#journal);
      this.#texts = new TextWriter(this.#database);
      this.#gone = new GoneWriter(this.#database);
      this.#packs = new PackWriter(this.#database);
      this.#eventPacker = new EventPacker(this.#database);
      this.#vacuum = new Vacuum(this.#database);
      this.#annotations = new Annotations(this.#database, this.#journal);
      this.#changes = new Changes(this.#database, this.#ledger, this.#journal);
      this.#retention = new Retention(this.#database, this.#ledger, this.#removal, limits);
      this.#deliveries = new DeliveryWriter(this.#database);
      const contents = this.#layout?.contents ?? '';
      this.#arrivals = new Arrivals(this.#database, this.#ledger, this.#journal, this.#deliveries, naming, contents);
      const parts = { ledger: this.#ledger, removal: this.#removal, journal: this.#journal };
      this.#transactions = new Transactions(this.#database, parts, directory, reserve);
      this.queries = createQueries(this.#database, this.#layout);
      this.#agreeWithSearch();
      if (this.#layout) {
        this.#takeIntake(this.#layout, options.now);
        if (!this.#isIntakeLeft) sweep(this.#database, this.#layout); // files may belong to what was left
      }
      this.#configureDeliveries(options);
    } catch (error) {
      this.#lock?.release();
      throw openingError(error, directory);
    }
  }

  /** Gets the intake log ready. @returns number of its newest frame, or undefined where there shall be none */
  openIntake(): number | undefined {
    if (!this.#layout || this.#isIntakeLeft || !makeIntake(this.#layout)) return undefined;
    // a killed daemon may have left a WAL that is not synced, and what it says about the log must not be lost
    this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    return this.#ledger.totals.loggedTo;
  }

  /** Brings the store under its bounds before the first message comes. */
  shrink(now: number): void {
    for (;;) {
      const committed = asMuchAsFits((most) => this.#transactions.runFreeing(() => this.#retention.shrink(most)));
      this.#afterCommit(committed, 'retention');
      if (committed.result === 0) break;
    }
    while (this.expire(now) > 0);
  }

  /**
   * Keeps a batch in one transaction. A message that is at fault itself is refused alone; if it was acknowledged, its
   * bytes go to the folder `refused`, where people find them.
   */
  save(batch: Batch, keeping: Keeping): BatchOutcome {
    const items = cutContents(JSON.parse(batch.arrivals) as Arrival[], Buffer.from(batch.contents));
    try {
      return this.#keep(items, keeping);
    } catch (error) {
      if (!isDiskError(error)) return this.#keepSingly(items, keeping);
      const diskError = failure(error);
      return { fates: items.map(() => diskError), removed: [], events: [], overflow: [], commitMs: 0, diskError };
    }
  }

  /** Writes the index of a database in memory; that of a folder has a thread of its own. */
  get search(): SearchWriter {
    this.#search ??= new SearchWriter(this.#database);
    return this.#search;
  }

  /** @throws ENOSPC while what is left on the disk is for other things than what can be made again */
  ensureRoom(): void {
    this.#transactions.ensureRoom();
  }

  /** Writes what was found out about messages whose words are in the index. */
  putTexts({ upTo, ...texts }: IndexedTexts): void {
    this.#transactions.runLazily(() => {
      this.#texts.put(texts);
      this.#ledger.totals.indexedTo = Math.max(this.#ledger.totals.indexedTo, upTo);
    });
  }

  /** Takes out what is not in the index any more: of messages that are gone, and kinds that no message is of. */
  forget({ seqs = [], kinds = [] }: { readonly seqs?: readonly number[]; readonly kinds?: readonly number[] }): void {
    this.#transactions.runUnsynced(() => {
      this.#gone.forget(seqs);
      this.#texts.sweep(kinds);
    });
  }

  /**
   * Puts packed parts of messages in the place of plain ones.
   * @returns false if a base is gone: the step has then to be made anew
   */
  pack(step: PackStep): boolean {
    return this.#transactions.runLazily(() => {
      if (!this.#packs.put(step)) return false;
      this.#ledger.totals.packedTo = Math.max(this.#ledger.totals.packedTo, step.upTo);
      return true;
    });
  }

  /**
   * Gives room back to the disk that is free in the database, and packs old events, a little at a time.
   * @returns whether there is more
   */
  tidy(): boolean {
    return this.#transactions.runLazily(() => {
      this.#packs.sweep();
      return this.#vacuum.step() || this.#eventPacker.step();
    });
  }

  /** Id of the newest event. */
  get latestEvent(): number {
    return this.#journal.last;
  }

  /** Removes what is selected, in steps between which messages can arrive. */
  async remove(selection: Selection): Promise<string[]> {
    const ids: string[] = [];
    const idOf = this.#database.prepare('SELECT id FROM messages WHERE seq = ?');
    const takeOut = this.#removalOf(selection);
    await this.#inSteps(selection, (seqs) => {
      const committed = this.#transactions.runFreeing(() => {
        const taken: string[] = [];
        for (const seq of seqs) {
          const row = idOf.get(seq);
          if (row && takeOut(seq)) taken.push(String(row.id)); // else gone since it was selected
        }
        return taken;
      });
      ids.push(...committed.result);
      this.#afterCommit(committed, 'asked');
    });
    return ids;
  }

  /** Changes the state of what is selected. */
  async change(selection: Selection, change: MessageChange): Promise<string[]> {
    const ids: string[] = [];
    await this.#inSteps(selection, (seqs) => {
      const committed = this.#transactions.run(() => seqs.flatMap((seq) => this.#changes.apply(seq, change) ?? []));
      ids.push(...committed.result);
      this.#afterCommit(committed, 'asked');
    });
    return ids;
  }

  /** Writes down what was learnt, in one transaction; says of each whether there is such a message. */
  annotate(notes: readonly Note[]): boolean[] {
    const committed = this.#transactions.run(() => notes.map((note) => this.#annotations.apply(note)));
    this.#afterCommit(committed, 'asked');
    return committed.result;
  }

  /** Writes down what became of deliveries. What a power cut takes back of it is delivered once more. */
  settle(settlements: readonly Settlement[], now: number): void {
    const { result } = this.#transactions.runUnsynced(() => {
      this.#deliveries.begin();
      this.#deliveries.settle(settlements, now);
      return this.#deliveries.collect();
    });
    this.#tellOverflow(result);
  }

  /** Has dead letters wait again; gives how many. */
  replay(target: string, ids: readonly string[] | undefined, now: number): number {
    return this.#transactions.run(() => this.#deliveries.replay(target, ids, now)).result;
  }

  /** Removes expired messages, a step of them. */
  expire(now: number): number {
    const committed = asMuchAsFits((most) =>
      this.#transactions.runFreeing(() => this.#retention.expire(now, Number.MAX_SAFE_INTEGER, most)),
    );
    this.#afterCommit(committed, 'retention');
    return committed.result;
  }

  /** Writes something and removes it again, to learn whether the disk takes messages. */
  probe(): void {
    this.#transactions.run(() => {});
    if (!this.#layout) return;
    const path = join(this.#layout.spool, 'probe');
    try {
      writeFileSync(path, Buffer.alloc(PROBE_BYTES), { mode: 0o600, flush: true });
    } finally {
      rmSync(path, { force: true });
    }
  }

  /** Closes the database and gives the folder free. */
  async close(): Promise<void> {
    await Promise.all(this.#unlinking);
    this.#database.close(); // copies the WAL; where that does not fit, the WAL stays and the next start reads it
    if (this.#layout) settleSearch(this.#layout);
    this.#lock?.release();
  }

  #keep(items: readonly ArrivedBytes[], { now, loggedTo, isSynced }: Omit<Keeping, 'isAcknowledged'>): BatchOutcome {
    const first = this.#ledger.nextSeq;
    const work = (): Fate[] => {
      this.#deliveries.begin();
      const fates = items.map((item): Fate => {
        const inboxes = this.#arrivals.add(item, now);
        if (!inboxes) return 'known';
        this.#retention.afterArrival(inboxes);
        return 'kept';
      });
      this.#retention.expire(now, first, EXPIRE_WITH_BATCH);
      const { totals } = this.#ledger;
      totals.loggedTo = Math.max(totals.loggedTo, loggedTo);
      return fates;
    };
    const transactions = this.#transactions;
    const { result, removed, events, commitMs } = isSynced ? transactions.run(work) : transactions.runUnsynced(work);
    this.#unlink(removed.files);
    const overflow = this.#deliveries.collect();
    return { fates: result, removed: removed.ids, events: events ? [events] : [], overflow, commitMs };
  }

  /** One message of the batch is at fault and not the disk: it must not take the others with it. */
  #keepSingly(items: readonly ArrivedBytes[], { now, loggedTo, isAcknowledged }: Keeping): BatchOutcome {
    const fates: Fate[] = [];
    const removed: string[] = [];
    const events: EventBatch[] = [];
    const overflow: Overflow[] = [];
    let commitMs = 0;
    let diskError: Failure | undefined;
    for (const item of items) {
      try {
        const outcome = this.#keep([item], { now, loggedTo: 0, isSynced: true });
        fates.push(...outcome.fates);
        removed.push(...outcome.removed);
        events.push(...outcome.events);
        overflow.push(...outcome.overflow);
        commitMs += outcome.commitMs;
      } catch (error) {
        fates.push(failure(error));
        if (isDiskError(error)) diskError = failure(error);
        else if (isAcknowledged) this.#putAside(item);
      }
    }
    if (!diskError) {
      this.#transactions.run(() => {
        const { totals } = this.#ledger;
        totals.loggedTo = Math.max(totals.loggedTo, loggedTo);
      });
    }
    return { fates, removed, events, overflow, commitMs, ...(diskError && { diskError }) };
  }

  /** Nothing that was acknowledged is thrown away. */
  #putAside({ arrival, content, receivedContent }: ArrivedBytes): void {
    const { refused, contents } = this.#layout!;
    makeDirectory(refused);
    const put = ({ file }: ArrivalContent, bytes: Buffer, name: string): void => {
      const path = join(refused, name);
      if (file === null) writeFileSync(path, bytes, { mode: 0o600, flush: true });
      else renameSync(join(contents, file), path);
    };
    put(arrival, content, `${arrival.id}.eml`);
    const received = arrival.received?.content;
    if (received) put(received, receivedContent, `${arrival.id}${RECEIVED}.eml`);
  }

  /** What was lost of the index, in a power cut or as a whole, is indexed again. */
  #agreeWithSearch(): void {
    const { totals } = this.#ledger;
    const agreed = Math.min(totals.indexedTo, searchedTo(this.#database));
    if (agreed === totals.indexedTo && !this.#texts.hasBeyond(agreed)) return;
    this.#transactions.runFreeing(() => {
      this.#texts.cut(agreed);
      totals.indexedTo = agreed;
    });
  }

  /** Puts into the tables what the intake log has beyond them; where the disk takes nothing, it stays there. */
  #takeIntake(layout: Layout, now: number): void {
    for (const { number, arrivals, contents } of readIntake(layout, this.#ledger.totals.loggedTo)) {
      const bytes = new Uint8Array(contents).buffer;
      const batch = { arrivals, contents: bytes };
      const keeping = { now, loggedTo: number, isSynced: true, isAcknowledged: true };
      const { diskError, overflow } = this.save(batch, keeping);
      this.#tellOverflow(overflow);
      if (diskError) {
        this.#isIntakeLeft = true;
        return;
      }
    }
  }

  /** What the intake log held came under the targets of its time; from now on these are told. */
  #configureDeliveries({ deliveries, now }: WriterOptions): void {
    if (!deliveries || (deliveries.targets.length === 0 && this.#deliveries.isUnused)) return;
    const { result } = this.#transactions.runFreeing(() => {
      this.#deliveries.configure(deliveries.targets, deliveries.bounds, now);
      return this.#deliveries.collect();
    });
    this.#deliveries.reload();
    this.#tellOverflow(result);
  }

  #tellOverflow(overflow: readonly Overflow[]): void {
    if (overflow.length > 0) this.#onCommitted({ removed: [], why: 'retention', events: undefined, overflow });
  }

  /** Works through what is selected, in steps between which messages can arrive. */
  async #inSteps(selection: Selection, work: (seqs: readonly number[]) => void): Promise<void> {
    const seqs = this.queries.select(selection);
    for (let at = 0; at < seqs.length; ) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve));
      at += asMuchAsFits((most) => {
        const step = seqs.slice(at, at + most);
        work(step);
        return step.length;
      });
    }
  }

  /** How a message of a selection is removed: from the store, or out of the inboxes that the selection is about. */
  #removalOf(selection: Selection): (seq: number) => boolean {
    if ('inbox' in selection) {
      return (seq) => {
        const entry = this.#ledger.find(selection.inbox);
        return entry !== undefined && this.#removal.placements([entry], seq);
      };
    }
    if ('all' in selection || selection.scope === undefined) {
      return (seq) => {
        this.#removal.message(seq);
        return true;
      };
    }
    const seen = nameIn('name', selection.scope);
    const places = this.#database.prepare(
      `SELECT inbox FROM placements JOIN inboxes USING (inbox) WHERE seq = ? AND (${seen.sql})`,
    );
    return (seq) => {
      const entries = places.all(seq, ...seen.values).map(({ inbox }) => this.#ledger.entry(Number(inbox)));
      return this.#removal.placements(entries, seq);
    };
  }

  #afterCommit({ removed, events }: Committed<unknown>, why: 'asked' | 'retention'): void {
    this.#unlink(removed.files);
    if (removed.ids.length > 0 || events) this.#onCommitted({ removed: removed.ids, why, events });
  }

  /** A file that cannot be unlinked now has no row any more and goes when the store is next opened. */
  #unlink(files: readonly string[]): void {
    for (const file of files) {
      const unlinking = unlink(join(this.#layout!.contents, file)).catch(() => {});
      this.#unlinking.add(unlinking);
      void unlinking.then(() => this.#unlinking.delete(unlinking));
    }
  }
}

/** Does a step of work; on a full disk a smaller one, since the log of a removal needs room too, down to one message. */
function asMuchAsFits<T>(work: (most: number) => T): T {
  for (let most = STEP; ; most = Math.ceil(most / 8)) {
    try {
      return work(most);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC' || most === 1) throw error;
    }
  }
}

/** Contents without a database are what a lost file left, and no new store: opening one here would remove them. */
function refuseOrphans({ directory, database, contents }: Layout): void {
  if (existsSync(database) && statSync(database).size > 0) return;
  const { length } = readdirSync(contents);
  if (length === 0) return;
  throw new StoreError(
    'STORE_CORRUPT',
    `The database in ${directory} is gone, and contents/ still holds ${length} messages; inboxd salvage reads them`,
  );
}

/** Opens the database; on a full disk with the room of the reserve, so that messages can be read and removed. */
function open(layout: Layout | undefined, reserve: Reserve | undefined): DatabaseSync {
  if (!layout || !reserve) return openBoth(undefined);
  try {
    return openBoth(layout, reserve.bytes);
  } catch (cause) {
    const { code } = asStoreError(cause, layout.directory) as { code?: string };
    if (code !== 'ENOSPC' || !reserve.spend()) throw cause;
    return openBoth(layout, reserve.bytes);
  }
}

/** Opens the database with the index of its words beside it, to be searched. */
function openBoth(layout: Layout | undefined, reserveBytes?: number): DatabaseSync {
  const database = layout ? openToWrite(layout.database, layout.contents, reserveBytes) : openToWrite(MEMORY, '');
  try {
    if (layout) makeSearch(layout);
    attachSearch(database, layout);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function failure(error: unknown): Failure {
  const { code, message } = error as { code?: string; message: string };
  return { code: code ?? 'STORE_FAILED', message };
}

function openingError(cause: unknown, directory: string): Error {
  const error = asStoreError(cause, directory) as Error & { code?: string };
  if (error.code === 'STORE_CORRUPT' && !(cause instanceof StoreError)) {
    return new StoreError(
      'STORE_CORRUPT',
      `The database in ${directory} is damaged: ${error.message}; inboxd salvage reads what is left`,
      { cause },
    );
  }
  if (error.code === undefined || error.code.startsWith('STORE_')) return error;
  return new StoreError('STORE_UNWRITABLE', `Cannot keep mail in ${directory}: ${error.message}`, { cause });
}
