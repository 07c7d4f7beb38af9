import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '../../../src/mail/store.ts';
import { sampleMessage } from '../../store/support.ts';
import { openUnbounded } from '../unbounded-store.ts';
import { createNewsletters, type Newsletter } from './newsletters.ts';

/** What a store takes on disk for mail of one kind. */
export interface DiskFigures {
  readonly title: string;
  readonly messages: number;
  readonly rawBytes: number;
  /** The database after a checkpoint, and files of contents. */
  readonly storedBytes: number;
  /** Octets of the database by what they are for, largest first. */
  readonly parts: readonly (readonly [part: string, bytes: number])[];
  /** Of these, what is free in the database and will be used again. */
  readonly reusableBytes: number;
  /** What every store takes, however much is in it: the intake log and the reserve. */
  readonly fixedBytes: number;
  /** From the last message until everything was indexed and packed, in seconds. */
  readonly seconds: number;
}

const CALLERS = 50;
const RECIPIENTS = 100;

/** A row of the table: some newsletters, or one mail to many as one message, or as a message for each. */
export const DISK_CASES: Readonly<Record<string, (messages: number) => Promise<DiskFigures>>> = {
  newsletters: (messages) => {
    const make = createNewsletters(1);
    return measure(
      'newsletters that differ in name, code and links',
      Array.from({ length: messages }, (_, n) => () => [make(n), [make(n).to]]),
    );
  },
  recipients: (messages) => {
    const make = createNewsletters(1);
    const to = Array.from({ length: RECIPIENTS }, (_, n) => `reader${n}@example.com`);
    return measure(
      `the same mail to ${RECIPIENTS} recipients in one transaction`,
      Array.from({ length: messages / RECIPIENTS }, (_, n) => () => [make(n), to]),
    );
  },
  apart: (messages) => {
    const mail = createNewsletters(1)(0);
    return measure(
      'the same mail to each in a transaction of its own',
      Array.from({ length: messages }, (_, n) => () => [mail, [`reader${n % RECIPIENTS}@example.com`]]),
    );
  },
};

type Making = () => readonly [mail: Newsletter, to: readonly string[]];

/** Stores mail as clients bring it and waits until the background has done its work. */
async function measure(title: string, makings: readonly Making[]): Promise<DiskFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'inboxd-bench-disk-'));
  try {
    const store = await openUnbounded(directory);
    let rawBytes = 0;
    let messages = 0;
    for (let at = 0; at < makings.length; at += CALLERS) {
      await Promise.all(
        makings.slice(at, at + CALLERS).map((making) => {
          const [{ raw, from }, to] = making();
          rawBytes += raw.length * to.length; // as each recipient has it
          messages += to.length;
          return store.accept({ ...sampleMessage({ raw, from, to }), transcript: transcriptOf(from, to, raw.length) });
        }),
      );
    }
    const began = performance.now();
    await settled(store, directory);
    const seconds = (performance.now() - began) / 1000;
    await store.close();
    return { title, messages, rawBytes, ...sizesOf(directory), seconds };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Waits until all is indexed and packed, and free pages are given back. */
async function settled(store: Store, directory: string): Promise<void> {
  for (let free = Number.NaN; ; ) {
    await delay(500);
    const { unindexed, reusableBytes } = await store.stats();
    const isSettled = unindexed === 0 && countOf(directory, 'contents') === 0 && reusableBytes === free;
    if (isSettled) return;
    free = reusableBytes;
  }
}

function countOf(directory: string, table: string): number {
  return look(join(directory, 'inboxd.db'), (database) =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n),
  );
}

