import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentOf, createSpool } from '../../src/mail/content.ts';
import { amend } from '../../src/mail/message.ts';
import { STORE_ERRORS } from '../../src/store/errors.ts';
import { spoolDirectory } from '../../src/store/sqlite/layout.ts';
import { migrate, SCHEMA_VERSION } from '../../src/store/sqlite/migrations.ts';
import { openSqliteReader } from '../../src/store/sqlite/reader.ts';
import { createSqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/store.ts';

import { until } from '../support/until.ts';
import { runScript } from './process.ts';
import { collect, mail, sampleMessage } from './support.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inboxd-store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(options: Partial<SqliteStoreOptions> = {}) {
  return createSqliteStore({
    directory,
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    report: () => {},
    ...options,
  });
}

const word = (text: string) => ({ kind: 'text', text, prefix: false, phrase: false }) as const;
const LARGE = Buffer.alloc(200_000, 'large\r\n');
const contentFiles = (): string[] => readdirSync(join(directory, 'contents'));

describe('restart', () => {
  it('keeps everything', async () => {
    let store = await open();
    const small = sampleMessage({ raw: mail('small', 'findable'), to: ['a@example.com', 'b@example.com'] });
    const large = sampleMessage({ raw: LARGE, to: ['b@example.com'] });
    await store.save(small);
    await store.save(large);
    await store.change({ ids: [small.id] }, { read: true });
    await until(async () => (await store.stats()).unindexed === 0);
    const before = { list: await store.list({}), inboxes: await store.inboxes(), message: await store.get(small.id) };
    await store.close();
    store = await open();
    expect({ list: await store.list({}), inboxes: await store.inboxes(), message: await store.get(small.id) }).toEqual(
      before,
    );
    expect((await collect((await store.content(large.id))!.stream())).equals(LARGE)).toBe(true);
    expect((await store.list({ query: word('findable'), counts: true })).matches).toBe(1);
    expect(await store.stats()).toMatchObject({ messages: 2, unread: 1, deleted: 0 });
    await store.close();
  });

  it('brings a store under narrower bounds before it takes anything', async () => {
    let store = await open();
    for (let n = 0; n < 12; n++) await store.save(sampleMessage({ to: [`box${n % 2}@example.com`] }));
    await store.save(sampleMessage({ raw: LARGE, to: ['old@example.com'], receivedAt: new Date(1000) }));
    await store.close();
    const removed: string[] = [];
    store = await open({
      keepPerInbox: 2,
      keepAgeMs: 60_000,
      report: (report) => report.type === 'deleted' && removed.push(...report.ids),
    });
    expect((await store.inboxes()).inboxes.map(({ messages }) => messages)).toEqual([2, 2]);
    expect(removed).toHaveLength(9);
    expect(contentFiles()).toEqual([]);
    await store.close();
    store = await open({ keepBytes: 1 });
    expect((await store.stats()).messages).toBe(1);
    await store.close();
  });

  it('parses what the last run left unparsed', async () => {
    let store = await open();
    await store.save(sampleMessage({ raw: mail('one', 'a rare word') }));
    await store.close();
    const database = new DatabaseSync(join(directory, 'inboxd.db'));
    database.exec('DELETE FROM texts; UPDATE totals SET indexed_to = 0');
    database.close();
    store = await open();
    expect((await store.list({ query: word('RARE'), counts: true })).matches).toBe(1);
    await store.close();
  });
});

