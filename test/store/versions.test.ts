import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseQuery } from '../../src/mail/query.ts';
import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { until } from '../support/until.ts';
import { CAME, collect, editedMessage } from './support.ts';

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
