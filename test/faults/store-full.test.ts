import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSpool } from '../../src/mail/content.ts';
import { createId, type Message } from '../../src/mail/message.ts';
import type { Store } from '../../src/mail/store.ts';
import { spoolDirectory } from '../../src/store/sqlite/layout.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { collect, sampleMessage } from '../store/support.ts';
import { until } from '../support/until.ts';

const disk = mkdtempSync(join(tmpdir(), 'inboxd-full-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
const canMount = mounted.status === 0;
if (!canMount) console.warn(`full disk tests need the right to mount: ${mounted.stderr?.toString() ?? mounted.error}`);

describe.skipIf(!canMount && !process.env.CI)('on a full disk', () => {
  const directory = join(disk, 'data');
  const ballast = join(disk, 'ballast');
  const promised: Message[] = [];
  const refused: Message[] = [];
  let store: Store;

  beforeAll(async () => {
    expect(canMount, 'the right to mount a small disk').toBe(true);
    writeFileSync(ballast, Buffer.alloc(1024 * 1024));
    store = await open();
  });
  afterAll(async () => {
    await store?.close();
    if (canMount) spawnSync('umount', [disk]);
    rmdirSync(disk);
  });

  const open = () =>
    createSqliteStore({ directory, naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0, report: () => {} });
  const raw = (id: string): Buffer => Buffer.alloc(4096, `${id} `);

  /** Saves at once what a busy moment brings. */
  async function burst(messages: number): Promise<unknown[]> {
    const errors: unknown[] = [];
    const saving = Array.from({ length: messages }, async () => {
      const id = createId();
      const message = sampleMessage({ id, raw: raw(id) });
      try {
        await store.save(message);
        promised.push(message);
      } catch (error) {
        refused.push(message);
        errors.push(error);
      }
    });
    await Promise.all(saving);
    return errors;
  }

  async function fill(): Promise<void> {
    for (;;) {
      const errors = await burst(10);
      for (const error of errors) expect(error).toMatchObject({ code: 'ENOSPC' });
      if (errors.length > 0) return;
    }
  }

  async function expectAllPromised(): Promise<void> {
    const ids = (await store.list({})).messages.map(({ id }) => id);
    expect(ids.toSorted()).toEqual(promised.map(({ id }) => id).toSorted());
    for (const { id } of promised) {
      expect((await collect((await store.content(id))!.stream())).equals(raw(id))).toBe(true);
    }
  }

  it('refuses with ENOSPC, keeps what it promised and nothing else', async () => {
    await fill();
    expect(promised.length).toBeGreaterThan(20);
    expect(refused.length).toBeGreaterThan(0);
    expect(await store.ready()).toBe(false);
    await expectAllPromised();
  });

  it('refuses large contents with ENOSPC and leaves no file of them', async () => {
    const writer = createSpool({ directory: spoolDirectory(directory), memoryBytes: 0 })();
    const spooling = (async () => {
      for (let n = 0; n < 100; n++) await writer.write(Buffer.alloc(64 * 1024, 'x'));
      return await writer.finish(false);
    })();
    await expect(spooling).rejects.toMatchObject({ code: 'ENOSPC' });
    writer.abort();
    const large = sampleMessage({ raw: Buffer.alloc(1024 * 1024, 'x') });
    await expect(store.save(large)).rejects.toMatchObject({ code: 'ENOSPC' });
    await until(() => readdirSync(spoolDirectory(directory)).length === 0);
    expect(readdirSync(join(directory, 'contents'))).toEqual([]);
  });

  it('goes on without a restart once there is room', async () => {
    rmSync(ballast);
    expect(await store.ready()).toBe(true);
    expect(await burst(10)).toEqual([]);
    await expectAllPromised();
  });

  it('has room again when messages are removed', async () => {
    await fill();
    rmSync(ballast, { force: true });
    const removed = await store.remove({ ids: promised.map(({ id }) => id).slice(0, 100) });
    promised.splice(0, removed.length);
    expect(removed).toHaveLength(100);
    expect(await burst(20)).toEqual([]);
    await expectAllPromised();
  });

  it('opens again with all of it', async () => {
    await store.close();
    store = await open();
    await expectAllPromised();
  });

  it('opens and removes messages when not an octet is free', async () => {
    await store.close();
    rmSync(directory, { recursive: true });
    promised.splice(0);
    store = await open();
    expect(await burst(50)).toEqual([]);
    await store.close();
    fillUp(ballast);
    store = await open();
    await expectAllPromised();
    const removed = await store.remove({ ids: promised.map(({ id }) => id).slice(0, 4) });
    expect(removed).toHaveLength(4);
    promised.splice(0, removed.length);
    await expectAllPromised();
  });
});

/** Writes until nothing more fits. */
function fillUp(path: string): void {
  const file = openSync(path, 'w');
  for (let bytes = 64 * 1024; bytes >= 1; ) {
    try {
      writeSync(file, Buffer.alloc(bytes));
    } catch {
      bytes /= 2; // full for this many octets
    }
  }
  closeSync(file);
}
