import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NO_ARRIVALS, Pace } from '../../src/store/sqlite/pace.ts';
import { Packer } from '../../src/store/sqlite/packer.ts';
import type { PackStep } from '../../src/store/sqlite/packer-thread.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Thread } from '../../src/store/sqlite/thread.ts';
import { Writer } from '../../src/store/sqlite/writer.ts';
import type { CommittedEvent, WriteMethods } from '../../src/store/sqlite/writer-thread.ts';
import { until } from '../support/until.ts';
import { sampleMessage } from './support.ts';

const LIMITS = { keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 };

let directory: string;
let writer: Writer;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'inboxd-packer-'));
  const report = () => {};
  const store = await createSqliteStore({ directory, naming: 'full', ...LIMITS, isPacking: false, report });
  for (let n = 0; n < 3; n++) await store.save(sampleMessage());
  await until(async () => (await store.stats()).unindexed === 0);
  await store.close();
  writer = new Writer({ directory, naming: 'full', limits: LIMITS, now: Date.now() }, () => {});
});
afterEach(async () => {
  vi.restoreAllMocks();
  await writer.close();
  rmSync(directory, { recursive: true });
});

it('ends its thread when there is nothing to pack, and starts another when there is', async () => {
  const terminate = vi.spyOn(Worker.prototype, 'terminate');
  const post = vi.spyOn(Worker.prototype, 'postMessage');
  const steps: PackStep[] = [];
  let asked = 0;
  let isPackable = writer.queries.isPackable();
  expect(isPackable).toBe(true);
  const call = async (method: string, argument: unknown): Promise<unknown> => {
    if (method === 'tidy') return writer.tidy();
    if (method === 'isPackable') {
      asked += 1;
      return isPackable;
    }
    steps.push(argument as PackStep);
    return writer.pack(argument as PackStep);
  };
  const errors: unknown[] = [];
  const packer = new Packer({
    directory,
    writer: { call } as unknown as Thread<WriteMethods, CommittedEvent>,
    pace: new Pace(NO_ARRIVALS),
    idleMs: 1,
    isYielding: () => false,
    onError: (error) => errors.push(error),
  });
  packer.wake();
  await until(() => terminate.mock.calls.length === 1);
  expect(steps.flatMap(({ entries }) => entries).length).toBe(3);
  isPackable = writer.queries.isPackable();
  expect(isPackable).toBe(false);
  packer.wake();
  await until(() => asked === 2);
  expect(new Set(post.mock.contexts).size).toBe(1);
  isPackable = true; // though nothing is: what the thread finds is not the matter here
  packer.wake();
  await until(() => terminate.mock.calls.length === 2);
  expect(new Set(post.mock.contexts).size).toBe(2);
  await packer.close();
  expect(errors).toEqual([]);
});
