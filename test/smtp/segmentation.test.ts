/**
 * TCP cuts a conversation as it likes. Sessions made up from a seed, of good and bad commands and contents, must get
 * the same replies and leave the same octets however they are cut.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lmtp } from '../../src/lmtp/table.ts';
import { createMemorySpool } from '../../src/mail/content.ts';
import { SMTP_LIMITS } from '../../src/smtp/limits.ts';
import { prepare, Session } from '../../src/smtp/session.ts';
import { mailinator, smtp } from '../../src/smtp/table.ts';
import { Connection } from '../../src/wire/connection.ts';
import { FakeSocket } from '../support/fake-socket.ts';
import { createRandom, pick } from '../support/random.ts';

const SESSIONS = 250;
const MACHINES = { smtp, lmtp, mailinator };
type ProtocolName = keyof typeof MACHINES;

const NEWLINES = ['\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\r\n', '\n\r', '\0\r\n', ' \r\n'];
const COMMANDS = [
  ...[
    'EHLO x.test',
    'HELO x.test',
    'LHLO x.test',
    'MAIL FROM:<a@b.test>',
    'MAIL FROM:<> SIZE=10',
    'RCPT TO:<c@d.test>',
  ],
  ...[
    'RCPT TO:<c@d.test>',
    'RCPT TO:<@>',
    'DATA',
    'DATA',
    'RSET',
    'NOOP',
    'VRFY a',
    'HELP',
    'XYZZY',
    '',
    ' ',
    '\0',
    'EXPN',
  ],
  ...['MAIL FROM:<jörg@d.test> SMTPUTF8', 'RCPT TO:<日本@d.test>', 'NOOP \xff', `NOOP ${'x'.repeat(300)}`, 'STARTTLS'],
];
const LINES = ['text', '', '.', '..', '.x', 'QUIT', 'MAIL FROM:<evil@x.test>', 'DATA', '. ', 'BDAT 3', 'x'.repeat(150)];

/** A session's client side: mostly what a client says, now and then what none should. */
function makeSession(random: () => number, protocol: ProtocolName): Buffer {
  const newline = () => (random() < 0.85 ? '\r\n' : pick(random, NEWLINES));
  const hello = protocol === 'lmtp' ? 'LHLO x.test' : 'EHLO x.test';
  let text = random() < 0.9 ? `${hello}\r\n` : '';
  for (let count = random() * 8; count > 0; count--) {
    const kind = random();
    if (kind < 0.4) text += pick(random, COMMANDS) + newline();
    else {
      text += `MAIL FROM:<a@b.test>${newline()}RCPT TO:<c@d.test>${newline()}`;
      if (kind < 0.7) {
        text += 'DATA\r\n';
        for (let lines = random() * 8; lines > 0; lines--) text += pick(random, LINES) + newline();
        if (random() < 0.9) text += '\r\n.\r\n';
      } else {
        for (let chunks = random() * 3; chunks > 0; chunks--) {
          const chunk = pick(random, LINES) + newline();
          text += `BDAT ${random() < 0.95 ? Buffer.byteLength(chunk) : 2} ${random() < 0.4 ? 'LAST' : ''}\r\n${chunk}`;
        }
      }
    }
  }
  return Buffer.from(random() < 0.5 ? `${text}QUIT\r\n` : text, random() < 0.9 ? 'utf8' : 'latin1');
}

/** Cuts into segments of random sizes, down to single octets. */
function cutAtRandom(random: () => number, bytes: Buffer): Buffer[] {
  const segments: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const octets = 1 + Math.floor(random() ** 3 * 60);
    segments.push(bytes.subarray(at, at + octets));
    at += octets;
  }
  return segments;
}

interface Outcome {
  readonly said: string;
  readonly kept: readonly string[];
  readonly crashes: number;
}

async function converse(protocol: ProtocolName, segments: readonly Buffer[], keepNewlines: boolean): Promise<Outcome> {
  const kept: string[] = [];
  let crashes = 0;
  const services = prepare({
    protocol: protocol === 'lmtp' ? 'LMTP' : 'SMTP',
    hostname: 'mx.test',
    limits: { ...SMTP_LIMITS, lineBytes: 200, contentBytes: 400, failureDelayMs: 0, junkCommands: 6, lingerMs: 20 },
    sink: async ({ envelope, content, protocol: how }) => {
      const views: Buffer[] = [];
      for await (const view of content.stream()) views.push(view);
      const to = envelope.to.map(({ path }) => path.text).join();
      kept.push(
        `${envelope.from.path?.text}>${to} ${how} ${content.bareNewlines} ${Buffer.concat(views).toString('latin1')}`,
      );
    },
    spool: createMemorySpool(),
    report: ({ type }) => {
      if (type === 'crash') crashes++;
    },
    bareNewlines: keepNewlines ? 'keep' : 'reject',
    lenientSyntax: false,
    room: () => Number.POSITIVE_INFINITY,
  });
  const socket = new FakeSocket();
  const session = new Session(services, socket.remoteAddress, socket.remotePort);
  const ended = new Promise<void>((resolve) => {
    socket.once('finish', resolve);
    socket.once('close', resolve);
  });
  new Connection(socket.asSocket, MACHINES[protocol] as typeof smtp, session).start();
  for (const [index, segment] of segments.entries()) {
    socket.send(segment);
    if (index % 50 === 0) await turn();
  }
  socket.halfClose();
  await ended;
  socket.destroy();
  const said = Buffer.concat(socket.written).toString('latin1');
  return { said: said.replace(/queued as \w+/g, 'queued'), kept, crashes };
}

describe.each(['smtp', 'lmtp', 'mailinator'] as const)('%s', (protocol) => {
  it.each([false, true])(
    'answers and keeps the same however a session is cut (bare newlines kept: %s)',
    async (keep) => {
      const random = createRandom(protocol.length * 1000 + Number(keep));
      for (let round = 0; round < SESSIONS; round++) {
        const bytes = makeSession(random, protocol);
        const whole = await converse(protocol, [bytes], keep);
        expect(whole.said, JSON.stringify(bytes.toString('latin1'))).toMatch(/^(?:[2-5]\d\d[ -][ -~]{0,506}\r\n)+$/);
        expect(whole.crashes).toBe(0);
        const bytewise = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
        for (const segments of [bytewise, cutAtRandom(random, bytes), cutAtRandom(random, bytes)]) {
          const again = await converse(protocol, segments, keep);
          expect(again, JSON.stringify(bytes.toString('latin1'))).toEqual(whole);
        }
      }
    },
  );
});