describe('events', () => {
  it('go on after a restart where they ended, and no id is used again', async () => {
    let store = await open();
    const start = store.feed.latest();
    const [first, second] = [sampleMessage(), sampleMessage()];
    await store.save(first);
    await store.save(second);
    await store.remove({ all: true });
    const latest = store.feed.latest();
    expect(latest).toBe(start + 4);
    await store.close();
    store = await open();
    expect(store.feed.latest()).toBe(latest);
    const third = sampleMessage();
    await store.save(third);
    const events = await store.feed.since(start + 1, 10);
    expect(events).toMatchObject([
      { id: start + 2, type: 'received', message: second.id },
      { id: start + 3, type: 'deleted', message: first.id },
      { id: start + 4, type: 'deleted', message: second.id },
      { id: start + 5, type: 'received', message: third.id, summary: { id: third.id } },
    ]);
    await store.close();
  });

  it('tell of what narrower bounds take at the start', async () => {
    let store = await open();
    for (let n = 0; n < 3; n++) await store.save(sampleMessage());
    const latest = store.feed.latest();
    await store.close();
    store = await open({ keepPerInbox: 1 });
    expect(await store.feed.since(latest, 10)).toMatchObject([{ type: 'deleted' }, { type: 'deleted' }]);
    expect(store.feed.latest()).toBe(latest + 2);
    await store.close();
  });

  it('of a batch that failed never were', async () => {
    const store = await open();
    const start = store.feed.latest();
    const bad = { ...sampleMessage(), receivedAt: new Date(Number.NaN) };
    await Promise.allSettled([sampleMessage(), bad, sampleMessage()].map((message) => store.save(message)));
    const events = await store.feed.since(0, 10); // from the beginning
    expect(events).toMatchObject([
      { id: start + 1, type: 'received' },
      { id: start + 2, type: 'received' },
    ]);
    expect(events).toHaveLength(2);
    await store.close();
  });
});

describe('files', () => {
  it('are for their owner only', async () => {
    const store = await open({ directory: join(directory, 'new', 'folder') });
    await store.save(sampleMessage({ raw: LARGE }));
    const entries = readdirSync(join(directory, 'new'), { recursive: true, withFileTypes: true });
    expect(entries.length).toBeGreaterThan(5);
    for (const entry of entries) {
      const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
      expect([entry.name, mode.toString(8)]).toEqual([entry.name, entry.isDirectory() ? '700' : '600']);
    }
    await store.close();
  });

  it('hold a spooled content without copying it, while the spool file stays its owner’s', async () => {
    const store = await open();
    const writer = createSpool({ directory: spoolDirectory(directory) })();
    await writer.write(LARGE);
    const content = await writer.finish(false);
    const message = sampleMessage({ content });
    await store.save(message);
    if (content.at.kind !== 'file') throw new Error('expected a file');
    const [file] = contentFiles();
    expect(statSync(join(directory, 'contents', file!)).ino).toBe(statSync(content.at.path).ino);
    content.release();
    await until(() => readdirSync(spoolDirectory(directory)).length === 0);
    expect((await collect((await store.content(message.id))!.stream())).equals(LARGE)).toBe(true);
    await store.close();
  });

  it('take a spooled content from another file system too', async () => {
    const elsewhere = mkdtempSync('/dev/shm/inboxd-spool-');
    const store = await open();
    const writer = createSpool({ directory: elsewhere })();
    await writer.write(LARGE);
    const message = sampleMessage({ content: await writer.finish(false) });
    await store.save(message);
    rmSync(elsewhere, { recursive: true });
    expect((await collect((await store.content(message.id))!.stream())).equals(LARGE)).toBe(true);
    await store.close();
  });

  it('go with their messages', async () => {
    const store = await open({ keepPerInbox: 1 });
    for (let n = 0; n < 3; n++) await store.save(sampleMessage({ raw: LARGE }));
    await until(() => contentFiles().length === 1);
    await store.remove({ all: true });
    await until(() => contentFiles().length === 0);
    await store.close();
  });

  it('that nobody names are removed at the start, those of messages are not', async () => {
    let store = await open();
    await store.save(sampleMessage({ raw: LARGE }));
    await store.close();
    const [kept] = contentFiles();
    writeFileSync(join(directory, 'contents', 'orphan'), 'x');
    writeFileSync(join(directory, 'spool', 'half.part'), 'x');
    store = await open();
    expect(contentFiles()).toEqual([kept]);
    expect(readdirSync(join(directory, 'spool'))).toEqual([]);
    await store.close();
  });

  it('of a message that filters changed are two, kept at the start and removed together', async () => {
    let store = await open();
    const huge = Buffer.alloc(1024 * 1024, 'x');
    const message = amend(sampleMessage({ raw: huge }), { content: contentOf([huge, huge]) });
    await store.save(message);
    await store.save(message); // of the second time nothing is left
    await store.close();
    expect(contentFiles()).toHaveLength(2);
    store = await open();
    expect(contentFiles()).toHaveLength(2);
    const { diskBytes } = await store.stats();
    await store.remove({ all: true });
    expect(diskBytes - (await store.stats()).diskBytes).toBeGreaterThan(2.5 * huge.length);
    await store.close();
    expect(contentFiles()).toEqual([]);
  });

  it('are used again: a bounded store stops growing', async () => {
    const store = await open({ keepPerInbox: 20 });
    const fill = () =>
      Promise.all(Array.from({ length: 400 }, () => store.save(sampleMessage({ raw: Buffer.alloc(20_000) }))));
    await fill();
    const { reusableBytes } = await store.stats();
    expect(reusableBytes).toBeGreaterThan(0);
    await fill();
    const before = statSync(join(directory, 'inboxd.db')).size;
    for (let n = 0; n < 4; n++) await fill();
    await store.close();
    expect(statSync(join(directory, 'inboxd.db')).size).toBeLessThan(Math.max(before, 1) * 2 + 20_000_000);
  });
});

