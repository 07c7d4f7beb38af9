/**
 * kill -9 of the daemon while mail comes and webhooks are told of it, again and again on one data folder.
 *
 * Every message that got 250 has to be told in the end; those of an inbox in their order. The last one told before a
 * kill may come once more, under the same id, but never one behind a later.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { createRandom } from '../support/random.ts';
import { run } from '../support/run.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { Receiver } from '../webhooks/receiver.ts';

const ROUNDS = 12;
const CLIENTS = 4;
const LONGEST_LOAD_MS = 400;

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const chance = createRandom(seed);

describe(`webhooks of a daemon killed ${ROUNDS} times under load (SEED=${seed})`, () => {
  const data = mkdtempSync(join(tmpdir(), 'inboxd-webhooks-killed-'));
  afterAll(() => rmSync(data, { recursive: true, force: true }));

  /** Number of each acknowledged message by the id that the 250 named. */
  const acknowledged = new Map<string, number>();
  const told: { readonly id: string; readonly inbox: string; readonly number: number; readonly message: string }[] = [];
  let sent = 0;

  async function sendUntilTheEnd(port: number, name: string): Promise<void> {
    try {
      const client = await SmtpClient.open(port);
      for (;;) {
        const number = sent++;
        const content = Buffer.from(`Subject: ${number}\r\n\r\nhello\r\n`);
        const [id] = await deliver(client, { from: 'ada@out.example', to: [`${name}@in.example`], content });
        acknowledged.set(id!, number);
      }
    } catch (error) {
      if ((error as Error).name === 'SmtpRefusal') throw error; // else it was killed in the middle
    }
  }

  it('are told of every message that got 250, in the order of each inbox', { timeout: 300_000 }, async () => {
    await using receiver = await Receiver.open();
    receiver.answer = async ({ body }) => {
      if (chance() < 0.02) return 503;
      if (chance() < 0.2) await pause(chance() * 20);
      const { id, inboxes, subject } = body.data.message as { id: string; inboxes: string[]; subject: string };
      told.push({ id: body.delivery.id, inbox: inboxes[0]!, number: Number(subject), message: id });
      return 200;
    };
    // a small inbox: what is told of has often given way to others long before
    const args = ['--keep-per-inbox', '3', '--webhook', receiver.url(), '--webhook-allow-private'];
    let daemon: DaemonProcess;
    for (let round = 0; round < ROUNDS; round++) {
      daemon = await startDaemon({ data, args });
      const clients = Array.from({ length: CLIENTS }, (_, n) => sendUntilTheEnd(daemon.smtpPort, `client-${n}`));
      await pause(5 + chance() * LONGEST_LOAD_MS);
      expect(await daemon.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
      await Promise.all(clients);
      // whoever looks into the folder first, without a word about webhooks, takes what the intake log holds
      if (round % 4 === 3) {
        const bin = new URL('../../bin/inboxd.ts', import.meta.url).pathname;
        expect((await run(process.execPath, [bin, 'ls', '--data', data])).code).toBe(0);
      }
    }
    daemon = await startDaemon({ data, args });
    const waiting = async (): Promise<number> => {
      const reply = await fetch(`${daemon.httpUrl}/api/webhooks`, { headers: { connection: 'close' } });
      const { webhooks } = (await reply.json()) as { webhooks: { waiting: number; dead: number }[] };
      expect(webhooks.map(({ dead }) => dead)).toEqual([0]);
      return webhooks[0]!.waiting;
    };
    while ((await waiting()) > 0) await pause(50);
    expect(daemon.log.filter(({ level }) => level === 'error')).toEqual([]);
    await daemon.stop();

    expect(acknowledged.size).toBeGreaterThan(ROUNDS);
    const got = new Map(told.map(({ message, number }) => [message, number]));
    expect([...acknowledged].filter(([id, number]) => got.get(id) !== number)).toEqual([]);
    for (const inbox of new Set(told.map((one) => one.inbox))) {
      const numbers = told.filter((one) => one.inbox === inbox).map(({ number }) => number);
      const once = numbers.filter((number, place) => number !== numbers[place - 1]);
      expect([inbox, once]).toEqual([inbox, once.toSorted((a, b) => a - b)]);
      expect(new Set(once).size).toBe(once.length);
    }
  });
});
