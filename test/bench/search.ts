import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { parseQuery, type Query } from '../../src/mail/query.ts';
import type { ListQuery, Store } from '../../src/mail/store.ts';
import { arrivalOf } from '../../src/store/sqlite/facts.ts';
import { searchedHeaders } from '../../src/store/sqlite/header-text.ts';
import { indexWords } from '../../src/store/sqlite/search-index.ts';
import type { IndexEntry } from '../../src/store/sqlite/search-writer.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { Writer } from '../../src/store/sqlite/writer.ts';
import { sampleMessage } from '../store/support.ts';

/*
 * Fills a store with mails that differ, opens it and prints how long that takes, how long lists of an inbox take and how
 * long searches do.
 *   node test/bench/search.ts --messages 100000 --inboxes 2000 --rounds 200
 * With --data FOLDER the store stays there, and one that is there is not filled again.
 */
const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    inboxes: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '200' },
    data: { type: 'string' },
  },
});
const messages = Number(values.messages);
const inboxes = Number(values.inboxes);
const rounds = Number(values.rounds);
const VOCABULARY = 50_000;
const BATCH = 500;

/** A generator of the same numbers every time, from 0 to below 1. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
const random = randomNumbers(42);

const SYLLABLES = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu'.split(' ');
/** The word of a rank: short for common ones, as in languages. */
function word(rank: number): string {
  let text = '';
  for (let left = rank + 20; left > 0; left = Math.floor(left / 20)) text += SYLLABLES[left % 20];
  return text;
}
/** A rank as Zipf found them: half of all words are among the first two hundred. */
const rank = (): number => Math.floor(VOCABULARY ** random()) - 1;
const words = (count: number): string => Array.from({ length: count }, () => word(rank())).join(' ');
const inboxName = (n: number): string => `user${n}@example.com`;

function mail(n: number): { raw: string; text: string } {
  const isHtml = n % 3 === 0;
  const text = Array.from({ length: 12 }, () => words(12)).join('.\r\n');
  const lines = [
    `Received: from mx${n % 7}.example.org (mx${n % 7}.example.org [192.0.2.${n % 250}]) by mail.example.com with ESMTP`,
    `From: ${word(n % 997)} <${word(n % 997)}@sender${n % 31}.example>`,
    `To: ${inboxName(n % inboxes)}`,
    `Subject: ${words(5)} ${n}`,
    `Message-ID: <${n}.${word(n % 7919)}@sender.example>`,
    `X-Campaign: ${word(n % 89)}`,
    `Content-Type: text/${isHtml ? 'html' : 'plain'}; charset=utf-8`,
    '',
    isHtml ? `<html><body><p>${text}</p></body></html>` : text,
  ];
  return { raw: lines.join('\r\n'), text: text.replaceAll('\r\n', ' ') };
}

const directory = values.data ?? mkdtempSync(join(tmpdir(), 'inboxd-bench-'));
const open = (): Promise<Store> =>
  createSqliteStore({
    directory,
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    report: (report) => {
      if (report.type === 'crash') console.error(report.where, report.error);
    },
  });

/**
 * Writes mails and index with the store's own writer, as fast as one thread can. Parsing is left out: what it would find
 * is known here, and it would take most of the time.
 */
function fill(): void {
  const began = performance.now();
  const limits = { keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 };
  const writer = new Writer({ directory, naming: 'full', limits }, () => {});
  for (let n = 0; n < messages; n += BATCH) {
    const mails = Array.from({ length: Math.min(BATCH, messages - n) }, (_, place) => mail(n + place));
    const samples = mails.map(({ raw }, place) => sampleMessage({ raw, to: [inboxName((n + place) % inboxes)] }));
    const joined = Buffer.concat(mails.map(({ raw }) => Buffer.from(raw)));
    const contents = new Uint8Array(joined).buffer;
    writer.save({ arrivals: JSON.stringify(samples.map((sample) => arrivalOf(sample, null))), contents }, Date.now());
    const { entries, upTo } = writer.queries.unindexed({ messages: BATCH, bytes: Number.POSITIVE_INFINITY });
    const found = entries.map(({ seq, id, content, arrival }, place): IndexEntry => {
      const text = mails[place]!.text;
      const headers = searchedHeaders(Buffer.from(content.kind === 'blob' ? content.content : []));
      const facts = { snippet: text.slice(0, 200), attachments: 0, inline: 0, fileNames: [], text };
      return { seq, id, ...facts, words: indexWords({ arrival, headers, fileNames: [], text }) };
    });
    writer.index(found, upTo);
    if ((n / BATCH) % 200 === 199) console.log(`${n + BATCH} messages after ${seconds(performance.now() - began)} s`);
  }
  void writer.close();
  console.log(`filled with ${messages} messages in ${seconds(performance.now() - began)} s`);
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

async function measure(name: string, run: (n: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < rounds; n++) {
    const began = performance.now();
    await run(n);
    times.push(performance.now() - began);
  }
  print(name, times);
  return times;
}

function print(name: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(2);
  console.log(`${name.padEnd(34)} ms: median ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, slowest ${at(1)}`);
}

function query(text: string): Query {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.why}`);
  return parsed.value;
}

/** What people search for, from the commonest word to one that is nowhere. */
const SEARCHES: Readonly<Record<string, () => string>> = {
  'a word': () => word(rank()),
  'two words': () => `${word(rank())} ${word(rank())}`,
  'a rare word': () => word(20_000 + Math.floor(random() * 30_000)),
  'a word that is nowhere': () => `${word(rank())}qqq`,
  'a phrase': () => `"${word(rank())} ${word(rank())}"`,
  'a prefix': () => `${word(rank()).slice(0, 4)}*`,
  'a field': () => `subject:${word(rank())}`,
  'a sender': () => `from:${word(Math.floor(random() * 997))}`,
  'without a word': () => `${word(rank())} -${word(rank())}`,
  'either of two': () => `${word(rank())} OR ${word(rank())}`,
  'a header': () => `header:X-Campaign=${word(Math.floor(random() * 89))}`,
  'a word in an inbox': () => `inbox:${inboxName(Math.floor(random() * inboxes))} ${word(rank())}`,
  'unread with a word': () => `is:unread ${word(rank())}`,
};

const isThere = existsSync(join(directory, 'inboxd.db'));
if (!isThere) fill();

const began = performance.now();
const store = await open();
console.log(`start: ${(performance.now() - began).toFixed(0)} ms`);
const page = (query: ListQuery): Promise<unknown> => store.list({ limit: 50, ...query });
for (const n of [0, 1, 2]) await page({ inbox: inboxName(n) });

await measure('list of an inbox', () => page({ inbox: inboxName(Math.floor(random() * inboxes)) }));
await measure('list of an inbox, counted', () =>
  page({ inbox: inboxName(Math.floor(random() * inboxes)), counts: true }),
);
await measure('list of all', () => page({}));
await measure('inboxes', () => store.inboxes({ limit: 50 }));
const all: number[] = [];
for (const [name, make] of Object.entries(SEARCHES)) {
  all.push(...(await measure(`search: ${name}`, () => page({ query: query(make()) }))));
}
print('search: all of these', all);
await measure('search: a word, counted', () => page({ query: query(word(rank())), counts: true }));
const { diskBytes, messages: kept } = await store.stats();
console.log(`disk: ${Math.round(diskBytes / kept)} octets per message, ${kept} messages`);
await store.close();
if (values.data === undefined) rmSync(directory, { recursive: true });
