import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ContentWriter,
  contentOf,
  countingSpool,
  createMemorySpool,
  createSpool,
} from '../../src/mail/content.ts';
import { describeSpool } from '../contracts/spool.ts';
import { collect } from '../store/support.ts';
import { until } from '../support/until.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inboxd-spool-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describeSpool('in memory', () => createMemorySpool());
describeSpool('in memory, then in a file', () => createSpool({ directory }));
describeSpool('in a file almost at once', () => createSpool({ directory, memoryBytes: 1 }));

const files = (): string[] => readdirSync(directory);

async function writeAll(writer: ContentWriter, raw: Buffer, step: number): Promise<void> {
  for (let at = 0; at < raw.length; at += step) await writer.write(raw.subarray(at, at + step));
}

describe('spool', () => {
  it('keeps a small content without a promise, and nothing of the views that came', () => {
    const writer = createSpool({ directory })();
    const views = [Buffer.alloc(2000, 'a'), Buffer.alloc(2096, 'b')];
    const sent = Buffer.concat(views);
    for (const view of views) {
      expect(writer.write(view)).toBeUndefined();
      view.fill('!');
    }
    const content = writer.finish(false);
    if (content instanceof Promise) throw new Error('a small content needs no waiting');
    expect(content.at.kind === 'memory' && Buffer.concat(content.at.views).equals(sent)).toBe(true);
    expect(files()).toEqual([]);
  });

  it('stays in memory up to its limit and makes a private file beyond', async () => {
    const limit = 1000;
    for (const [bytes, kind] of [
      [limit, 'memory'],
      [limit + 1, 'file'],
    ] as const) {
      const writer = createSpool({ directory, memoryBytes: limit })();
      await writer.write(Buffer.alloc(bytes));
      const content = await writer.finish(false);
      expect(content.at.kind).toBe(kind);
      if (content.at.kind === 'file') expect(statSync(content.at.path)).toMatchObject({ size: bytes, mode: 0o100600 });
    }
  });

  it('mixes nothing up though memory that a file has is used again', async () => {
    const writer = createSpool({ directory, memoryBytes: 1000 })();
    const sent = randomBytes(3 * 1024 * 1024);
    const incoming = Buffer.alloc(64 * 1024); // what arrives next is put over it
    for (let at = 0, step = 1; at < sent.length; at += step, step = ((step * 7919) % incoming.length) + 1) {
      const octets = sent.copy(incoming, 0, at, at + step);
      await writer.write(incoming.subarray(0, octets));
    }
    const content = await writer.finish(false);
    expect((await collect(content.stream())).equals(sent)).toBe(true);
  });

  it('makes its folder, private, when it needs it', async () => {
    const folder = join(directory, 'deeper', 'spool');
    const writer = createSpool({ directory: folder, memoryBytes: 0 })();
    await writer.write(Buffer.from('x'));
    expect((await collect((await writer.finish(false)).stream())).toString()).toBe('x');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('holds single octets in about as much memory as they are', () => {
    const writer = createMemorySpool()();
    for (let n = 0; n < 100_000; n++) writer.write(Buffer.from([n & 255]));
    const content = writer.finish(false);
    if (content instanceof Promise || content.at.kind !== 'memory') throw new Error('expected memory');
    const slabs = new Set(content.at.views.map(({ buffer }) => buffer));
    expect(content.at.views.length).toBeLessThan(30);
    expect([...slabs].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(200_000);
  });

  it('asks for a wait when the file cannot follow', async () => {
    const writer = createSpool({ directory, memoryBytes: 0 })();
    let waits = 0;
    for (let n = 0; n < 200; n++) {
      const wait = writer.write(Buffer.alloc(64 * 1024, n));
      if (wait) waits++;
      await wait;
    }
    expect(waits).toBeGreaterThan(0);
    expect((await writer.finish(false)).bytes).toBe(200 * 64 * 1024);
  });

  it('never asks to wait for less than 128 KiB, and holds no more of what the file has not taken', async () => {
    const writer = createSpool({ directory, memoryBytes: 0 })();
    expect(writer.write(Buffer.alloc(64 * 1024))).toBeUndefined(); // on its way to the file, which is to be opened first
    expect(writer.write(Buffer.alloc(64 * 1024))).toBeInstanceOf(Promise);
    writer.abort();
    await until(() => files().length === 0);
  });

  it('removes the file when aborted, whenever that is', async () => {
    for (const bytes of [10, 100_000, 400_000]) {
      const writer = createSpool({ directory, memoryBytes: 0 })();
      void writer.write(Buffer.alloc(bytes));
      writer.abort();
      writer.abort();
    }
    const late = createSpool({ directory, memoryBytes: 0 })();
    await writeAll(late, Buffer.alloc(500_000), 100_000);
    late.abort();
    await until(() => files().length === 0);
  });

  it('removes the file when released, unless it was moved away', async () => {
    const writer = createSpool({ directory, memoryBytes: 0 })();
    await writer.write(Buffer.from('x'));
    const content = await writer.finish(false);
    content.release();
    content.release();
    await until(() => files().length === 0);
    await expect(collect(content.stream())).rejects.toThrow('released');
  });

  it('passes the error of the system on and leaves no file', async () => {
    const writer = createSpool({ directory: '/dev/null/spool', memoryBytes: 0 })();
    await writer.write(Buffer.alloc(100_000));
    await expect(Promise.resolve(writer.finish(false))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(Promise.resolve(writer.write(Buffer.from('x')))).rejects.toMatchObject({ code: 'ENOTDIR' });
    writer.abort();
  });

  it('tells who waits about the error', async () => {
    const writer = createSpool({ directory: '/dev/null/spool', memoryBytes: 0 })();
    await expect(
      (async () => {
        for (let n = 0; n < 10; n++) await writer.write(Buffer.alloc(128 * 1024));
      })(),
    ).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  it('leaves a file alone that another name still holds', async () => {
    const writer = createSpool({ directory, memoryBytes: 0 })();
    const raw = randomBytes(300_000);
    await writer.write(raw);
    const content = await writer.finish(false);
    if (content.at.kind !== 'file') throw new Error('expected a file');
    expect(readFileSync(content.at.path).equals(raw)).toBe(true);
    content.release();
    await until(() => content.at.kind === 'file' && !existsSync(content.at.path));
  });
});

describe('countingSpool', () => {
  it('counts and keeps nothing', async () => {
    const writer = countingSpool();
    writer.write(Buffer.alloc(10));
    writer.write(Buffer.alloc(5));
    expect(writer.bytes).toBe(15);
    const content = await writer.finish(true);
    expect(content).toMatchObject({ bytes: 15, bareNewlines: true, at: { kind: 'counted' } });
    await expect(collect(content.stream())).rejects.toThrow('counted');
    content.release();
  });
});

describe('contentOf', () => {
  it('wraps bytes that are there', async () => {
    const content = contentOf([Buffer.from('a'), Buffer.from('bc')]);
    expect(content).toMatchObject({ bytes: 3, bareNewlines: false });
    expect((await collect(content.stream())).toString()).toBe('abc');
  });
});
