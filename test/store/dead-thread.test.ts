import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Report } from '../../src/mail/report.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { until } from '../support/until.ts';
import { sampleMessage } from './support.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inboxd-dead-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

describe('a store whose writer has died', () => {
  it('says so once, clearly, refuses what comes and closes', async () => {
    const reports: Report[] = [];
    const settings = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
    const store = await createSqliteStore({ directory, ...settings, report: (report) => reports.push(report) });
    const post = vi.spyOn(Worker.prototype, 'postMessage');
    await store.save(sampleMessage());
    expect(store.isAlive).toBe(true);
    // the thread that was told to save
    const at = post.mock.calls.findIndex(([call]) => (call as { method?: string }).method === 'save');
    const writer = post.mock.contexts[at] as Worker;
    post.mockRestore();
    await writer.terminate();
    await expect(store.save(sampleMessage())).rejects.toMatchObject({ code: 'STORE_FAILED' });
    await until(() => reports.some(({ type }) => type === 'crash'));
    expect(reports.filter(({ type }) => type === 'crash')).toMatchObject([
      {
        where: 'store',
        error: {
          code: 'STORE_FAILED',
          message: 'The store writer stopped: exit code 1; no mail is taken or shown until the daemon is started again',
        },
      },
    ]);
    expect(await store.ready()).toBe(false);
    expect(store.isAlive).toBe(false);
    await store.close();
    const again = await createSqliteStore({ directory, ...settings, report: () => {} });
    expect((await again.stats()).messages).toBe(1);
    await again.close();
  });
});

describe('a store of which a reader has died', () => {
  it('tells it and reads on with another', async () => {
    const reports: Report[] = [];
    const settings = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
    const store = await createSqliteStore({ directory, ...settings, report: (report) => reports.push(report) });
    const message = sampleMessage();
    await store.save(message);
    const post = vi.spyOn(Worker.prototype, 'postMessage');
    expect((await store.stats()).messages).toBe(1);
    const at = post.mock.calls.findIndex(([call]) => (call as { method?: string }).method === 'stats');
    const reader = post.mock.contexts[at] as Worker;
    post.mockRestore();
    await reader.terminate();
    await until(() => reports.some(({ type }) => type === 'crash'));
    expect((await store.get(message.id))?.id).toBe(message.id);
    expect(await store.ready()).toBe(true);
    expect(store.isAlive).toBe(true);
    expect(reports.filter(({ type }) => type === 'crash')).toMatchObject([
      { where: 'store', error: { code: 'STORE_FAILED', message: 'The store reader stopped: exit code 1' } },
    ]);
    await store.close();
  });
});
