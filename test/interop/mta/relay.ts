/**
 * Real relays between a strict client and the daemon: client -> MTA -> inboxd, then byte for byte what arrived.
 *
 * What a relay may do to a message is written down once, here: it puts exactly one `Received:` field in front
 * (RFC 5321 §4.4). That field, with its folded lines, is taken off; all the rest must be what the client sent.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { SmtpClient, submit } from '../../support/smtp-client.ts';
import type { MixedMail } from './mixed-set.ts';

const PATIENCE_MS = 60_000;

export interface Mta {
  readonly port: number;
  /** What it logged, for when a test fails. */
  log(): string;
  stop(): Promise<void>;
}

export interface Journey {
  readonly mails: readonly MixedMail[];
  start(to: { readonly smtpPort: number }): Promise<Mta>;
}

interface Arrived {
  readonly ID: string;
  readonly MessageID: string;
  readonly Bcc: readonly { readonly Address: string }[];
}

/**
 * One suite: every mail goes through the relay, then each gets a test of its own.
 * @returns a way to the daemon and the relay for further tests in the same suite
 */
export function relaysUnchanged(journey: Journey): { daemon(): DaemonProcess; mta(): Mta } {
  let daemon: DaemonProcess | undefined;
  let mta: Mta | undefined;
  let arrived: readonly Arrived[] = [];

  beforeAll(async () => {
    daemon = await startDaemon();
    mta = await journey.start({ smtpPort: daemon.smtpPort });
    const client = await openWhenUp(mta);
    for (const mail of journey.mails) await submit(client, mail, { by: mail.by ?? 'DATA' });
    await client.quit();
    arrived = await waitForAll(daemon, journey.mails);
  }, 2 * PATIENCE_MS);

  afterAll(async () => {
    await mta?.stop();
    await daemon?.stop();
  });

  describe.each(journey.mails)('$name', (mail) => {
    const copies = () => arrived.filter((message) => message.MessageID === messageId(mail));

    it('arrives byte for byte behind one Received field', async () => {
      expect(copies().length, refusals(mta!)).toBeGreaterThan(0);
      for (const { ID } of copies()) {
        const stored = takeOffReceived(await daemon!.raw(ID));
        expect(stored.toString('latin1')).toBe((mail.handedOn ?? mail.content).toString('latin1'));
      }
    });

    it('arrives once for each recipient', () => {
      const recipients = copies().flatMap((message) => message.Bcc.map(({ Address }) => Address));
      expect(recipients.sort()).toEqual([...mail.to].sort());
    });

    it('arrives with its envelope sender', () => {
      const ids = new Set(copies().map(({ ID }) => ID));
      const senders = daemon!.log
        .filter(({ msg, id }) => msg === 'message' && ids.has(String(id)))
        .map(({ from }) => from);
      expect(new Set(senders)).toEqual(new Set([mail.from === '' ? '<>' : mail.from]));
    });
  });

  return { daemon: () => daemon!, mta: () => mta! };
}

const messageId = (mail: MixedMail): string => `${mail.name}@mixed.example`;

/** The message without its first header field, which has to be a Received field. */
export function takeOffReceived(raw: Buffer): Buffer {
  const field = /^Received:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*/.exec(raw.toString('latin1'));
  if (!field) throw new Error(`does not begin with a Received field: ${raw.subarray(0, 200).toString('latin1')}`);
  return raw.subarray(field[0].length);
}

async function openWhenUp(mta: Mta): Promise<SmtpClient> {
  const give = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await SmtpClient.open(mta.port);
    } catch (error) {
      if (Date.now() > give) throw new Error(`relay does not answer: ${error}\n${mta.log()}`);
      await pause(100);
    }
  }
}

/** What arrived, as soon as that is everything, and in any case when patience ends. */
async function waitForAll(daemon: DaemonProcess, mails: readonly MixedMail[]): Promise<readonly Arrived[]> {
  const give = Date.now() + PATIENCE_MS;
  for (;;) {
    const list = ((await daemon.list()).messages as unknown as readonly Arrived[]) ?? [];
    const missing = mails.filter((mail) => {
      const copies = list.filter((message) => message.MessageID === messageId(mail));
      return copies.reduce((sum, message) => sum + message.Bcc.length, 0) < mail.to.length;
    });
    if (missing.length === 0 || Date.now() > give) return list;
    await pause(200);
  }
}

/** What a relay logs about a message that was not taken. */
const refusals = (mta: Mta): string =>
  linesWith(mta, /deferred|bounced| == | \*\* |TempFail|PermFail|warning|fatal/).join('\n');

/** The lines of its log that match. */
export function linesWith(mta: Mta, pattern: RegExp): string[] {
  return mta
    .log()
    .split('\n')
    .filter((line) => pattern.test(line));
}

/** A folder that the relay's own users may enter. */
export function openFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `inboxd-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}

/** A TCP port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

export interface MtaProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly port: number;
  /** Removed at the end. */
  readonly folder: string;
  /** Log files beside what it prints. */
  readonly logFiles?: readonly string[];
  /** Asks it to end; SIGTERM if absent. */
  end?(): Promise<unknown>;
}

/** Runs a relay in the foreground. */
export function startMta(mta: MtaProgram): Mta {
  let printed = '';
  const child: ChildProcess = spawn(mta.program, mta.args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  child.stdout!.on('data', (chunk: Buffer) => (printed += chunk));
  child.stderr!.on('data', (chunk: Buffer) => (printed += chunk));
  return {
    port: mta.port,
    log: () => [printed, ...(mta.logFiles ?? []).map(readIfThere)].join('\n'),
    async stop() {
      if (mta.end) await mta.end();
      else child.kill('SIGTERM');
      await ended;
      rmSync(mta.folder, { recursive: true, force: true });
    },
  };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return `(no ${path})`;
  }
}