function look<T>(path: string, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** That of the messages, and the index of their words. */
const DATABASES = ['inboxd.db', 'search.db'];

/** The tables and indexes, as people know them. */
const PARTS: Readonly<Record<string, string>> = {
  packed: 'contents, facts and texts',
  packed_by_base: 'contents, facts and texts',
  block_pieces: 'contents, facts and texts',
  blocks_by_base: 'contents, facts and texts',
  bases: 'contents, facts and texts',
  base_copies: 'contents, facts and texts',
  contents: 'contents, facts and texts',
  search_texts: 'contents, facts and texts',
  search_data: 'index of words',
  search_idx: 'index of words',
  search_docsize: 'index of words',
  messages: 'what lists show',
  texts: 'what lists show',
  blocks: 'what lists show',
  events: 'events',
  packed_events: 'events',
};

function sizesOf(directory: string): Pick<DiskFigures, 'storedBytes' | 'parts' | 'reusableBytes' | 'fixedBytes'> {
  const size = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const contents = join(directory, 'contents');
  const files = readdirSync(contents).reduce((bytes, name) => bytes + size(join(contents, name)), 0);
  const sums = new Map<string, number>();
  let reusableBytes = 0;
  for (const name of DATABASES) {
    reusableBytes += look(join(directory, name), (database) => {
      const rows = database.prepare('SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name').all();
      for (const { name, bytes } of rows) {
        const part = PARTS[String(name)] ?? 'inboxes, indexes and the rest';
        sums.set(part, (sums.get(part) ?? 0) + Number(bytes));
      }
      const { size: page, free } = database
        .prepare('SELECT page_size AS size, freelist_count AS free FROM pragma_page_size(), pragma_freelist_count()')
        .get() as { size: number; free: number };
      return page * free;
    });
  }
  const logs = DATABASES.map((name) => `${name}-wal`);
  return {
    storedBytes: [...DATABASES, ...logs].reduce((bytes, name) => bytes + size(join(directory, name)), files),
    parts: [...sums].sort(([, a], [, b]) => b - a),
    reusableBytes,
    fixedBytes: ['intake-0', 'intake-1', 'reserve'].reduce((bytes, name) => bytes + size(join(directory, name)), 0),
  };
}

/** What a session of one message leaves: it is kept too. */
function transcriptOf(from: string, to: readonly string[], bytes: number): string[] {
  const extensions = ['PIPELINING', 'SIZE 26214400', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'DSN'];
  return [
    'S: 220 mx.example.com ESMTP inboxd',
    'C: EHLO mail.letters.example',
    'S: 250-mx.example.com',
    ...extensions.map((extension) => `S: 250-${extension}`),
    'S: 250 CHUNKING',
    `C: MAIL FROM:<${from}> SIZE=${bytes}`,
    'S: 250 2.1.0 Sender OK',
    ...to.flatMap((address) => [`C: RCPT TO:<${address}>`, 'S: 250 2.1.5 Recipient OK']),
    'C: DATA',
    'S: 354 End data with <CR><LF>.<CR><LF>',
  ];
}

/** The figures as Markdown. */
export function diskTable(all: readonly DiskFigures[]): string {
  const number = (value: number): string => Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  const rows = all.map(({ title, messages, rawBytes, storedBytes, reusableBytes, seconds }) =>
    [
      title,
      number(messages),
      number(rawBytes / messages),
      number(storedBytes / messages),
      number(reusableBytes / messages),
      `${((1 - storedBytes / rawBytes) * 100).toFixed(1)} %`,
      seconds.toFixed(0),
    ].join(' | '),
  );
  const parts = all.flatMap(({ title, messages, parts }) =>
    parts.map(([part, bytes]) => `| ${title} | ${part} | ${number(bytes / messages)} |`),
  );
  return [
    `Besides, every store takes ${number((all[0]?.fixedBytes ?? 0) / 2 ** 20)} MiB for the intake log and the reserve.`,
    '',
    '| mail | copies | octets each, raw | on disk | of these free | smaller by | s to settle |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...rows.map((row) => `| ${row} |`),
    '',
    '| mail | what takes it | octets each |',
    '|---|---|---:|',
    ...parts,
  ].join('\n');
}
