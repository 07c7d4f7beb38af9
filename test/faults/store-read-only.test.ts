import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { inboxd } from '../cli/support.ts';
import { sampleMessage } from '../store/support.ts';
import { describeAsRoot } from '../support/peers.ts';
import { runWell } from '../support/run.ts';

describeAsRoot('a data folder on a disk that is read-only', () => {
  const disk = mkdtempSync(join(tmpdir(), 'inboxd-ro-'));
  const directory = join(disk, 'data');
  const bounds = { keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 };
  const open = () => createSqliteStore({ directory, naming: 'full', ...bounds, report: () => {} });

  beforeAll(async () => {
    await runWell('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'inboxd-test', disk]);
    const store = await open();
    await store.save(sampleMessage());
    await store.close();
    await runWell('mount', ['-o', 'remount,ro', disk]);
  });
  afterAll(async () => {
    await runWell('umount', [disk]);
    rmSync(disk, { recursive: true });
  });

  it('keeps the daemon from starting, in a line that says why', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
    const run = await inboxd(['--allow-root', '--port', '0', '--http-port', '0', '--data', directory]);
    expect(run.code).toBe(2);
    expect(run.stderr.trim().split('\n')).toHaveLength(1);
    expect(run.stderr).toMatch(/read-only/i);
  });

  it('is salvaged from', async () => {
    const to = mkdtempSync(join(tmpdir(), 'inboxd-ro-to-'));
    const run = await inboxd(['salvage', '--data', directory, join(to, 'new')]);
    expect([run.code, run.stderr, run.stdout]).toEqual([0, '', expect.stringMatching(/^salvaged 1 message /)]);
    rmSync(to, { recursive: true });
  });
});
