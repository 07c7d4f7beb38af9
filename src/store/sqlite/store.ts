import { join, resolve } from 'node:path';
import { type Content, contentOf, SPOOL_MEMORY_BYTES } from '../../mail/content.ts';
import type { DeliveryBounds, DeliveryQueue, DeliveryTarget } from '../../mail/deliveries.ts';
import type { Naming } from '../../mail/inbox.ts';
import type { Message } from '../../mail/message.ts';
import type { Reporter } from '../../mail/report.ts';
import type { ContentForm, Selection, Store } from '../../mail/store.ts';
import { StoreError } from '../errors.ts';
import { createExpiryClock } from '../expiry-clock.ts';
import type { Note } from './annotations.ts';
import { dropFile, keepAsFile } from './content-files.ts';
import { StoreDeliveries } from './delivery-queue.ts';
import { type ContentFiles, NO_FILES, receivedContent } from './facts.ts';
import { Gatherer } from './gatherer.ts';
import { GroupCommit } from './group-commit.ts';
import { Indexer } from './indexer.ts';
import { IntakeLog } from './intake-log.ts';
import { layoutOf } from './layout.ts';
import { type Arrivals, Pace } from './pace.ts';
import { Packer } from './packer.ts';
import { createReaders, type ReaderThreads } from './readers.ts';
import { createReading, type Reading } from './reading.ts';
import { needsText } from './search.ts';
import type { SearchMethods } from './search-methods.ts';
import type { SearchThreadMethods } from './search-thread.ts';
import { type Caller, SeldomThread } from './seldom-thread.ts';
import { MEMORY } from './sqlite-errors.ts';
import { StoreFeed } from './store-feed.ts';
import { startThread, type Thread } from './thread.ts';
import type { WriterOptions } from './writer.ts';
import type { CommittedEvent, WriteMethods } from './writer-thread.ts';

export interface SqliteStoreOptions {
  /** Folder of the store, made if needed; `:memory:` keeps nothing. */
  readonly directory: string;
  readonly naming: Naming;
  /** Messages an inbox keeps; 0 is off, as for the next two. */
  readonly keepPerInbox: number;
  /** Octets of raw messages that an inbox keeps; 0 or absent is off. */
  readonly keepBytesPerInbox?: number;
  /** Octets of raw messages kept in all. */
  readonly keepBytes: number;
  readonly keepAgeMs: number;
  readonly report: Reporter;
  /** Who is told of mail that comes, and how much may wait for each; absent: as it was when the store was last opened. */
  readonly deliveries?: { readonly targets: readonly DeliveryTarget[]; readonly bounds: DeliveryBounds };
  /** Events that are kept for those who come back. */
  readonly keptEvents?: number;
  readonly now?: () => number;
  /** Whether what came some time ago is packed; it is unless this says no. */
  readonly isPacking?: boolean;
}

export interface SqliteStore extends Store {
  readonly deliveries: DeliveryQueue;
}

/** Ids become parts of file names. */
const ID = /^[0-9A-Za-z_-]{1,64}$/;
/** Until the thread that writes the index gives its memory back, and with it mails of which the next may be of a kind. */
const SEARCH_IDLE_MS = 300_000;
/** How often expired messages are looked for: a hundredth of the age that is kept, within these. */
const EXPIRE_MS = { least: 1000, most: 60_000 };

/**
 * Opens the store of a folder.
 *
 * A thread owns the only connection that writes; another one reads. When `save` resolves, the message is on disk
 * (fsync) and every read sees it.
 * @throws errors with the codes of `STORE_ERRORS`
 */
