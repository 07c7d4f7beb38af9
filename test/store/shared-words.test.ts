import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summarise } from '../../src/mail/mime.ts';
import type { Query } from '../../src/mail/query.ts';
import type { Store } from '../../src/mail/store.ts';
import { wordsOf } from '../../src/mail/words.ts';
import { openToRead } from '../../src/store/sqlite/database.ts';
import { compileScan } from '../../src/store/sqlite/search.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { createNewsletters } from '../bench/disk/newsletters.ts';
import { createRandom, pick } from '../support/random.ts';
import { until } from '../support/until.ts';
import { collect, mail, sampleMessage } from './support.ts';

const WAIT_MS = 240_000;
const directory = mkdtempSync(join(tmpdir(), 'inboxd-kinds-'));
const texts: string[] = [];
let store: Store;

const open = (): Promise<Store> =>
  createSqliteStore({
    directory,
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    isPacking: false,
    report: (report) => {
      if (report.type === 'crash') throw report.error;
    },
  });

async function send(raw: Buffer, to: string): Promise<void> {
  texts.push(raw.toString('latin1'));
  await store.accept(sampleMessage({ raw, to: [to] }));
}

const indexed = (): Promise<void> => until(async () => (await store.stats()).unindexed === 0);

function look<T>(work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(directory, 'inboxd.db'), { readOnly: true, timeout: 5000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const members = (): number =>
  Number(look((database) => database.prepare('SELECT count(*) AS n FROM texts WHERE kind IS NOT NULL').get()?.n));

beforeAll(async () => {
  store = await open();
  const makers = [1, 2].map(createNewsletters);
  for (let n = 0; n < 24; n++) {
    const { raw, to } = makers[n % 2]!(n);
    // some lack a passage, or have one twice, or are of the sender but of no kind
    const text = raw.toString();
    if (n % 7 === 3) await send(Buffer.from(text.replace(/<h1[\s\S]*|Dear \w+,/, '')), to);
    else if (n % 7 === 5) await send(Buffer.from(text.replace('Dear ', 'Dear dear your code for this week is ')), to);
    else await send(raw, to);
  }
  for (let n = 0; n < 10; n++)
    await send(Buffer.from(mail(`other ${n}`, `your code for this week is ${n}`)), 'anna@example.com');
  await indexed();
}, WAIT_MS);
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

/** What a look at every message finds, no index asked. */
function scanned(query: Query): string[] {
  const database = openToRead(join(directory, 'inboxd.db'), join(directory, 'contents'));
  try {
    const { sql, values } = compileScan(query);
    return database
      .prepare(`SELECT m.id FROM messages m LEFT JOIN texts t ON t.seq = m.seq WHERE ${sql} ORDER BY m.seq DESC`)
      .all(...values)
      .map(({ id }) => String(id));
  } finally {
    database.close();
  }
}

async function found(query: Query): Promise<string[]> {
  return (await store.list({ query })).messages.map(({ id }) => id);
}

const text = (words: string, prefix = false): Query => ({ kind: 'text', text: words, prefix, phrase: true });

describe('words that many mails share', { timeout: WAIT_MS }, () => {
  it('are in the index once', () => {
    expect(members()).toBeGreaterThan(10);
    const kinds = look((database) => database.prepare('SELECT count(*) AS n FROM kinds').get()?.n);
    expect(Number(kinds)).toBeGreaterThanOrEqual(2);
  });

  it('are found wherever they stand, in phrases of any length and over the edges of what is shared', async () => {
    const random = createRandom(7);
    for (let round = 0; round < 250; round++) {
      const words = wordsOf(pick(random, texts).replaceAll('=\r\n', ''));
      const length = 1 + Math.floor(random() * 7);
      const at = Math.floor(random() * (words.length - length));
      const phrase = words.slice(at, at + length);
      const isPrefix = random() < 0.3;
      if (isPrefix) phrase.push(phrase.pop()!.slice(0, 1 + Math.floor(random() * 6)));
      const query = text(phrase.join(' '), isPrefix);
      expect(await found(query), phrase.join(' ')).toEqual(scanned(query));
    }
  });

  it('are found together, apart and in their fields', async () => {
    const random = createRandom(8);
    const any = (): Query => {
      const words = wordsOf(pick(random, texts));
      const at = Math.floor(random() * (words.length - 3));
      const some = words.slice(at, at + 1 + Math.floor(random() * 3)).join(' ');
      const dice = random();
      if (dice < 0.2)
        return {
          kind: 'field',
          field: pick(random, ['subject', 'from', 'addressed'] as const),
          text: some,
          prefix: false,
        };
      if (dice < 0.3) return { kind: 'header', name: 'List-Id', text: some };
      if (dice < 0.5) return { kind: 'not', part: text(some) };
      return text(some);
    };
    for (let round = 0; round < 100; round++) {
      const query: Query = { kind: pick(random, ['and', 'or'] as const), parts: [any(), any()] };
      expect(await found(query), JSON.stringify(query)).toEqual(scanned(query));
    }
  });

  it('are in the lists as they are in the mails', async () => {
    for (const last of [0, 1, 2]) {
      const { raw, to } = createNewsletters(1)(900 + last);
      // as UTF-16 these begin alike, and cut there they would be no characters
      await send(Buffer.from(raw.toString().replace(/Dear \w+,/g, `Dear =F0=9F=98=8${last},`)), to);
    }
    await indexed();
    const { messages } = await store.list({});
    expect(messages[0]?.snippet).toContain('Dear \u{1f602}, your code');
    for (const { id, snippet } of messages) {
      expect(snippet).toBe((await summarise(await collect((await store.content(id))!.stream()))).snippet);
    }
    const shared = 'SELECT count(*) AS n FROM texts WHERE snippet_before + snippet_after > 100';
    expect(Number(look((database) => database.prepare(shared).get()?.n))).toBeGreaterThan(10);
  });

  it('go on to be shared after a restart, and go with the last mail that has them', async () => {
    await store.close();
    store = await open();
    const before = members();
    const kinds = look((database) => database.prepare('SELECT count(*) AS n FROM kinds').get()?.n);
    const { raw, to } = createNewsletters(1)(500);
    await send(raw, to);
    await indexed();
    expect(members()).toBe(before + 1);
    expect(look((database) => database.prepare('SELECT count(*) AS n FROM kinds').get()?.n)).toBe(kinds);
    const code = /code for this week is (\d+)/.exec(raw.toString())![1]!;
    expect(await found(text(`week is ${code}`))).toHaveLength(1);
    await store.remove({ all: true });
    expect(await found(text('your code'))).toEqual([]);
    for (let n = 0; n < 3; n++) await send(createNewsletters(3)(n).raw, 'anna@example.com');
    await indexed();
    expect(members()).toBe(2);
    await until(() => look((database) => database.prepare('SELECT count(*) AS n FROM kinds').get()?.n) === 1);
    expect(await found(text('your code'))).toHaveLength(3);
  });
});
