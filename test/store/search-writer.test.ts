import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Query } from '../../src/mail/query.ts';
import { arrivalOf, NO_FILES } from '../../src/store/sqlite/facts.ts';
import { layoutOf } from '../../src/store/sqlite/layout.ts';
import { openSearch } from '../../src/store/sqlite/search-database.ts';
import { indexWords } from '../../src/store/sqlite/search-index.ts';
import { type IndexEntry, SearchWriter } from '../../src/store/sqlite/search-writer.ts';
import { indexedTexts } from '../../src/store/sqlite/text-writer.ts';
import { Writer } from '../../src/store/sqlite/writer.ts';
import { createRandom, pick } from '../support/random.ts';
import { mail, sampleMessage } from './support.ts';

const MESSAGES = 600;
const WORDS = Array.from({ length: 4000 }, (_, n) => `word${n.toString(36)}`);

let directory: string;
let writer: Writer;
let index: DatabaseSync;
let search: SearchWriter;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inboxd-index-'));
  const limits = { keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 };
  writer = new Writer({ directory, naming: 'full', limits, now: Date.now() }, () => {});
  index = openSearch(layoutOf(directory));
  search = new SearchWriter(index);
});
afterEach(async () => {
  index.close();
  await writer.close();
  rmSync(directory, { recursive: true });
});

function look(sql: string): Record<string, unknown> | undefined {
  const database = new DatabaseSync(join(directory, 'search.db'));
  try {
    return database.prepare(sql).get();
  } finally {
    database.close();
  }
}

/** Which part holds the index: one that is written anew has another number. */
const part = (): unknown => look('SELECT group_concat(DISTINCT segid) AS parts FROM search_idx')?.parts;

/** Puts messages into the tables and the index, each with words of its own and one that all have. @returns their ids */
function fill(): string[] {
  const random = createRandom(1);
  const texts = Array.from({ length: MESSAGES }, () => {
    return ['everywhere', ...Array.from({ length: 60 }, () => pick(random, WORDS))].join(' ');
  });
  const samples = texts.map((text) => sampleMessage({ raw: mail('A subject', text) }));
  const arrivals = JSON.stringify(samples.map((sample) => arrivalOf(sample, NO_FILES)));
  const contents = new Uint8Array(Buffer.concat(texts.map((text) => Buffer.from(mail('A subject', text))))).buffer;
  const keeping = { now: Date.now(), loggedTo: 0, isSynced: true, isAcknowledged: false };
  writer.save({ arrivals, contents }, keeping);
  const { entries, upTo } = writer.queries.unindexed({ messages: MESSAGES, bytes: Number.POSITIVE_INFINITY });
  const found = entries.map(({ seq, id, arrival }, place): IndexEntry => {
    const text = texts[place]!;
    const facts = { snippet: text.slice(0, 100), attachments: 0, inline: 0, fileNames: [], text };
    return { seq, id, ...facts, words: indexWords({ arrival, headers: [], fileNames: [], text }) };
  });
  writer.putTexts(indexedTexts(found, search.put(found, upTo), upTo));
  look("INSERT INTO search (search) VALUES ('optimize')"); // one part, as the oldest mail of a large store is in
  return samples.map(({ id }) => id);
}

const found = (): number =>
  writer.queries.list({ query: { kind: 'text', text: 'everywhere' } as Query, counts: true }).matches ?? -1;

/** Removes messages from the store and then their words from the index. */
async function remove(ids: readonly string[]): Promise<void> {
  await writer.remove({ ids });
  for (let seqs = search.forget(100); seqs.length > 0; seqs = search.forget(100)) writer.forget({ seqs });
}

describe('the index of a store that removes the oldest', () => {
  it('is not written anew while less than half of it is gone', async () => {
    const ids = fill();
    expect(look("SELECT v FROM search_config WHERE k = 'deletemerge'")).toEqual({ v: 50 });
    const before = part();
    await remove(ids.slice(0, MESSAGES * 0.4));
    expect(part()).toBe(before);
    expect(found()).toBe(MESSAGES * 0.6);
  });

  it('is written anew once most of it is gone', async () => {
    const ids = fill();
    const before = part();
    await remove(ids.slice(0, MESSAGES * 0.6));
    expect(part()).not.toBe(before);
    expect(found()).toBe(MESSAGES * 0.4);
  });

  it('shows none that is gone before its words are', async () => {
    const ids = fill();
    await writer.remove({ ids: ids.slice(0, 100) });
    expect(found()).toBe(MESSAGES - 100);
    expect(writer.queries.unindexed({ messages: 1, bytes: 1 }).isForgetting).toBe(true);
    expect(search.forget(1000)).toHaveLength(100);
    writer.forget({ seqs: Array.from({ length: 100 }, (_, place) => place + 1) });
    expect(writer.queries.unindexed({ messages: 1, bytes: 1 }).isForgetting).toBe(false);
    expect(found()).toBe(MESSAGES - 100);
  });

  it('is emptied at once with the store', async () => {
    const ids = fill();
    await remove(ids);
    expect(look('SELECT count(*) AS words FROM search_idx')).toEqual({ words: 0 });
    expect(found()).toBe(0);
  });
});
