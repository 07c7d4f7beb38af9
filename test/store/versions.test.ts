import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseQuery } from '../../src/mail/query.ts';
import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { createNewsletters } from '../bench/disk/newsletters.ts';
import { until } from '../support/until.ts';
import { CAME, collect, editedMessage, sampleMessage } from './support.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inboxd-version-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const OLD = '01kahv1aaaaaaaaaaaaaaaaaa1';
const SENT = '01kahv1aaaaaaaaaaaaaaaaaa2';

async function find(store: Store, text: string): Promise<string[]> {
  const query = parseQuery(text);
  if (!query.ok) throw new Error(query.why);
  return (await store.list({ query: query.value })).messages.map(({ id }) => id);
}

describe('a store of version 1', () => {
  it('is brought to this version with all that is in it', async () => {
    const database = new DatabaseSync(join(directory, 'inboxd.db'));
    database.exec(readFileSync(new URL('./versions/1.sql', import.meta.url), 'utf8'));
    database.close();
    const store = await createSqliteStore({
      directory,
      naming: 'full',
      keepPerInbox: 0,
      keepBytes: 0,
      keepAgeMs: 0,
      report: () => {},
    });
    try {
      expect(await store.stats()).toMatchObject({ messages: 2, unread: 1, inboxes: 2 });
      expect((await store.list({})).messages).toMatchObject([
        {
          id: SENT,
          subject: 'Another',
          read: true,
          pinned: false,
          tags: [],
          login: 'kim',
          verification: null,
          quarantine: null,
        },
        { id: OLD, subject: 'An old mail', read: false, login: '', bcc: [{ address: 'bob@example.com' }] },
      ]);
      expect((await store.list({ inbox: 'bob@example.com' })).messages.map(({ id }) => id)).toEqual([OLD]);
      expect((await store.get(OLD))?.envelope.to.map(({ address }) => address)).toEqual([
        'anna@example.com',
        'bob@example.com',
      ]);
      expect((await collect((await store.content(OLD))!.stream())).toString()).toContain('with a rare word');
      await until(async () => (await store.stats()).unindexed === 0);
      expect(await find(store, 'rare')).toEqual([OLD]);
      expect(await find(store, 'ra* is:unread')).toEqual([OLD]);
      expect(await find(store, 'is:read')).toEqual([SENT]);
      expect((await store.get(OLD))?.received).toBeNull();
      const later = editedMessage();
      await store.save(later);
      expect((await collect((await store.content(later.id))!.stream())).toString()).toBe(CAME);
      expect(await find(store, 'is:quarantined')).toEqual([later.id]);
      await store.change({ ids: [OLD] }, { tags: ['kept'], pinned: true });
      expect(await find(store, 'tag:kept is:pinned')).toEqual([OLD]);
      expect((await store.feed.since(0, 10)) as unknown[]).toMatchObject([
        { type: 'received', message: later.id },
        { type: 'changed', message: OLD },
      ]);
    } finally {
      await store.close();
    }
  });
});

describe('a store of version 11', { timeout: 60_000 }, () => {
  const newsletter = createNewsletters(1);
  const idOf = (n: number): string => `01kahv11aaaaaaaaaaaaaaaaa${n}`;
  const look = (sql: string): unknown => {
    const database = new DatabaseSync(join(directory, 'inboxd.db'), { readOnly: true, timeout: 5000 });
    try {
      return database.prepare(sql).get()?.n;
    } finally {
      database.close();
    }
  };

  it('keeps what it has packed message by message, and packs what comes in blocks with the same base', async () => {
    // four newsletters, the last three packed with the second as their base, and a mail of its own
    const database = zstdDecompressSync(readFileSync(new URL('./versions/11.db.zst', import.meta.url)));
    writeFileSync(join(directory, 'inboxd.db'), database);
    const options = { directory, naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
    const store = await createSqliteStore({ ...options, report: () => {} });
    const exact = async (id: string, raw: Buffer): Promise<void> =>
      expect((await collect((await store.content(id))!.stream())).equals(raw), id).toBe(true);
    try {
      for (const n of [0, 1, 2, 3]) {
        const { raw, to, from } = newsletter(n);
        await exact(idOf(n), raw);
        expect((await store.list({ inbox: to })).messages).toMatchObject([{ id: idOf(n), to: [{ address: to }] }]);
        expect((await store.get(idOf(n)))?.envelope.from).toBe(from);
      }
      expect(await find(store, 'rare')).toEqual([idOf(4)]);
      const added = new Map<string, Buffer>();
      for (const n of [5, 6, 7]) {
        const { raw, to, from } = newsletter(n);
        const message = sampleMessage({ raw, to: [to], from });
        await store.accept(message);
        added.set(message.id, raw);
      }
      await until(
        () => look('SELECT count(*) AS n FROM contents') === 0 && look('SELECT sum(messages) AS n FROM blocks') === 3,
      );
      expect(look('SELECT min(base) AS n FROM blocks')).toBe(2);
      await until(async () => (await store.stats()).unindexed === 0);
      // over the edges of what their kind has, which mails of that version have words of around their own
      const ids = [0, 1, 2, 3].map(idOf).concat([...added.keys()]);
      for (const [place, n] of [0, 1, 2, 3, 5, 6, 7].entries()) {
        const code = /code for this week is (\d+)/.exec(newsletter(n).raw.toString())![1]!;
        expect(await find(store, `"week is ${code}"`)).toEqual([ids[place]]);
        expect(await find(store, `"code for this week is ${code}"`)).toEqual([ids[place]]);
      }
      expect((await find(store, '"your code for"')).sort()).toEqual(ids.toSorted());
      await store.remove({ ids: [0, 1, 2].map(idOf) });
      await exact(idOf(3), newsletter(3).raw);
      for (const [id, raw] of added) await exact(id, raw);
      expect(await find(store, 'rare')).toEqual([idOf(4)]);
      await store.remove({ ids: [...added.keys()] });
      await exact(idOf(3), newsletter(3).raw); // needs the base still
    } finally {
      await store.close();
    }
  });
});
