import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createId } from '../../src/mail/message.ts';
import type { Query } from '../../src/mail/query.ts';
import type { Store } from '../../src/mail/store.ts';
import { BaseChoice } from '../../src/store/sqlite/base-choice.ts';
import { BLOCK_LIMITS, decodeListed, decodeParts, encodeListed, encodeParts } from '../../src/store/sqlite/blocks.ts';
import { likeness, sketchOf } from '../../src/store/sqlite/likeness.ts';
import { pack, unpack } from '../../src/store/sqlite/packing.ts';
import { openSqliteReader } from '../../src/store/sqlite/reader.ts';
import { salvage } from '../../src/store/sqlite/salvage.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { createNewsletters } from '../bench/disk/newsletters.ts';
import { createRandom, pick } from '../support/random.ts';
import { until } from '../support/until.ts';
import { runScript } from './process.ts';
import { collect, sampleMessage } from './support.ts';

const WAIT_MS = 120_000;
const newsletter = createNewsletters(1);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inboxd-packing-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (isPacking = true): Promise<Store> =>
  createSqliteStore({
    directory,
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    isPacking,
    report: (report) => {
      if (report.type === 'crash') throw report.error;
    },
  });

function look(sql: string): Record<string, unknown> {
  const database = new DatabaseSync(join(directory, 'inboxd.db'), { readOnly: true, timeout: 5000 });
  try {
    return database.prepare(sql).get() ?? {};
  } finally {
    database.close();
  }
}

const count = (table: string): number => Number(look(`SELECT count(*) AS rows FROM ${table}`).rows);

/** Resolves when nothing is left as it came. */
const packed = (): Promise<void> => until(() => count('contents') === 0 && count('search_texts') === 0);

/** Sends newsletters and waits until they are packed. @returns their octets by id */
async function send(store: Store, numbers: readonly number[]): Promise<Map<string, Buffer>> {
  const sent = new Map<string, Buffer>();
  for (const n of numbers) {
    const { raw, to, from } = newsletter(n);
    const message = sampleMessage({ raw, from, to: [to] });
    await store.accept(message);
    sent.set(message.id, raw);
  }
  await until(async () => (await store.stats()).unindexed === 0); // they are in the tables
  await packed();
  return sent;
}

/** Overwrites the first page of a table's rows. */
function damage(table: string): void {
  const page = look(
    `SELECT min(pgoffset) AS at, min(pgsize) AS size FROM dbstat WHERE name = '${table}' AND pagetype = 'leaf'`,
  );
  const path = join(directory, 'inboxd.db');
  const bytes = readFileSync(path);
  bytes.fill(0xa5, Number(page.at), Number(page.at) + Number(page.size));
  writeFileSync(path, bytes);
}

async function expectExact(store: Pick<Store, 'content'>, sent: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [id, raw] of sent) {
    const content = await store.content(id);
    expect(content?.bytes).toBe(raw.length);
    expect((await collect(content!.stream())).equals(raw), id).toBe(true);
  }
}

const numbers = (length: number): number[] => Array.from({ length }, (_, n) => n);