describe('lock', () => {
  it('lets one store hold a folder and names its process to the second', async () => {
    const store = await open();
    expect(readFileSync(join(directory, 'inboxd.pid'), 'utf8').trim()).toBe(String(process.pid));
    await expect(open()).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`process ${process.pid}`) as string,
    });
    expect(await store.ready()).toBe(true);
    await store.close();
    expect(existsSync(join(directory, 'inboxd.pid'))).toBe(false);
    await (await open()).close();
  });

  it('holds between processes and is gone with a killed one', async () => {
    const other = runScript('./hold.ts', [directory]);
    await other.line('open');
    await expect(open()).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`process ${other.pid}`) as string,
    });
    await other.kill('SIGKILL');
    const store = await open();
    expect((await store.list({ counts: true })).matches).toBe(1);
    await store.close();
  });
});

describe('openSqliteReader', () => {
  it('reads beside a daemon, and without one', async () => {
    const store = await open();
    const message = sampleMessage({ raw: mail('beside', 'to be read') });
    await store.save(message);
    let reader = await openSqliteReader(directory, 'full');
    expect((await reader.list({})).messages[0]).toMatchObject({ id: message.id, snippet: 'to be read' });
    const later = sampleMessage();
    await store.save(later);
    expect((await reader.get(later.id))?.id).toBe(later.id);
    await reader.close();
    await store.close();
    reader = await openSqliteReader(directory, 'full');
    expect((await collect((await reader.content(message.id))!.stream())).toString()).toBe(mail('beside', 'to be read'));
    expect(await reader.stats()).toMatchObject({ messages: 2, location: directory });
    expect((await reader.inboxes()).inboxes).toHaveLength(1);
    await reader.close();
  });

  it('reads what a killed daemon left', async () => {
    const other = runScript('./hold.ts', [directory]);
    await other.line('open');
    await other.kill('SIGKILL');
    const reader = await openSqliteReader(directory, 'full');
    expect((await reader.list({ counts: true })).matches).toBe(1);
    await reader.close();
  });
});

