import { setTimeout as pause } from 'node:timers/promises';
import { createRandom, pick } from '../../support/random.ts';
import { SmtpClient, SmtpRefusal, submit } from '../../support/smtp-client.ts';

/*
 * Mail as a day brings it, at a given speed: mostly small, now and then one that goes to a file, over connections that
 * carry some messages and are then replaced, with a mistake here and there.
 */

export interface SenderOptions {
  readonly port: number;
  readonly sessions: number;
  /** In all sessions together; Infinity is as fast as they can. */
  readonly messagesPerSecond: number;
  readonly signal: AbortSignal;
  readonly seed: number;
}

export interface Sent {
  readonly messages: number;
  readonly bytes: number;
  /** Replies that were not the wanted ones; the daemon has no reason for any. */
  readonly refusals: readonly string[];
}

const INBOXES = 2_000;
const MESSAGES_PER_CONNECTION = 50;
const SMALL_BYTES = [700, 2_000, 4_096, 4_096, 12_000];
const LARGE_BYTES = 300_000;
const LARGE_PART = 1 / 200;
const MISTAKES = ['RCPT TO:<nobody>', 'DATA', 'XYZZY', 'MAIL FROM:<@>', 'NOOP', 'RSET', 'VRFY someone'];
const MISTAKE_PART = 1 / 20;

/** Sends until the signal says stop; a message under way is finished. */
export async function send(options: SenderOptions): Promise<Sent> {
  const sent = { messages: 0, bytes: 0, refusals: [] as string[] };
  const started = performance.now();
  /** Sessions draw from one clock: who comes late does not have the others wait. */
  const due = (): number => {
    const at = (sent.messages / options.messagesPerSecond) * 1000;
    return started + at - performance.now();
  };
  const session = async (number: number): Promise<void> => {
    const random = createRandom(options.seed + number);
    while (!options.signal.aborted) {
      const client = await SmtpClient.open(options.port);
      for (let count = 0; count < MESSAGES_PER_CONNECTION && !options.signal.aborted; count++) {
        const wait = due();
        if (wait > 1) await pause(wait);
        if (random() < MISTAKE_PART) await client.command(pick(random, MISTAKES));
        await client.expect(250, 'RSET');
        const content = contentOf(random);
        sent.messages++;
        try {
          const to = [`box${Math.floor(random() * INBOXES)}@soak.example`];
          await submit(client, { from: 'soak@out.example', to, content }, { by: random() < 0.3 ? 'BDAT' : 'DATA' });
          sent.bytes += content.length;
        } catch (error) {
          if (!(error instanceof SmtpRefusal)) throw error;
          sent.messages--;
          sent.refusals.push(error.message);
        }
      }
      if (random() < 0.9) await client.quit();
      else await client.drop();
    }
  };
  await Promise.all(Array.from({ length: options.sessions }, (_, number) => session(number)));
  return sent;
}

const LINE = `${'the quick brown fox jumps over the lazy dog '.repeat(2).slice(0, 76)}\r\n`;

function contentOf(random: () => number): Buffer {
  const bytes = random() < LARGE_PART ? LARGE_BYTES : pick(random, SMALL_BYTES);
  const head = `From: Soak <soak@out.example>\r\nTo: Box <box@soak.example>\r\nSubject: number ${random()}\r\n\r\n`;
  return Buffer.from(head + LINE.repeat(Math.ceil((bytes - head.length) / LINE.length)));
}
