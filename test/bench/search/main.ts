import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseQuery, type Query } from '../../../src/mail/query.ts';
import type { ListQuery, Store } from '../../../src/mail/store.ts';
import { SCHEMA_VERSION } from '../../../src/store/sqlite/migrations.ts';
import { openUnbounded } from '../unbounded-store.ts';
import { fill } from './fill.ts';
import { inboxName, randomNumbers, rankOf, word } from './mails.ts';
import { searchesOf } from './searches.ts';
import { type Figures, figuresOf, type Pass, searchTable } from './table.ts';

export interface SearchOptions {
  readonly messages: number;
  /** Folder of the store, which stays there for the next run. */
  readonly data?: string;
  /** Times of each kind of list and search in one pass. */
  readonly rounds: number;
  readonly passes: number;
}

const INBOXES = 2000;
/** A store that takes longer to fill is measured with what it has then, and the next run goes on with it. */
const FILL_SECONDS = 1800;
/** Each kind is measured for so long at most. */
const KIND_MS = 20_000;
const STARTS = 5;
/** As the native API counts for a first page. */
const COUNTED = 10_000;

/** Measures how long a store with many messages takes to open, to list an inbox and to search. @returns a Markdown table */
export async function measureSearch({ messages, data, rounds, passes }: SearchOptions): Promise<string> {
  const directory = data ?? join(tmpdir(), `inboxd-bench-search-${messages}-v${SCHEMA_VERSION}`);
  mkdirSync(directory, { recursive: true });
  await fill(directory, messages, INBOXES, FILL_SECONDS);
  const starts: number[] = [];
  for (let n = 0; n < STARTS; n++) {
    const began = performance.now();
    const store = await openUnbounded(directory);
    starts.push(performance.now() - began);
    await store.close();
  }
  const store = await openUnbounded(directory);
  try {
    const done: Pass[] = [];
    for (let n = 0; n < passes; n++) done.push(await passOf(store, rounds, n));
    const stats = await store.stats();
    return searchTable({ starts: figuresOf(starts), passes: done, stats });
  } finally {
    await store.close();
  }
}

async function passOf(store: Store, rounds: number, seed: number): Promise<Pass> {
  const random = randomNumbers(seed + 1);
  const anyInbox = (): string => inboxName(Math.floor(random() * INBOXES));
  const page = (query: ListQuery): Promise<unknown> => store.list({ limit: 50, ...query });
  const figures = new Map<string, Figures>();
  /** @param run gives the time that it took, where that is not all of it */
  const measure = async (name: string, run: () => Promise<unknown>): Promise<number[]> => {
    const times: number[] = [];
    const end = performance.now() + KIND_MS;
    for (let n = 0; n < rounds && performance.now() < end; n++) {
      const began = performance.now();
      const own = await run();
      times.push(typeof own === 'number' ? own : performance.now() - began);
    }
    figures.set(name, figuresOf(times));
    console.log(name.padEnd(40), JSON.stringify(figures.get(name)));
    return times;
  };

  for (let n = 0; n < 20; n++) await page({ inbox: anyInbox() });
  await measure('list of an inbox, with its total', () => page({ inbox: anyInbox(), countTo: COUNTED }));
  await measure('list of all, with its total', () => page({ countTo: COUNTED }));
  await measure('inboxes', () => store.inboxes({ limit: 50 }));
  const all: number[] = [];
  for (const [name, make] of Object.entries(searchesOf(random, INBOXES))) {
    all.push(...(await measure(`search: ${name}`, () => page({ query: query(make()), countTo: COUNTED }))));
  }
  figures.set('search: all of these', figuresOf(all));
  await measure('search: a further page of a word', async () => {
    const asked = query(word(rankOf(random)));
    // as far down as nobody pages by hand
    await page({ query: asked, cursor: Math.floor(random() * 1e6 + 1).toString(36) });
  });
  await measure('list of an inbox during such searches', async () => {
    const searching = page({ query: query(`${word(rankOf(random)).slice(0, 2)}*`), counts: true });
    const began = performance.now();
    await page({ inbox: anyInbox() });
    const took = performance.now() - began;
    await searching;
    return took;
  });
  await measure('search: a word, every match counted', () =>
    page({ query: query(word(rankOf(random))), counts: true }),
  );
  return figures;
}

function query(text: string): Query {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.why}`);
  return parsed.value;
}