describe('a part', () => {
  const base = newsletter(1).raw;
  const plain = newsletter(2).raw;

  it('comes out as it went in, with a base and without', () => {
    expect(unpack(pack(plain)).equals(plain)).toBe(true);
    expect(unpack(pack(plain, base), base).equals(plain)).toBe(true);
    expect(unpack(pack(Buffer.alloc(0))).length).toBe(0);
  });

  it('is not taken for whole when an octet or the base is another', () => {
    const frame = pack(plain, base);
    for (let at = 0; at < frame.length; at += 7) {
      const damaged = Buffer.from(frame);
      damaged[at]! ^= 0x10;
      try {
        expect(unpack(damaged, base).equals(plain)).toBe(true); // bits that say nothing
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORE_CORRUPT' });
      }
    }
    expect(() => unpack(frame, newsletter(3).raw)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    expect(() => unpack(frame)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  });

  it('that says it is larger than any is refused', () => {
    const bomb = pack(Buffer.alloc(64 * 1024 * 1024));
    expect(unpack(bomb).length).toBe(64 * 1024 * 1024);
    expect(() => pack(Buffer.alloc(64 * 1024 * 1024 + 1))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  });
});

describe('a block', () => {
  const messages = new Map([
    [3, { facts: Buffer.from('{}'), content: newsletter(1).raw, text: Buffer.from('text') }],
    [4, { facts: Buffer.from('{"a":"\n"}'), content: Buffer.from('\n\n[[') }],
    [9, {}],
  ]);

  it('gives each message what it was given', () => {
    const parts = decodeParts(encodeParts(messages));
    expect([...parts.keys()]).toEqual([3, 4, 9]);
    expect(parts.get(3)?.content?.toString()).toBe(newsletter(1).raw.toString());
    expect(parts.get(3)?.text?.toString()).toBe('text');
    expect(parts.get(4)?.facts?.toString()).toBe('{"a":"\n"}');
    expect(parts.get(4)?.content?.toString()).toBe('\n\n[[');
    expect(parts.get(4)?.text).toBeUndefined();
    expect(parts.get(9)).toEqual({});
    const listed = new Map([[3, ['a', '', 'ü\u001f"']] as const, [4, ['\0', '\n']] as const]);
    expect(decodeListed(encodeListed(listed))).toEqual(listed);
  });

  it('that is cut off is damaged', () => {
    const plain = encodeParts(messages);
    for (const length of [0, 1, 5, 20]) {
      expect(() => decodeParts(plain.subarray(0, length))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
      expect(() => decodeListed(plain.subarray(0, length))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    }
  });
});

describe('the choice of a base', () => {
  it('sees what is alike by its lines', () => {
    const sketches = [newsletter(1), newsletter(2), createNewsletters(2)(1)].map(({ raw }) => sketchOf(raw));
    expect(likeness(sketches[0]!, sketches[0]!)).toBe(1);
    expect(likeness(sketches[0]!, sketches[1]!)).toBeGreaterThan(0.5);
    expect(likeness(sketches[0]!, sketches[2]!)).toBeLessThan(0.5);
  });

  it('makes one of the second mail of a kind, and none of a mail that comes once', () => {
    const choice = new BaseChoice();
    expect(choice.choose(1, newsletter(1).raw)).toBeUndefined();
    expect(choice.choose(2, createNewsletters(2)(1).raw)).toBeUndefined();
    expect(choice.choose(3, newsletter(2).raw)).toEqual({ base: 3, isNew: true });
    expect(choice.choose(4, newsletter(3).raw)).toEqual({ base: 3, isNew: false });
  });
});

describe('a store of newsletters', { timeout: WAIT_MS }, () => {
  it('packs them, and gives each as it came: content, facts, headers and texts', async () => {
    let store = await open();
    const sent = await send(store, numbers(60));
    const raw = [...sent.values()].reduce((bytes, { length }) => bytes + length, 0);
    const { bytes } = look(
      'SELECT (SELECT sum(length(listed)) FROM blocks) + (SELECT sum(length(bytes)) FROM block_pieces) AS bytes',
    );
    expect(Number(bytes)).toBeLessThan(raw * 0.05);
    expect(count('bases')).toBe(1);
    await expectExact(store, sent);
    const [id, content] = [...sent][41]!;
    const { to, from } = newsletter(41);
    const message = await store.get(id);
    expect(message).toMatchObject({ envelope: { from }, client: { address: '192.0.2.1' }, session: 'session-1' });
    expect(message?.envelope.to).toMatchObject([{ address: to }]);
    const code = /code for this week is (\d+)/.exec(content.toString())![1]!;
    const link = /\/u\/(\w+)/.exec(content.toString())![1]!;
    const queries: Query[] = [
      { kind: 'text', text: code, prefix: false, phrase: false },
      { kind: 'text', text: code.slice(1, 5), prefix: false, phrase: false, infix: true },
      { kind: 'header', name: 'List-Unsubscribe', text: link },
    ];
    for (const query of queries) {
      const { messages } = await store.list({ query });
      expect(
        messages.map((one) => one.id),
        JSON.stringify(query),
      ).toContain(id);
    }
    await store.close();
    const reader = await openSqliteReader(directory, 'full');
    await expectExact(reader, sent);
    await reader.close();
    store = await open();
    const more = await send(store, [100, 101, 102]);
    expect(count('bases')).toBe(1); // the one from before
    await expectExact(store, more);
    await store.close();
  });

  it('shows in lists, events and searches of fields what it showed before', async () => {
    let store = await open(false);
    for (const n of numbers(12)) {
      const { raw, to, from } = newsletter(n);
      await store.accept(sampleMessage({ raw, from, to: [to] }));
    }
    await until(async () => (await store.stats()).unindexed === 0);
    const { token, name } = ((to) => ({ token: to.split('@')[0]!, name: to.split('.')[0]! }))(newsletter(5).to);
    const word = { text: name, prefix: false, phrase: false };
    const queries: Query[] = [
      ...(['from', 'to', 'subject', 'message-id', 'addressed'] as const).flatMap((field): Query[] => [
        { kind: 'field', field, ...word },
        { kind: 'field', field, ...word, text: token.slice(2), infix: true },
      ]),
      { kind: 'text', ...word, text: token.slice(2), infix: true },
    ];
    const look = async (): Promise<unknown> => {
      const lists = [{}, { inbox: newsletter(3).to }, ...queries.map((query) => ({ query }))];
      const found = [];
      for (const query of lists) found.push((await store.list(query)).messages);
      expect(found[0]).toHaveLength(12);
      return { found, events: await store.feed.since(0, 100), one: await store.get(found[1]![0]!.id) };
    };
    const before = await look();
    await store.close();
    store = await open();
    await packed();
    expect(count('blocks')).toBeGreaterThan(0);
    expect(await look()).toEqual(before);
    await store.close();
  });

  it('fills blocks up with what comes one by one, without what was removed meanwhile', async () => {
    const store = await open();
    const sent = await send(store, numbers(3));
    expect(look('SELECT count(*) AS blocks, sum(messages) AS messages FROM blocks')).toEqual({
      blocks: 1,
      messages: 2,
    });
    const { block } = look('SELECT block FROM blocks');
    for (const n of [3, 4, 5]) for (const one of await send(store, [n])) sent.set(...one);
    expect(look('SELECT block, messages FROM blocks')).toEqual({ block, messages: 5 });
    await expectExact(store, sent);
    const [, , gone, ...left] = [...sent.keys()];
    await store.remove({ ids: [gone!] });
    sent.delete(gone!);
    expect(look('SELECT messages FROM blocks')).toEqual({ messages: 4 });
    await expectExact(store, sent);
    for (const one of await send(store, numbers(20).slice(6))) sent.set(...one);
    const { blocks, most, messages } = look(
      'SELECT count(*) AS blocks, max(messages) AS most, sum(messages) AS messages FROM blocks',
    );
    expect({ blocks, messages }).toEqual({ blocks: 2, messages: sent.size - 1 });
    expect(Number(most)).toBeGreaterThan(8);
    expect(Number(most)).toBeLessThanOrEqual(BLOCK_LIMITS.messages);
    const { grown } = look(`SELECT sum(length(bytes)) AS grown FROM block_pieces WHERE piece / 4096 = ${block}`);
    expect(Number(grown)).toBeLessThan(Number(most) * newsletter(1).raw.length * 0.02);
    expect((await store.list({})).messages.map(({ id }) => id)).toEqual([...sent.keys()].reverse());
    await store.remove({ ids: left });
    for (const id of left) sent.delete(id);
    await expectExact(store, sent);
    await store.close();
  });

  it('keeps a base for as long as one message needs it, and gives the room back after the last', async () => {
    const store = await open();
    const sent = await send(store, numbers(40));
    const { base } = look('SELECT base FROM bases');
    const { id: first } = look(`SELECT id FROM messages WHERE seq = ${Number(base)}`);
    await store.remove({ ids: [String(first)] });
    sent.delete(String(first));
    expect(count('bases')).toBe(1);
    await expectExact(store, sent);
    const last = [...sent].at(-1)!;
    await store.remove({ ids: [...sent.keys()].slice(0, -1) });
    await expectExact(store, new Map([last]));
    await store.remove({ all: true });
    await until(() => count('bases') === 0 && count('base_copies') === 0);
    expect([count('blocks'), count('block_pieces')]).toEqual([0, 0]);
    const again = await send(store, numbers(5)); // with a base that was thought to be there
    await expectExact(store, again);
    await store.close();
  });

  it('packs what a store has kept plain before', async () => {
    let store = await open(false);
    const sent = new Map<string, Buffer>();
    for (const n of numbers(20)) {
      const message = sampleMessage({ raw: newsletter(n).raw });
      await store.save(message);
      sent.set(message.id, newsletter(n).raw);
    }
    await store.close();
    expect(count('contents')).toBe(20);
    store = await open();
    await packed();
    await expectExact(store, sent);
    await store.close();
  });

  it('is smaller on disk than what came by far, since what packing frees is given back', async () => {
    const store = await open();
    const sent = await send(store, numbers(300));
    await until(() => Number(look('PRAGMA freelist_count').freelist_count) < 100);
    await store.close();
    const raw = [...sent.values()].reduce((bytes, { length }) => bytes + length, 0);
    expect(readFileSync(join(directory, 'inboxd.db')).length).toBeLessThan(raw * 0.4);
  });

  it.each([
    ['bases', {}],
    ['blocks', {}],
    ['messages', { lacks: 'its envelope is lost; sender and recipients are those of its header' }],
  ])('loses no content with a damaged page of %s', async (table, incomplete) => {
    let store = await open();
    const sent = await send(store, numbers(30));
    await store.close();
    damage(table);
    const to = `${directory}-salvaged`;
    const report = await salvage({ from: directory, to, format: 'eml', naming: 'full' });
    try {
      expect(report).toMatchObject({ messages: 30, lost: [] });
      expect(report.incomplete).toHaveLength('lacks' in incomplete ? 30 : 0);
      for (const one of report.incomplete) expect(one).toMatchObject(incomplete);
      const files = readdirSync(to).map((name) => readFileSync(join(to, name)).toString('latin1'));
      expect(files.sort()).toEqual([...sent.values()].map((raw) => raw.toString('latin1')).sort());
    } finally {
      rmSync(to, { recursive: true });
    }
    if (table === 'messages') return;
    store = await open(); // opens all the same
    await store.close();
  });
});

describe('a store of newsletters with damaged rows', { timeout: WAIT_MS }, () => {
  it('gives none back that was removed, though its block has it still', async () => {
    const store = await open();
    const sent = await send(store, numbers(14));
    const gone = [...sent.keys()].slice(4, 7);
    await store.remove({ ids: gone });
    for (const id of gone) sent.delete(id);
    await store.close();
    damage('messages');
    const to = `${directory}-salvaged`;
    try {
      const report = await salvage({ from: directory, to, format: 'eml', naming: 'full' });
      expect(report).toMatchObject({ messages: sent.size, lost: [] });
      const files = readdirSync(to).map((name) => readFileSync(join(to, name)).toString('latin1'));
      expect(files.sort()).toEqual([...sent.values()].map((raw) => raw.toString('latin1')).sort());
    } finally {
      rmSync(to, { recursive: true });
    }
  });
});

describe('the journal', { timeout: WAIT_MS }, () => {
  it('gives events that are packed as it gave them before', async () => {
    let store = await open(false);
    for (let turn = 0; turn < 12; turn++) {
      await Promise.all(numbers(50).map((n) => store.save(sampleMessage({ to: [`box${n}@example.com`] }))));
    }
    await store.change({ inbox: 'box7@example.com' }, { read: true });
    await store.remove({ inbox: 'box9@example.com' });
    await until(async () => (await store.stats()).unindexed === 0);
    const latest = store.feed.latest();
    const starts = [0, latest - 500, latest - 130, latest - 1, latest];
    const read = (): Promise<unknown> => Promise.all(starts.map((start) => store.feed.since(start, 200)));
    const before = await read();
    await store.close();
    store = await open();
    await packed();
    await until(() => count('packed_events') > 1);
    expect(Number(look('SELECT sum(last - first + 1) AS events FROM packed_events').events)).toBeGreaterThan(256);
    expect(await read()).toEqual(before);
    expect(await store.feed.since(1, 10)).toBe('gone');
    await store.save(sampleMessage());
    expect(store.feed.latest()).toBe(latest + 1);
    await store.close();
    store = await open();
    expect(store.feed.latest()).toBe(latest + 1);
    expect(await store.feed.since(latest, 10)).toHaveLength(1);
    await store.close();
  });
});

describe('mails of all kinds', { timeout: WAIT_MS }, () => {
  it('come back octet by octet', async () => {
    const folder = new URL('../mails/', import.meta.url);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(({ name }) =>
      name.endsWith('.eml'),
    );
    const store = await open();
    const sent = new Map<string, Buffer>();
    for (const { parentPath, name } of files) {
      const message = sampleMessage({ raw: readFileSync(join(parentPath, name)) });
      await store.accept(message);
      sent.set(message.id, readFileSync(join(parentPath, name)));
    }
    const empty = sampleMessage({ raw: '' });
    await store.accept(empty);
    sent.set(empty.id, Buffer.alloc(0));
    await packed();
    expect(sent.size).toBeGreaterThan(10);
    await expectExact(store, sent);
    await store.close();
  });

  it('come back after removals and restarts in any order', async () => {
    const random = createRandom(20);
    const kept = new Map<string, Buffer>();
    const makers = [1, 2, 3].map(createNewsletters);
    let store = await open();
    for (let turn = 0; turn < 120; turn++) {
      const dice = random();
      if (dice < 0.75 || kept.size === 0) {
        const raw =
          random() < 0.2
            ? Buffer.from(`Subject: ${createId()}\r\n\r\n${'noise '.repeat(random() * 400)}`)
            : pick(random, makers)(turn).raw;
        const message = sampleMessage({ raw });
        await store.accept(message);
        kept.set(message.id, raw);
      } else if (dice < 0.95) {
        const id = pick(random, [...kept.keys()]);
        await store.remove({ ids: [id] });
        kept.delete(id);
      } else if (dice < 0.98) await packed();
      else {
        await store.close();
        store = await open();
      }
    }
    await packed();
    await expectExact(store, kept);
    expect((await store.stats()).messages).toBe(kept.size);
    await store.close();
  });

  it('come back after kill -9 at any point', async () => {
    const make = createNewsletters(7);
    const kept = new Map<string, Buffer>();
    const gone = new Set<string>();
    for (const seed of [1, 2, 3]) {
      const child = runScript('packing-process.ts', [directory, String(seed)]);
      await until(() => child.lines.length > 40 * seed);
      await delay(700 * seed); // packing begins about a second after the first
      await child.kill('SIGKILL');
      for (const line of child.lines) {
        const [what = '', id = '', n] = line.split(' ');
        if (what === 'kept') kept.set(id, make(Number(n)).raw);
        else gone.add(id); // also one that was being removed
      }
    }
    const store = await open();
    await packed();
    const there = new Map([...kept].filter(([id]) => !gone.has(id)));
    expect(there.size).toBeGreaterThan(60);
    await expectExact(store, there);
    expect(look('PRAGMA integrity_check').integrity_check).toBe('ok');
    await store.close();
  });
});
