import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SPOOL_MEMORY_BYTES } from '../../src/mail/content.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { runScript } from '../store/process.ts';
import { collect } from '../store/support.ts';
import { createRandom } from '../support/random.ts';
import { rawOf } from './store-messages.ts';

const ROUNDS = 26; // in each of two folders at once

it.each([[1], [2]])(
  `after ${ROUNDS} times kill -9 every promised message is there, whole and once (folder %i)`,
  { timeout: 120_000, concurrent: true },
  async (seed) => {
    const directory = mkdtempSync(join(tmpdir(), 'inboxd-killed-'));
    const chance = createRandom(seed);
    const promised = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const saver = runScript('../faults/store-saver.ts', [directory]);
      await saver.line('open');
      await delay(chance() * 120);
      await saver.kill('SIGKILL');
      for (const line of saver.lines) if (line !== 'open') promised.add(line);
    }
    expect(promised.size).toBeGreaterThan(ROUNDS);

    const store = await createSqliteStore({
      directory,
      naming: 'full',
      keepPerInbox: 0,
      keepBytes: 0,
      keepAgeMs: 0,
      report: () => {},
    });
    const { messages, matches } = await store.list({ counts: true });
    const ids = messages.map(({ id }) => id);
    expect(new Set(ids).size).toBe(matches);
    expect([...promised].filter((id) => !ids.includes(id))).toEqual([]);
    let contentBytes = 0;
    let large = 0;
    for (const { id, bytes } of messages) {
      const raw = rawOf(id);
      const content = await collect((await store.content(id))!.stream());
      if (bytes !== raw.length || !content.equals(raw)) throw new Error(`${id} is not whole`);
      contentBytes += bytes;
      if (bytes > SPOOL_MEMORY_BYTES) large++;
    }
    expect(large).toBeGreaterThan(0);
    expect(await store.stats()).toMatchObject({ messages: matches, unread: matches, contentBytes });
    const { inboxes } = await store.inboxes();
    expect(inboxes.reduce((sum, inbox) => sum + inbox.messages, 0)).toBe(matches);
    expect(inboxes.reduce((sum, inbox) => sum + inbox.bytes, 0)).toBe(contentBytes);
    expect(readdirSync(join(directory, 'contents'))).toHaveLength(large);
    expect(readdirSync(join(directory, 'spool'))).toEqual([]);
    await store.close();
    rmSync(directory, { recursive: true });
  },
);
