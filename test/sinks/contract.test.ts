import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allOf, aside } from '../../src/sinks/combine.ts';
import { discard } from '../../src/sinks/discard.ts';
import { loadSink } from '../../src/sinks/load.ts';
import { createMaildirSink } from '../../src/sinks/maildir.ts';
import { createPipeSink } from '../../src/sinks/pipe.ts';
import { createStoreSink } from '../../src/sinks/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { sinkContract } from '../contracts/sink.ts';

const limits = { runMs: 60_000, processes: 4, waiting: 100 };
const report = (): void => {};

/** A folder of its own for a sink that needs one. */
function folder(): { path: string; close: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'inboxd-sink-'));
  return { path, close: () => rmSync(path, { recursive: true, force: true }) };
}

sinkContract('discard', () => ({ sink: discard }));

sinkContract('store', async () => {
  const { path, close } = folder();
  const bounds = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  const store = await createSqliteStore({ directory: join(path, 'data'), ...bounds, report });
  return { sink: createStoreSink(store), close: () => store.close().then(close) };
});

sinkContract('maildir', () => {
  const { path, close } = folder();
  return { sink: createMaildirSink(join(path, 'Mail'), 'mx.example.com'), close };
});

sinkContract('module', async () => {
  const { path, close } = folder();
  const module = join(path, 'sink.mjs');
  writeFileSync(
    module,
    'export async function process(message) { for await (const view of message.content.stream()) view; }',
  );
  return { sink: await loadSink(module), close };
});

const pipe = (command: readonly string[]) => ({
  sink: createPipeSink({ command, hostname: 'mx.test', limits, report }),
});
sinkContract('pipe that reads all', () => pipe(['cat']));
sinkContract('pipe that reads nothing', () => pipe(['true']));

sinkContract('combination', () => ({
  sink: allOf(
    discard,
    aside(() => Promise.reject(new Error('broken')), report),
  ),
}));
