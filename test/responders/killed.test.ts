/**
 * kill -9 of a daemon that answers mail, at moments that chance picks: every mail that was acknowledged is answered in
 * the end, and none twice.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { startDaemon } from '../support/daemon-process.ts';
import { createRandom } from '../support/random.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

/** Fewer than a mail may be begun with (RESPONDER_LIMITS.attempts). */
const ROUNDS = 4;
const MAILS = 12;
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const next = createRandom(seed);
const data = mkdtempSync(join(tmpdir(), 'inboxd-responders-killed-'));
afterAll(() => rmSync(data, { recursive: true, force: true }));

/** Senders whose mail was acknowledged. */
const acknowledged = new Set<string>();
const ARGS = ['--responder', 'echo=builtin:echo'];

async function sendSome(port: number, round: number): Promise<void> {
  try {
    const client = await SmtpClient.open(port);
    for (let mail = 0; mail < MAILS; mail++) {
      const from = `r${round}m${mail}@there.example`;
      await deliver(client, { from, to: ['echo@here.example'], content: Buffer.from('Subject: hi\r\n\r\nhello\r\n') });
      acknowledged.add(from);
    }
    client.socket.destroy();
  } catch (error) {
    if ((error as Error).name === 'SmtpRefusal') throw error; // else it was killed in the middle
  }
}

/** Whom the answers in the outbox are for. */
function answered(): string[] {
  const outbox = join(data, 'outbox');
  const names = readdirSync(outbox).filter((name) => name.endsWith('.eml'));
  return names.map((name) => /^X-Envelope-To: <(.*)>\r$/m.exec(readFileSync(join(outbox, name), 'utf8'))![1]!);
}

describe(`a daemon that is killed while it answers (SEED=${seed})`, () => {
  it('answers all that it has acknowledged, and nothing twice', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const daemon = await startDaemon({ data, args: ARGS });
      const sending = sendSome(daemon.smtpPort, round);
      await pause(next() * 1500);
      await daemon.kill('SIGKILL');
      await sending;
    }
    expect(acknowledged.size).toBeGreaterThan(0);
    await using daemon = await startDaemon({ data, args: ARGS });
    const isDone = (): boolean => new Set(answered().filter((to) => acknowledged.has(to))).size === acknowledged.size;
    await until(() => isDone() || daemon.log.some(({ level, outcome }) => level === 'error' || outcome === 'gave-up'));
    expect(isDone(), daemon.output()).toBe(true);
    const all = answered();
    expect(all.length).toBe(new Set(all).size);
  }, 180_000);
});
