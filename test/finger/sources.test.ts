import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCommandSource } from '../../src/finger/sources/command.ts';
import { createFileSource } from '../../src/finger/sources/file.ts';
import { createHttpSource } from '../../src/finger/sources/http.ts';
import { createMapSource } from '../../src/finger/sources/map.ts';
import { createStoreSource } from '../../src/finger/sources/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { userSourceContract } from '../contracts/user-source.ts';
import { mail, sampleMessage } from '../store/support.ts';

const signal = new AbortController().signal;
const brief = { verbose: false, signal };

async function memoryStore() {
  const bounds = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  const store = await createSqliteStore({ directory: ':memory:', ...bounds, report: () => {} });
  const receivedAt = new Date('2026-11-20T10:00:00Z');
  for (const subject of ['One', 'Two', 'Three']) {
    const raw = mail(subject, 'x'.repeat(4000));
    await store.save(sampleMessage({ raw, to: ['alice@example.test'], receivedAt }));
  }
  return store;
}

async function server(answer: (url: string) => { status: number; text?: string; location?: string }) {
  const asked: string[] = [];
  const listening = createServer((request, response) => {
    asked.push(request.url ?? '');
    const { status, text = '', location } = answer(request.url ?? '');
    response.writeHead(status, location === undefined ? {} : { location }).end(text);
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const prefix = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/users/`;
  return { prefix, asked, close: () => void listening.close() };
}

const PRINTS = 'if (process.argv.at(-1) !== "alice") process.exit(67); console.log("alice is in the garden")';

userSourceContract('store', async () => {
  const store = await memoryStore();
  return { source: createStoreSource(store, 'full'), lists: true, close: () => store.close() };
});
userSourceContract('map', async () => ({
  source: createMapSource(new Map([['alice', 'here\nand there']])),
  lists: true,
}));
userSourceContract('file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'inboxd-finger-'));
  writeFileSync(join(folder, 'users'), '# who is here\nalice: in the garden\n  until noon\n');
  const source = createFileSource(join(folder, 'users'));
  return { source, lists: true, close: () => rmSync(folder, { recursive: true }) };
});
userSourceContract('command', async () => ({
  source: createCommandSource([process.execPath, '-e', PRINTS, '--'], 60_000),
  lists: false,
}));
userSourceContract('HTTP', async () => {
  const { prefix, close } = await server((url) =>
    /^\/users\/alice(\?verbose=1)?$/.test(url)
      ? { status: 200, text: 'alice is in\r\nthe garden\r\n' }
      : { status: 404 },
  );
  return { source: createHttpSource(prefix), lists: false, close };
});

describe('store', () => {
  it('shows an inbox, and up to 20 of its messages in full', async () => {
    const store = await memoryStore();
    const source = createStoreSource(store, 'full');
    expect(await source.find('Alice+tag', brief)).toEqual([
      'Inbox: alice@example.test',
      '3 messages, 12 kB, newest 2026-11-20 10:00 UTC',
    ]);
    const full = await source.find('alice', { verbose: true, signal });
    expect(full).toHaveLength(5);
    expect(full?.[2]).toMatch(/^ {2}1 {2}2026-11-20 10:00 UTC {2} {4}4 kB {2}sender@example\.org {2}(One|Two|Three)$/);
    expect(await source.list(brief)).toEqual(['alice@example.test: 3 messages, 12 kB, newest 2026-11-20 10:00 UTC']);
    await store.close();
  });
});

describe('file', () => {
  it('is read again when it has changed, and its lack is an error', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inboxd-finger-'));
    const path = join(folder, 'users');
    const source = createFileSource(path);
    await expect(source.find('bob', brief)).rejects.toMatchObject({ code: 'ENOENT' });
    writeFileSync(path, 'alice: here\n');
    expect(await source.find('bob', brief)).toBeUndefined();
    writeFileSync(path, 'alice: here\nbob: away\n');
    expect(await source.find('BOB', brief)).toEqual(['bob: away']);
    rmSync(folder, { recursive: true });
  });
});

describe('command', () => {
  it('that fails, writes without end or takes too long is an error', async () => {
    const sh = (script: string, runMs = 60_000) => createCommandSource(['sh', '-c', script], runMs).find('x', brief);
    await expect(sh('echo inside >&2; exit 1')).rejects.toThrow('sh ended with 1: inside');
    await expect(sh('exec yes')).rejects.toThrow('wrote more than 65536 bytes');
    await expect(sh('exec sleep 600', 100)).rejects.toThrow('took longer than 100 ms');
  });
});

describe('HTTP', () => {
  it('encodes the name, and follows no redirect', async () => {
    const { prefix, asked, close } = await server((url) =>
      url.startsWith('/users/moved') ? { status: 302, location: 'http://127.0.0.1/private' } : { status: 404 },
    );
    const source = createHttpSource(prefix);
    expect(await source.find('../a?b#c/d e', brief)).toBeUndefined();
    await expect(source.find('moved', brief)).rejects.toThrow(/\/users\/moved answered 302/);
    expect(asked).toEqual(['/users/..%2Fa%3Fb%23c%2Fd%20e', '/users/moved']);
    close();
  });

  it('takes no endless answer', async () => {
    const { prefix, close } = await server(() => ({ status: 200, text: 'x'.repeat(100_000) }));
    await expect(createHttpSource(prefix).find('alice', brief)).rejects.toThrow('more than 65536 bytes');
    close();
  });
});
