import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseQuery } from '../../src/mail/query.ts';
import type { Store } from '../../src/mail/store.ts';
import { openSqliteReader } from '../../src/store/sqlite/reader.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { until } from '../support/until.ts';
import { mail, sampleMessage } from './support.ts';

const PAGE_BYTES = 16 * 1024;
const MESSAGES = 40;
const WORDS = ['apple', 'pear', 'plum', 'quince'];

let directory: string;
let store: Store;
let crashes: Error[];
let path: string;

const open = (bounds: { keepPerInbox?: number } = {}): Promise<Store> =>
  createSqliteStore({
    directory,
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    ...bounds,
    report: (report) => {
      if (report.type === 'crash') crashes.push(report.error as Error);
    },
  });

const indexed = (): Promise<void> => until(async () => (await store.stats()).unindexed === 0);

/** Messages with a word each, of those above in turns, and one that all have. @returns their ids */
async function fill(messages: number = MESSAGES): Promise<string[]> {
  const samples = Array.from({ length: messages }, (_, n) =>
    sampleMessage({ raw: mail(`number ${n}`, `everywhere ${WORDS[n % WORDS.length]}`) }),
  );
  for (const sample of samples) await store.accept(sample);
  return samples.map(({ id }) => id);
}

async function find(words: string, from: Pick<Store, 'list'> = store): Promise<number> {
  const query = parseQuery(words);
  if (!query.ok) throw new Error(query.why);
  return (await from.list({ query: query.value, counts: true })).matches ?? -1;
}

/** Writes into the index what its own writer would not. */
function write(sql: string): void {
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

/** Garbles the index but for its first pages: tables, places of pages, and how far it goes. */
function damage(pages: number): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xa5, pages * PAGE_BYTES));
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'inboxd-search-'));
  path = join(directory, 'search.db');
  crashes = [];
  store = await open();
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

async function expectAll(): Promise<void> {
  await indexed();
  expect(await find('everywhere')).toBe(MESSAGES);
  for (const word of WORDS) expect(await find(word)).toBe(MESSAGES / WORDS.length);
  expect((await store.list({})).messages.every(({ snippet }) => snippet.startsWith('everywhere'))).toBe(true);
}

