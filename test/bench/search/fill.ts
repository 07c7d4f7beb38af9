import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { Report } from '../../../src/mail/report.ts';
import { arrivalOf, NO_FILES } from '../../../src/store/sqlite/facts.ts';
import { searchedHeaders } from '../../../src/store/sqlite/header-text.ts';
import { layoutOf } from '../../../src/store/sqlite/layout.ts';
import { openSearch } from '../../../src/store/sqlite/search-database.ts';
import { indexWords } from '../../../src/store/sqlite/search-index.ts';
import { type IndexEntry, SearchWriter } from '../../../src/store/sqlite/search-writer.ts';
import { createSqliteStore } from '../../../src/store/sqlite/store.ts';
import { indexedTexts } from '../../../src/store/sqlite/text-writer.ts';
import { Writer } from '../../../src/store/sqlite/writer.ts';
import { sampleMessage } from '../../store/support.ts';
import { createMails } from './mails.ts';

const BATCH = 500;
const LIMITS = { keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 };

/**
 * Fills a store with the store's own writer, as fast as one thread can, and goes on where an earlier fill ended. Parsing
 * is left out: what it would find is known here, and it would take most of the time.
 * @param seconds after which it ends with what there is
 */
export async function fill(directory: string, messages: number, inboxes: number, seconds: number): Promise<void> {
  const writer = new Writer({ directory, naming: 'full', limits: LIMITS, now: Date.now() }, () => {});
  const index = openSearch(layoutOf(directory));
  const search = new SearchWriter(index);
  try {
    const began = performance.now();
    const there = writer.queries.stats().messages;
    const mail = createMails(inboxes);
    for (let n = 0; there < messages && n < messages; n += BATCH) {
      const mails = Array.from({ length: Math.min(BATCH, messages - n) }, (_, place) => mail(n + place));
      if (n < there) continue; // made all the same: the next ones follow from them
      const samples = mails.map(({ raw, to }) => sampleMessage({ raw, to: [to] }));
      const contents = new Uint8Array(Buffer.concat(mails.map(({ raw }) => Buffer.from(raw)))).buffer;
      const arrivals = JSON.stringify(samples.map((sample) => arrivalOf(sample, NO_FILES)));
      const keeping = { now: Date.now(), loggedTo: 0, isSynced: true, isAcknowledged: false };
      writer.save({ arrivals, contents }, keeping);
      const { entries, upTo } = writer.queries.unindexed({ messages: BATCH, bytes: Number.POSITIVE_INFINITY });
      const found = entries.map(({ seq, id, content, arrival }, place): IndexEntry => {
        const text = mails[place]!.text;
        const headers = searchedHeaders(Buffer.from(content.kind === 'blob' ? content.content : []));
        const facts = { snippet: text.slice(0, 200), attachments: 0, inline: 0, fileNames: [], text };
        return { seq, id, ...facts, words: indexWords({ arrival, headers, fileNames: [], text }) };
      });
      writer.putTexts(indexedTexts(found, search.put(found, upTo), upTo));
      const passed = (performance.now() - began) / 1000;
      if ((n / BATCH) % 200 === 199) console.log(`${n + BATCH} messages after ${passed.toFixed(0)} s`);
      if (passed > seconds) break;
    }
  } finally {
    index.close();
    await writer.close();
  }
  await settle(directory);
}

/** Waits until the store has packed everything, as one has that was filled by clients. */
async function settle(directory: string): Promise<void> {
  const report = (told: Report): void => {
    if (told.type === 'crash') throw told.error;
  };
  const store = await createSqliteStore({ directory, naming: 'full', ...LIMITS, report });
  const database = new DatabaseSync(join(directory, 'inboxd.db'), { readOnly: true, timeout: 5000 });
  const isPlain = database.prepare('SELECT 1 FROM contents LIMIT 1');
  while (isPlain.get()) await delay(1000);
  database.close();
  await store.close();
}
