/**
 * kill -9 of the whole daemon at random moments under load, again and again on one data folder.
 *
 * What 250 promised has to be there afterwards: every message, whole, once. What was not acknowledged may be there or
 * not, but never in part. A killed process says nothing about power cuts; for those see the order of fsync and 250.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, type ListedMessage, launchDaemon, startDaemon } from '../support/daemon-process.ts';
import { createRandom } from '../support/random.ts';
import { type Delivery, deliver, SmtpClient } from '../support/smtp-client.ts';

const ROUNDS = 50;
const CLIENTS = 8;
const LONGEST_LOAD_MS = 250;
/** Every so many rounds the daemon is killed once more while it starts. */
const KILL_START_EVERY = 5;
/** Messages larger than this lie in files of their own. */
const FILE_BYTES = 128 * 1024;
const KEEP_ALL = ['--keep-per-inbox', '0', '--keep-bytes', '0'];

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const next = createRandom(seed);
const upTo = (limit: number): number => Math.floor(next() * limit);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Digest of each content by its token; a content carries its token in the header. */
const sent = new Map<string, string>();
/** Token of each acknowledged message by the id that the 250 named. */
const acknowledged = new Map<string, string>();
/** Ids whose bytes were compared after a restart, with their token. */
const compared = new Map<string, string>();

function createContent(): Buffer {
  const token = `${sent.size}-${upTo(1e9)}`;
  const kind = next();
  const bytes = kind < 0.7 ? upTo(6_000) : kind < 0.95 ? 20_000 + upTo(80_000) : FILE_BYTES + upTo(300_000);
  const line = `${token} ${'.'.repeat(upTo(70))}\r\n`;
  const content = Buffer.from(
    `X-Token: ${token}\r\nSubject: ${token}\r\n\r\n${line.repeat(Math.ceil(bytes / line.length))}`,
  );
  sent.set(token, sha256(content));
  return content;
}

const WAYS: readonly Delivery[] = [{ by: 'DATA' }, { by: 'DATA', pipelined: true }, { by: 'BDAT', chunkBytes: 30_000 }];

/** One client that sends until the daemon is gone. */
async function sendUntilTheEnd(port: number, name: string): Promise<void> {
  try {
    const client = await SmtpClient.open(port);
    for (;;) {
      const content = createContent();
      const token = /^X-Token: (\S+)/.exec(content.toString('latin1'))![1]!;
      const mail = { from: 'ada@out.example', to: [`${name}@in.example`, 'all@in.example'], content };
      const [id] = await deliver(client, mail, WAYS[upTo(WAYS.length)]);
      acknowledged.set(id!, token);
    }
  } catch (error) {
    // killed in the middle: connection closed, reset, or refused; a 4xx or 5xx reply would be a failure of the test
    if ((error as Error).name === 'SmtpRefusal') throw error;
  }
}

async function killUnderLoad(daemon: DaemonProcess): Promise<void> {
  const clients = Array.from({ length: CLIENTS }, (_, n) => sendUntilTheEnd(daemon.smtpPort, `client-${n}`));
  await pause(5 + upTo(LONGEST_LOAD_MS));
  expect(await daemon.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  await Promise.all(clients);
}

async function killWhileStarting(data: string): Promise<void> {
  const daemon = launchDaemon({ data, args: KEEP_ALL });
  await pause(upTo(1_000));
  await daemon.kill('SIGKILL');
}

/** Compares what is new in the list since the last time. */
async function expectAllKept(daemon: DaemonProcess, listed: readonly ListedMessage[]): Promise<void> {
  for (const { ID } of listed) {
    if (compared.has(ID)) continue;
    const raw = await daemon.raw(ID);
    const token = /^X-Token: (\S+)\r\n/.exec(raw.subarray(0, 200).toString('latin1'))?.[1] ?? '';
    expect([ID, sha256(raw)]).toEqual([ID, sent.get(token)]);
    compared.set(ID, token);
  }
  const lost = [...acknowledged].filter(([id, token]) => compared.get(id) !== token);
  expect(lost).toEqual([]);
}

/** What may have come since the last look: all acknowledged, and one in flight for each client. */
function newsAtMost(): number {
  return [...acknowledged.keys()].filter((id) => !compared.has(id)).length + CLIENTS;
}

function expectNoComplaint(daemon: DaemonProcess): void {
  expect(daemon.log.filter(({ level }) => level !== 'info')).toEqual([]);
  expect(daemon.stray).toBe('');
}

describe(`a daemon killed ${ROUNDS} times under load (SEED=${seed})`, () => {
  const data = mkdtempSync(join(tmpdir(), 'inboxd-killed-'));
  afterAll(() => rmSync(data, { recursive: true, force: true }));

  it('has every message that got 250, whole, after each restart', { timeout: 600_000 }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const daemon = await startDaemon({ data, args: KEEP_ALL });
      try {
        expectNoComplaint(daemon);
        await expectAllKept(daemon, (await daemon.list(`limit=${newsAtMost()}`)).messages);
        await killUnderLoad(daemon);
      } finally {
        await daemon.kill('SIGKILL');
      }
      if (round % KILL_START_EVERY === 0) await killWhileStarting(data);
    }
    expect(acknowledged.size).toBeGreaterThan(ROUNDS);
  });

  it('has each of them once, and nothing else', { timeout: 60_000 }, async () => {
    const daemon = await startDaemon({ data, args: KEEP_ALL });
    const { messages, total } = await daemon.list();
    await expectAllKept(daemon, messages);
    const ids = messages.map(({ ID }) => ID);
    expect(new Set(ids).size).toBe(ids.length);
    expect(total).toBe(ids.length);
    const tokens = ids.map((id) => compared.get(id));
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });

    const large = messages.filter(({ Size }) => Size > FILE_BYTES).length;
    expect(filesBelow(join(data, 'spool'))).toBe(0);
    expect(filesBelow(join(data, 'contents'))).toBe(large);
  });

  it('needs no repair', () => {
    const database = new DatabaseSync(join(data, 'inboxd.db'), { readOnly: true });
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
    database.close();
  });
});

function filesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}