export async function createSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const {
    keepPerInbox,
    keepBytesPerInbox = 0,
    keepBytes,
    keepAgeMs,
    keptEvents,
    naming,
    report,
    now = createExpiryClock(),
    isPacking = true,
  } = options;
  const isInMemory = options.directory === MEMORY;
  const directory = isInMemory ? MEMORY : resolve(options.directory);
  const contents = isInMemory ? '' : layoutOf(directory).contents;
  let deleted = 0;
  let arrived = 0;
  let isWell = true;
  let closing: Promise<void> | undefined;

  const early: CommittedEvent[] = []; // what opening the store removed
  let onCommitted = (event: CommittedEvent): void => void early.push(event);
  const onRemoved = (ids: readonly string[], why: 'asked' | 'retention'): void => {
    if (ids.length === 0) return;
    deleted += ids.length;
    report({ type: 'deleted', ids, why });
  };
  const onDeath = (cause: Error): void => {
    isWell = false;
    const text = `${cause.message}; no mail is taken or shown until the daemon is started again`;
    report({ type: 'crash', where: 'store', error: new StoreError('STORE_FAILED', text, { cause }) });
  };
  const limits = { keepPerInbox, keepBytesPerInbox, keepBytes, keepAgeMs };
  const data: WriterOptions = { directory, naming, limits, keptEvents, deliveries: options.deliveries, now: now() };
  const writer = await startThread<WriteMethods, CommittedEvent>('writer-thread', {
    name: 'store writer',
    data,
    onEvent: (event) => onCommitted(event),
    onDeath,
  });
  const readers = isInMemory
    ? readersOfMemory(writer)
    : createReaders(directory, readersOfMemory(writer).fresh, (error) =>
        report({ type: 'crash', where: 'store', error }),
      );
  const deliveries = new StoreDeliveries({ reader: readers.quick, writer, now });
  const feed = new StoreFeed({
    latest: await writer.call('latestEvent', undefined),
    read: (after, limit) => readers.quick.call('events', { after, limit }),
    onError: (error) => report({ type: 'crash', where: 'store feed', error }),
  });
  for (const { removed, why, overflow = [] } of early) {
    onRemoved(removed, why);
    deliveries.tell(overflow);
  }
  let packer: Packer | undefined;
  onCommitted = ({ removed, why, events, overflow }) => {
    onRemoved(removed, why);
    if (removed.length > 0) indexer.wakeToForget();
    feed.publish(events);
    if (overflow && overflow.length > 0) deliveries.tell(overflow);
  };
  const arrivals: Arrivals = { count: () => arrived, areWaiting: () => commit.isBusy };
  const search = isInMemory
    ? searchOfMemory(writer)
    : searchOf(directory, (error) => report({ type: 'crash', where: 'store index', error }));
  const indexer = new Indexer({
    reader: readers.fresh,
    keepers: { search, writer },
    contents,
    arrivals,
    onIndexed: () => packer?.wake(),
    onError: (error) => report({ type: 'crash', where: 'store index', error }),
  });
  if (isPacking && !isInMemory) {
    packer = new Packer({
      directory,
      writer,
      pace: new Pace(arrivals),
      isYielding: () => indexer.isRunning,
      onError: (error) => report({ type: 'crash', where: 'store packing', error }),
    });
  }
  const loggedTo = await writer.call('intake', undefined);
  const log = loggedTo === undefined ? undefined : new IntakeLog(layoutOf(directory), loggedTo);
  const commit = new GroupCommit({
    writer,
    log,
    now,
    onHealth: (isHealthy) => {
      isWell = isHealthy;
    },
    onCommit: (stored, { removed, events, overflow, commitMs }) => {
      arrived += stored.length;
      if (stored.length > 0) {
        report({ type: 'stored', ids: stored, commitMs });
        indexer.wake();
      }
      onRemoved(removed, 'retention');
      if (removed.length > 0) indexer.wakeToForget();
      for (const batch of events) feed.publish(batch);
      deliveries.tell(overflow);
    },
    onLogged: (messages, milliseconds) => report({ type: 'logged', messages, milliseconds }),
    onOrphan: (files) => void dropFiles(files),
    onError: (error) => report({ type: 'crash', where: 'store', error }),
  });
  const notes = new Gatherer((batch: readonly Note[]) => writer.call('annotate', batch));
  const reading = readYourWrites(createReading(readers, indexer, contents), commit);
  const expiry = keepAgeMs > 0 ? startExpiry(writer, keepAgeMs, now, report) : undefined;
  let preparing = 0; // messages whose content file is being made
  let prepared: PromiseWithResolvers<void> | undefined;
  indexer.wake(); // what the last run left

  async function dropFiles(files: ContentFiles): Promise<void> {
    for (const file of [files.file, files.received]) if (file !== null) await dropFile(join(contents, file));
  }

  /** Gives the large ones among the contents of a message files of their own. */
  async function keepAsFiles(message: Message): Promise<ContentFiles> {
    const received = receivedContent(message);
    const keep = (content: Content, form: ContentForm): Promise<string> | null =>
      isForFile(content) ? keepAsFile(content, message.id, contents, form) : null;
    const file = await keep(message.content, 'edited');
    try {
      return { file, received: await (received ? keep(received, 'received') : null) };
    } catch (error) {
      await dropFiles({ file, received: null });
      throw error;
    }
  }

  async function saveAsFiles(message: Message, isForTables: boolean): Promise<void> {
    preparing += 1;
    let files: ContentFiles;
    try {
      files = await keepAsFiles(message);
    } catch (error) {
      isWell = false;
      throw error;
    } finally {
      preparing -= 1;
      if (preparing === 0) queueMicrotask(() => prepared?.resolve());
    }
    let fate: 'kept' | 'known' | undefined;
    try {
      fate = await commit.add(message, files, isForTables);
    } finally {
      if (fate !== 'kept') await dropFiles(files);
    }
  }

  /** For an in-memory store, contents that came as files are read first. */
  async function saveFromFiles(message: Message): Promise<void> {
    const received = receivedContent(message);
    const content = await inMemory(message.content);
    const original = message.original && {
      ...message.original,
      content: received ? await inMemory(received) : content,
    };
    // a message may make its transcript when it is asked for it, which a copy would not
    const { transcript } = message;
    await commit.add({ ...message, transcript, content, ...(original && { original }) }, NO_FILES, true);
  }

  async function keep(message: Message, isForTables: boolean): Promise<void> {
    ensureOpen();
    const { id } = message;
    const received = receivedContent(message);
    const forms = received ? [message.content, received] : [message.content];
    if (Number.isNaN(message.receivedAt.getTime())) throw new StoreError('STORE_FAILED', 'No time of receipt');
    if (!ID.test(id)) throw new StoreError('STORE_FAILED', `Not a message id: ${JSON.stringify(id)}`);
    if (forms.some(({ at }) => at.kind === 'counted')) {
      throw new StoreError('STORE_FAILED', 'The content was counted, not kept');
    }
    if (isInMemory && forms.some(({ at }) => at.kind === 'file')) return saveFromFiles(message);
    if (!isInMemory && forms.some(isForFile)) return saveAsFiles(message, isForTables);
    await commit.add(message, NO_FILES, isForTables);
  }

  async function close(): Promise<void> {
    clearInterval(expiry);
    if (preparing > 0) {
      prepared = Promise.withResolvers();
      await prepared.promise;
    }
    await commit.drain();
    await log?.close();
    await notes.drain();
    await deliveries.drain();
    await indexer.close();
    await packer?.close();
    try {
      await Promise.all([readers.close(), search.close()]);
      if (writer.isAlive) await writer.call('close', undefined);
    } finally {
      await writer.end();
    }
  }

  const ensureOpen = (): void => {
    if (closing) throw new StoreError('STORE_CLOSED', 'The store is closed');
  };
  const awaitText = async (selection: Selection): Promise<void> => {
    if ('query' in selection && needsText(selection.query)) await indexer.caughtUp();
  };

  return {
    ...reading,
    save: (message) => keep(message, true),
    accept: (message) => keep(message, false),
    async remove(selection) {
      ensureOpen();
      await awaitText(selection);
      await commit.catchUp();
      return writer.call('remove', selection);
    },
    async change(selection, change) {
      ensureOpen();
      await awaitText(selection);
      await commit.catchUp();
      return writer.call('change', { selection, change });
    },
    async annotate(id, annotation) {
      ensureOpen();
      if (commit.isBehind) await commit.catchUp();
      return notes.add({ id, annotation });
    },
    feed,
    deliveries,
    stats: async () => ({ ...(await reading.stats()), deleted, location: directory }),
    async ready() {
      if (closing || !writer.isAlive) return false;
      if (isWell) return true;
      isWell = await writer.call('probe', undefined).then(
        () => true,
        () => false,
      );
      return isWell;
    },
    get isAlive() {
      return writer.isAlive;
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

interface SearchKeeper extends Caller<SearchMethods> {
  close(): Promise<void>;
}

/** Whether a content lies beside the database and not in it. */
function isForFile({ at, bytes }: Content): boolean {
  return at.kind === 'file' || bytes > SPOOL_MEMORY_BYTES;
}

async function inMemory(content: Content): Promise<Content> {
  if (content.at.kind === 'memory') return content;
  const views: Buffer[] = [];
  for await (const view of content.stream()) views.push(view);
  return contentOf(views, content.bareNewlines);
}

/** The thread that writes can read too: of a database in memory nobody else can. */
function readersOfMemory(writer: Thread<WriteMethods, CommittedEvent>): ReaderThreads {
  const reader = writer as unknown as ReaderThreads['quick'];
  return { quick: reader, slow: reader, fresh: reader, close: async () => {} };
}

/** The thread that writes the index, while it is wanted. */
function searchOf(directory: string, onDeath: (error: Error) => void): SearchKeeper {
  const options = { name: 'store index', data: directory, idleMs: SEARCH_IDLE_MS, onDeath };
  return new SeldomThread<SearchThreadMethods>('search-thread', options);
}

/** Of a database in memory the thread that has it writes the index too. */
function searchOfMemory(writer: Thread<WriteMethods, CommittedEvent>): SearchKeeper {
  return {
    call: (method, argument) => (writer as unknown as Caller<SearchMethods>).call(method, argument),
    close: async () => {},
  };
}

/** Whoever reads sees everything that was safe when they asked. */
function readYourWrites(reading: Reading, commit: GroupCommit): Reading {
  const after =
    <A extends readonly unknown[], R>(read: (...values: A) => Promise<R>) =>
    async (...values: A): Promise<R> => {
      if (commit.isBehind) await commit.catchUp();
      return read(...values);
    };
  return {
    list: after(reading.list),
    get: after(reading.get),
    content: after(reading.content),
    inboxes: after(reading.inboxes),
    pending: after(reading.pending),
    tags: after(reading.tags),
    stats: after(reading.stats),
  };
}

/** Looks for expired messages also while none arrive. */
function startExpiry(
  writer: Thread<WriteMethods, CommittedEvent>,
  keepAgeMs: number,
  now: () => number,
  report: Reporter,
): NodeJS.Timeout {
  const { least, most } = EXPIRE_MS;
  let isRunning = false;
  const expire = async (): Promise<void> => {
    if (isRunning || !writer.isAlive) return;
    isRunning = true;
    try {
      while ((await writer.call('expire', now())) > 0);
    } catch (error) {
      if (writer.isAlive) report({ type: 'crash', where: 'store expiry', error });
    } finally {
      isRunning = false;
    }
  };
  const timer = setInterval(() => void expire(), Math.min(Math.max(keepAgeMs / 100, least), most));
  return timer.unref();
}