describe('the index of words', () => {
  it('is a file that only its owner may read, and leaves no log behind when it is closed', async () => {
    await fill();
    await indexed();
    await store.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path}-wal`)).toBe(false);
    store = await open();
    await expectAll();
    expect(crashes).toEqual([]);
  });

  it.each<[string, () => void]>([
    ['gone', () => rmSync(path)],
    ['no database', () => writeFileSync(path, 'words, words, words\n'.repeat(1000))],
    ['of another version', () => write('PRAGMA user_version = 77')],
    ['damaged where it says how far it goes', () => damage(2)],
  ])('is made anew when it is %s', async (_how, harm) => {
    await fill();
    await indexed();
    await store.close();
    harm();
    store = await open();
    await expectAll();
    expect(crashes).toEqual([]);
  });

  it('is made anew at the next start when it proves to be damaged', async () => {
    await fill();
    await indexed();
    await store.close();
    damage(3);
    store = await open();
    const late = sampleMessage({ raw: mail('late', 'everywhere apple') });
    await store.accept(late); // mail is taken, and read
    expect((await store.get(late.id))?.subject).toBe('late');
    await until(() => crashes.length > 0);
    expect(crashes[0]).toMatchObject({
      code: 'STORE_CORRUPT',
      message: 'The index of words is damaged; it is made anew when inboxd is next started',
    });
    await store.remove({ ids: [late.id] });
    await store.close();
    store = await open();
    await expectAll();
  });

  it('is filled again from where a power cut took it back to', async () => {
    const ids = await fill();
    await indexed();
    await store.close();
    write('DELETE FROM search WHERE rowid > 25; UPDATE search_state SET indexed_to = 25');
    store = await open();
    expect((await store.stats()).messages).toBe(MESSAGES);
    await expectAll();
    expect((await store.list({})).messages.map(({ id }) => id).toReversed()).toEqual(ids);
  });

  it('is looked for in no message up to a seq that was never said to be in it', async () => {
    await fill();
    await indexed();
    await store.close();
    // what a killed daemon has put into the index, and had not noted where the messages are
    const database = new DatabaseSync(join(directory, 'inboxd.db'));
    database.exec('UPDATE totals SET indexed_to = 30; DELETE FROM texts WHERE seq > 30');
    database.close();
    store = await open();
    await expectAll();
  });

  it('is made by a reader of a store that has none', async () => {
    await fill();
    await indexed();
    await store.close();
    rmSync(path);
    const reader = await openSqliteReader(directory, 'full');
    try {
      expect(await find('pear', reader)).toBe(MESSAGES / WORDS.length); // looked at one by one
    } finally {
      await reader.close();
    }
    store = await open();
  });
});

describe('while the index is busy', { timeout: 30_000 }, () => {
  it('mail is taken, read and removed', async () => {
    const first = await fill();
    await indexed();
    const busy = new DatabaseSync(path, { timeout: 5000 });
    busy.exec('BEGIN IMMEDIATE'); // as a merge of its parts does
    try {
      const more = await fill();
      expect((await store.list({})).messages).toHaveLength(2 * MESSAGES);
      await store.remove({ ids: [...first.slice(0, 10), ...more.slice(0, 10)] });
      expect((await store.stats()).messages).toBe(2 * MESSAGES - 20);
      expect(await find('everywhere')).toBe(MESSAGES - 10); // what is not indexed yet is found by what it came with
      expect(await find('subject:"number 30"')).toBe(2);
    } finally {
      busy.exec('ROLLBACK');
      busy.close();
    }
    await indexed();
    expect(await find('everywhere')).toBe(2 * MESSAGES - 20);
    expect(crashes).toEqual([]);
  });

  const inbox = 'box@there.example';
  const add = async (): Promise<string> => {
    const sample = sampleMessage({ raw: mail('a box', 'of things'), to: [inbox] });
    await store.accept(sample);
    return sample.id;
  };
  const listed = async (query: object = {}): Promise<string[]> =>
    (await store.list({ inbox, ...query })).messages.map(({ id }) => id);
  const count = (sql: string): number => {
    const database = new DatabaseSync(join(directory, 'inboxd.db'), { readOnly: true, timeout: 5000 });
    try {
      return Number(database.prepare(sql).get()?.n);
    } finally {
      database.close();
    }
  };
  const left = (): number => count('SELECT count(*) AS n FROM gone');
  const placed = (): number => count('SELECT count(*) AS n FROM placements');

  it('what is gone is in no list, count or inbox', async () => {
    const busy = new DatabaseSync(path, { timeout: 5000 });
    busy.exec('BEGIN IMMEDIATE');
    const ids: string[] = [];
    try {
      for (let n = 0; n < 6; n++) ids.push(await add());
      const there = ids.slice(2, 5);
      await store.remove({ ids: [ids[0]!, ids[1]!, ids[5]!] });
      expect(await listed()).toEqual(there.toReversed());
      expect(await listed({ oldestFirst: true })).toEqual(there);
      expect(await listed({ limit: 2, start: 1 })).toEqual(there.toReversed().slice(1));
      expect((await store.list({ inbox, counts: true })).matches).toBe(3);
      expect(await store.stats()).toMatchObject({ messages: 3, unindexed: 3 });
      const [box] = (await store.inboxes()).inboxes;
      expect(box).toMatchObject({ inbox, messages: 3, unread: 3 });
      expect(box!.newest).toEqual((await store.get(there[2]!))!.receivedAt);
      await store.remove({ ids: there });
      expect((await store.inboxes()).inboxes).toEqual([]);
      expect(await listed()).toEqual([]);
      const again = await add();
      expect(await listed()).toEqual([again]);
      expect(await listed({ oldestFirst: true })).toEqual([again]);
      expect([left(), placed()]).toEqual([6, 7]);
    } finally {
      busy.exec('ROLLBACK');
      busy.close();
    }
    await until(() => left() === 0);
    expect(placed()).toBe(1);
    expect(crashes).toEqual([]);
  });

  it('what is gone is in the way of no bound', async () => {
    await store.close();
    store = await open({ keepPerInbox: 3 });
    const busy = new DatabaseSync(path, { timeout: 5000 });
    busy.exec('BEGIN IMMEDIATE');
    try {
      const ids = [await add(), await add(), await add()];
      await store.remove({ ids: [ids[0]!] });
      ids.push(await add());
      expect(await listed({ oldestFirst: true })).toEqual(ids.slice(1));
      ids.push(await add(), await add());
      expect(await listed({ oldestFirst: true })).toEqual(ids.slice(3));
      await store.change({ ids: [ids[3]!] }, { pinned: true });
      await store.remove({ ids: [ids[4]!] });
      ids.push(await add(), await add(), await add());
      expect(await listed({ oldestFirst: true })).toEqual([ids[3], ...ids.slice(6)]);
    } finally {
      busy.exec('ROLLBACK');
      busy.close();
    }
    await until(() => left() === 0);
    expect(placed()).toBe(4);
  });

  it('a store that is closed and opened again forgets what it had not', async () => {
    await fill(4);
    await indexed();
    const busy = new DatabaseSync(path, { timeout: 5000 });
    busy.exec('BEGIN IMMEDIATE');
    await store.remove({ all: true });
    const later = await add();
    const closing = store.close();
    busy.exec('ROLLBACK');
    busy.close();
    await closing;
    const database = new DatabaseSync(join(directory, 'inboxd.db'));
    database.exec('INSERT OR IGNORE INTO gone VALUES (1), (2), (3), (4)');
    database.close();
    store = await open();
    expect(await listed()).toEqual([later]);
    await until(() => left() === 0);
    expect(await listed()).toEqual([later]);
    expect(await find('everywhere')).toBe(0);
  });

  it('no message is found by words of one that is gone', async () => {
    const ids = await fill();
    await indexed();
    await store.remove({ ids: ids.filter((_, n) => n % WORDS.length !== 0) });
    expect(await find('pear')).toBe(0);
    expect(await find('everywhere -plum')).toBe(MESSAGES / WORDS.length);
    expect(await find('pear OR apple')).toBe(MESSAGES / WORDS.length);
    const later = await fill(4);
    expect(await find('pear')).toBe(1);
    await indexed();
    expect(await find('pear')).toBe(1);
    await store.remove({ ids: later });
    expect(await find('pear')).toBe(0);
  });

  it('what is gone is forgotten in the end, and its kinds of words with it', async () => {
    const ids = await fill();
    await indexed();
    await store.remove({ ids: ids.slice(1) });
    const left = (): unknown => {
      const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
      try {
        return database.prepare('SELECT group_concat(rowid) AS rows FROM search').get()?.rows;
      } finally {
        database.close();
      }
    };
    await until(() => left() === '1');
    await store.remove({ all: true });
    await until(() => left() === null);
  });
});

it('a store in memory searches too, and forgets', async () => {
  const memory = await createSqliteStore({
    directory: ':memory:',
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    report: () => {},
  });
  try {
    const [one, other] = [1, 2].map((n) => sampleMessage({ raw: mail(`number ${n}`, 'everywhere pear') }));
    await memory.save(one!);
    await memory.save(other!);
    await until(async () => (await memory.stats()).unindexed === 0);
    expect(await find('pear', memory)).toBe(2);
    await memory.remove({ ids: [one!.id] });
    expect(await find('pear', memory)).toBe(1);
    await memory.remove({ ids: [other!.id] });
    expect(await find('pear', memory)).toBe(0);
  } finally {
    await memory.close();
  }
});
