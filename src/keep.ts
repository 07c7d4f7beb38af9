import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { Chaos } from './mail/chaos.ts';
import { countingSpool, createMemorySpool, createSpool, type Spool } from './mail/content.ts';
import type { Reporter } from './mail/report.ts';
import type { Resolver } from './mail/resolver.ts';
import type { Sink } from './mail/sink.ts';
import type { Store } from './mail/store.ts';
import { discard } from './sinks/discard.ts';
import { loadSink } from './sinks/load.ts';
import { createMaildirSink } from './sinks/maildir.ts';
import { createPipeSink } from './sinks/pipe.ts';
import { createStoreSink } from './sinks/store.ts';
import { createFreeSpace, type FreeSpace } from './store/free-space.ts';
import { spoolDirectory } from './store/sqlite/layout.ts';
import { createSqliteStore } from './store/sqlite/store.ts';
import { startVerifying } from './verifying.ts';
import { deliveriesOf, startWebhooks, type Webhooking } from './webhooking.ts';

/** Where messages go: store, sink, and the spool that holds content on its way. */
export interface Keep {
  readonly store: Store;
  readonly sink: Sink;
  readonly spool: Spool;
  readonly space: FreeSpace;
  readonly chaos: Chaos | undefined;
  readonly webhooks: Webhooking;
  /** The data folder, or `:memory:`. */
  readonly directory: string;
  close(): Promise<void>;
}

/** What a program that embeds the daemon may bring of it, and what it needs. */
export interface KeepParts {
  /** In place of the configured sink. */
  readonly sink?: Sink | undefined;
  readonly resolver: Resolver;
}

/**
 * Opens the store and the sink that a configuration asks for.
 * @param undo gets what closes what has been opened, should the start fail later
 */
export async function openKeep(
  config: Config,
  parts: KeepParts,
  report: Reporter,
  undo: (() => Promise<void>)[],
): Promise<Keep> {
  const stores = !parts.sink && config.sink.kind === 'store';
  const directory = stores ? config.data : ':memory:';
  const { naming, keepPerInbox, keepBytesPerInbox, keepBytes, keepAgeMs } = config;
  const bounds = { keepPerInbox, keepBytesPerInbox, keepBytes, keepAgeMs };
  const deliveries = deliveriesOf(config);
  const store = await createSqliteStore({ directory, naming, ...bounds, report, deliveries });
  undo.push(() => store.close());
  const stopped = new AbortController();
  const stopSink = async (): Promise<void> => stopped.abort(new Error('the daemon stops'));
  const chosen = parts.sink ?? (await chooseSink(config, { store, report, stop: stopped.signal }));
  undo.push(stopSink);
  const verifying = startVerifying(config, {
    sink: chosen,
    store: stores ? store : undefined,
    resolver: parts.resolver,
    report,
  });
  undo.push(() => verifying.close());
  const { spool, remove } = await chooseSpool(config, parts, directory);
  undo.push(remove);
  const webhooks = startWebhooks(config, { store, resolver: parts.resolver, report });
  undo.push(() => webhooks.close());
  const space = createFreeSpace(!parts.sink && config.sink.kind === 'maildir' ? config.sink.path : directory, store);
  undo.push(async () => space.stop());
  return {
    store,
    sink: verifying.sink,
    spool,
    space,
    chaos: config.chaos ? new Chaos() : undefined,
    webhooks,
    directory,
    close: async () => {
      space.stop();
      await stopSink();
      await verifying.close();
      await webhooks.close();
      await store.close();
      await remove();
    },
  };
}

interface SinkParts {
  readonly store: Store;
  readonly report: Reporter;
  /** The daemon stops and waits for no message any more. */
  readonly stop: AbortSignal;
}

async function chooseSink(config: Config, { store, report, stop }: SinkParts): Promise<Sink> {
  switch (config.sink.kind) {
    case 'store':
      return createStoreSink(store);
    case 'discard':
      return discard;
    case 'maildir':
      return createMaildirSink(config.sink.path, config.hostname);
    case 'pipe': {
      const { pipeTimeoutMs: runMs, pipeProcesses: processes, pipeQueue: waiting, hostname } = config;
      const { command } = config.sink;
      return createPipeSink({ command, hostname, limits: { runMs, processes, waiting }, report, stop });
    }
    case 'module':
      return loadSink(config.sink.path);
  }
}

/** The store's spool lies beside its content, so that a large message is renamed into place; other sinks get a folder of their own. */
async function chooseSpool(
  config: Config,
  parts: Pick<KeepParts, 'sink'>,
  directory: string,
): Promise<{ spool: Spool; remove: () => Promise<void> }> {
  const remove = async (): Promise<void> => {};
  // who sent it is read off the content, and milters read it, even where nothing is kept
  const isRead = config.verify === 'enforce' || config.milters.length > 0;
  if (!parts.sink && config.sink.kind === 'discard' && !isRead) return { spool: countingSpool, remove };
  if (directory !== ':memory:') return { spool: createSpool({ directory: spoolDirectory(directory) }), remove };
  if (!parts.sink && config.sink.kind === 'store') return { spool: createMemorySpool(), remove };
  const own = await mkdtemp(join(tmpdir(), 'inboxd-spool-'));
  return { spool: createSpool({ directory: own }), remove: () => rm(own, { recursive: true, force: true }) };
}