describe('opening fails with a code', () => {
  const code = async (options: Partial<SqliteStoreOptions> = {}): Promise<string> => {
    const error = (await open(options).then(
      (store) => store.close(),
      (reason: unknown) => reason,
    )) as Error & { code: string };
    expect(error.message).toContain(options.directory ?? directory);
    expect(Object.keys(STORE_ERRORS)).toContain(error.code);
    return error.code;
  };

  it('STORE_UNWRITABLE for a folder that cannot be made', async () => {
    expect(await code({ directory: '/dev/null/data' })).toBe('STORE_UNWRITABLE');
    expect(await code({ directory: '/proc/inboxd' })).toBe('STORE_UNWRITABLE');
  });

  it('STORE_UNWRITABLE where a file stands in the way', async () => {
    mkdirSync(join(directory, 'inboxd.db'));
    expect(await code()).toBe('STORE_UNWRITABLE');
  });

  it('STORE_CORRUPT for what is no database, or another program’s', async () => {
    writeFileSync(join(directory, 'inboxd.db'), 'not a database at all, but long enough to look at\n'.repeat(100));
    expect(await code()).toBe('STORE_CORRUPT');
    rmSync(join(directory, 'inboxd.db'));
    const database = new DatabaseSync(join(directory, 'inboxd.db'));
    database.exec('CREATE TABLE theirs (x)');
    database.close();
    expect(await code()).toBe('STORE_CORRUPT');
  });

  it('STORE_NEWER for a database of the future, which stays as it is', async () => {
    await (await open()).close();
    const database = new DatabaseSync(join(directory, 'inboxd.db'));
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    database.close();
    expect(await code()).toBe('STORE_NEWER');
    await expect(openSqliteReader(directory, 'full')).rejects.toMatchObject({ code: 'STORE_NEWER' });
  });

  it('STORE_MISSING for a reader where there is no store', async () => {
    await expect(openSqliteReader(directory, 'full')).rejects.toMatchObject({ code: 'STORE_MISSING' });
  });

  it('and leaves no lock behind', async () => {
    mkdirSync(join(directory, 'inboxd.db'));
    expect(await code()).toBe('STORE_UNWRITABLE');
    rmSync(join(directory, 'inboxd.db'), { recursive: true });
    await (await open()).close();
  });
});

describe('migrate', () => {
  const steps = ['CREATE TABLE one (x)', 'CREATE TABLE two (x); INSERT INTO one VALUES (1)'];
  const version = (database: DatabaseSync) => database.prepare('PRAGMA user_version').get()?.user_version;

  it('goes from any version to the newest', () => {
    const database = new DatabaseSync(':memory:');
    migrate(database, 'test', steps.slice(0, 1));
    expect(version(database)).toBe(1);
    migrate(database, 'test', steps);
    expect(version(database)).toBe(2);
    expect(database.prepare('SELECT count(*) AS n FROM one').get()?.n).toBe(1);
    migrate(database, 'test', steps);
    expect(database.prepare('SELECT count(*) AS n FROM one').get()?.n).toBe(1);
  });

  it('does all of it or nothing', () => {
    const database = new DatabaseSync(':memory:');
    migrate(database, 'test', steps.slice(0, 1));
    expect(() => migrate(database, 'test', [...steps, 'CREATE TABLE one (again)'])).toThrow('already exists');
    expect(version(database)).toBe(1);
    expect(() => database.prepare('SELECT * FROM two')).toThrow();
  });
});

describe('a message that cannot be kept', () => {
  it('is refused alone, those committed with it are kept', async () => {
    const store = await open();
    const good = [sampleMessage(), sampleMessage()];
    const bad = { ...sampleMessage(), receivedAt: new Date(Number.NaN) };
    const results = await Promise.allSettled([good[0]!, bad, good[1]!].map((message) => store.save(message)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await store.list({ counts: true })).matches).toBe(2);
    expect(await store.stats()).toMatchObject({ messages: 2, unread: 2, inboxes: 1 });
    await store.close();
  });

  it('is refused for an id that could not name a file, and for content that was only counted', async () => {
    const store = await open();
    await expect(store.save(sampleMessage({ id: '../../etc/passwd' }))).rejects.toThrow('Not a message id');
    const counted = {
      bytes: 3,
      bareNewlines: false,
      at: { kind: 'counted' as const },
      stream: () => [] as never,
      release() {},
    };
    await expect(store.save(sampleMessage({ content: counted }))).rejects.toThrow('counted');
    await store.close();
  });
});
