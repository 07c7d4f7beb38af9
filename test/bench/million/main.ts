import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SmtpClient, submit } from '../../support/smtp-client.ts';
import type { RunningServer } from '../contest.ts';
import { fill } from '../search/fill.ts';
import { startInboxd } from '../servers/inboxd.ts';
import { median } from '../statistics.ts';

export interface MillionOptions {
  readonly messages: number;
  /** Folder of the store, which stays there for the next run. */
  readonly data?: string;
  readonly rounds: number;
}

interface Round {
  readonly perSecond: number;
  /** From the final dot to its reply, in milliseconds. */
  readonly p99: number;
}

const INBOXES = 2000;
const FILL_SECONDS = 3600;
const ROUND_MS = 5000;
const SESSIONS = 20;
const STARTS = 5;
const HEADER = 'From: Load <load@out.example>\r\nTo: Box <box@load.example>\r\nSubject: load\r\n\r\n';
const LINE = `${'x'.repeat(70)}\r\n`;

/**
 * Measures a daemon with an empty store and one with many messages, which removes one for each that comes, in turns.
 * @returns Markdown
 */
export async function measureMillion({ messages, data, rounds }: MillionOptions): Promise<string> {
  const full = data ?? join(tmpdir(), `inboxd-bench-million-${messages}`);
  mkdirSync(full, { recursive: true });
  await fill(full, messages, INBOXES, FILL_SECONDS);
  const empty = mkdtempSync(join(tmpdir(), 'inboxd-bench-empty-'));
  const { bytes, messages: stored } = totalsOf(full);
  const bound = String(bytes);
  const message = messageOf(bytes / stored); // larger ones would each take the place of several
  try {
    const starts = { empty: await startsOf(empty, '0'), full: await startsOf(full, bound) };
    const servers = [await start(empty, '0'), await start(full, bound)] as const;
    try {
      const done: [Round, Round][] = [];
      for (let n = 0; n <= rounds; n++) {
        const [empty, full] = servers;
        const round: [Round, Round] = [await alone(empty, full, message), await alone(full, empty, message)];
        if (n > 0) done.push(round); // the first warms up
      }
      return tableOf({ messages, bytes: message.length }, starts, done, servers.map(memoryOf));
    } finally {
      for (const server of servers) await server.stop();
    }
  } finally {
    rmSync(empty, { recursive: true });
  }
}

function start(data: string, keepBytes: string): Promise<RunningServer> {
  return startInboxd(['--log-level', 'warn', '--keep-per-inbox', '0', '--keep-bytes', keepBytes], data);
}

async function startsOf(data: string, keepBytes: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < STARTS; n++) {
    const began = performance.now();
    const server = await start(data, keepBytes);
    times.push(performance.now() - began);
    await server.stop();
  }
  return median(times);
}

/** Loads a server while the other one is held: what that has to do in the background would take from this one. */
async function alone(server: RunningServer, other: RunningServer, content: Buffer): Promise<Round> {
  process.kill(other.pid, 'SIGSTOP');
  try {
    return await load(server.port, content);
  } finally {
    process.kill(other.pid, 'SIGCONT');
  }
}

/** Sends as fast as the sessions can for a while. */
async function load(port: number, content: Buffer): Promise<Round> {
  const times: number[] = [];
  const end = performance.now() + ROUND_MS;
  const session = async (number: number): Promise<void> => {
    const client = await SmtpClient.open(port);
    for (let n = number; performance.now() < end; n++) {
      const began = performance.now();
      await submit(client, {
        from: 'load@out.example',
        to: [`user${(n * 97) % INBOXES}@example.com`],
        content,
      });
      times.push(performance.now() - began);
    }
    await client.quit();
  };
  await Promise.all(Array.from({ length: SESSIONS }, (_, number) => session(number)));
  times.sort((a, b) => a - b);
  return { perSecond: times.length / (ROUND_MS / 1000), p99: times[Math.floor(times.length * 0.99)] ?? Number.NaN };
}

/** A message of about so many octets. */
function messageOf(bytes: number): Buffer {
  return Buffer.from(HEADER + LINE.repeat(Math.round((bytes - HEADER.length) / LINE.length)));
}

function totalsOf(directory: string): { readonly bytes: number; readonly messages: number } {
  const database = new DatabaseSync(join(directory, 'inboxd.db'), { readOnly: true });
  try {
    const totals = database.prepare('SELECT bytes, messages FROM totals').get();
    return { bytes: Number(totals?.bytes), messages: Number(totals?.messages) };
  } finally {
    database.close();
  }
}

/** MiB of memory: resident, and of that what is no file. */
function memoryOf({ pid }: RunningServer): { readonly resident: number; readonly own: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
  return { resident: mib('VmRSS'), own: mib('RssAnon'), peak: mib('VmHWM') };
}

function tableOf(
  { messages, bytes }: { readonly messages: number; readonly bytes: number },
  starts: { readonly empty: number; readonly full: number },
  rounds: readonly (readonly [Round, Round])[],
  memory: readonly ReturnType<typeof memoryOf>[],
): string {
  const of = (place: 0 | 1, what: keyof Round): number => median(rounds.map((round) => round[place][what]));
  const ratio = (what: keyof Round): string =>
    `${median(rounds.map(([empty, full]) => full[what] / empty[what])).toFixed(2)}x`;
  const row = (name: string, empty: number, full: number, against: string): string =>
    `| ${name} | ${empty.toFixed(0)} | ${full.toFixed(0)} | ${against} |`;
  const times = (one: number, other: number): string => `${(other / one).toFixed(2)}x`;
  const [small, large] = [memory[0]!, memory[1]!];
  return [
    `A store of ${messages.toLocaleString('en')} messages that removes the oldest for each that comes, against an empty one that keeps`,
    `everything: ${SESSIONS} sessions that send as fast as they can, ${bytes} octets each as those are on average that are stored,`,
    `${rounds.length} rounds in turns, medians.`,
    '',
    '| | empty | full | full against empty |',
    '|---|---:|---:|---:|',
    row('from start to listening, ms', starts.empty, starts.full, times(starts.empty, starts.full)),
    row('messages/s', of(0, 'perSecond'), of(1, 'perSecond'), ratio('perSecond')),
    row('p99 of a message, ms', of(0, 'p99'), of(1, 'p99'), ratio('p99')),
    row('resident memory, MiB', small.resident, large.resident, times(small.resident, large.resident)),
    row('of that no files, MiB', small.own, large.own, times(small.own, large.own)),
    row('most resident memory, MiB', small.peak, large.peak, times(small.peak, large.peak)),
  ].join('\n');
}
