import { setImmediate as turn } from 'node:timers/promises';
import { lmtp } from '../../../src/lmtp/table.ts';
import { createMemorySpool } from '../../../src/mail/content.ts';
import type { Sink } from '../../../src/mail/sink.ts';
import { SMTP_LIMITS } from '../../../src/smtp/limits.ts';
import { prepare, Session } from '../../../src/smtp/session.ts';
import { mailinator, smtp } from '../../../src/smtp/table.ts';
import { Connection } from '../../../src/wire/connection.ts';
import { FakeSocket } from '../../support/fake-socket.ts';
import { pick, randomText } from '../../support/random.ts';
import { noise, small, text, token } from '../generate.ts';
import { Finding, type Target } from '../target.ts';

/*
 * Sessions with the real machine. A session of grammar goes step by step and has an oracle: every command one reply, in
 * LMTP a reply for each recipient behind the content, and what is kept is what was sent. A session of noise is thrown at
 * it as a whole: replies must be replies, and it must end.
 */

const MACHINES = { smtp, lmtp, mailinator };
type Protocol = keyof typeof MACHINES;

const PATIENCE_MS = 10_000;
const LIMITS = {
  ...SMTP_LIMITS,
  lineBytes: 200,
  contentBytes: 600,
  failureDelayMs: 0,
  loginFailureDelayMs: 0,
  junkCommands: 30,
  failuresBeforeCut: 60,
  recipients: 5,
  lingerMs: 20,
};

interface Kept {
  readonly to: number;
  readonly bytes: string;
}

/** Sinks of every temper. */
function sinkOf(random: () => number, kept: Kept[]): Sink {
  const keep: Sink = (message) => {
    const { at } = message.content;
    const bytes = at.kind === 'memory' ? Buffer.concat(at.views).toString('latin1') : '';
    kept.push({ to: message.envelope.to.length, bytes });
  };
  const kind = random();
  if (kind < 0.6) return keep;
  if (kind < 0.75) return async (message, signal) => void (await keep(message, signal));
  if (kind < 0.85) return () => ({ code: 550, enhanced: '5.7.1', text: 'No' });
  if (kind < 0.9) return async () => Promise.reject(new Error('broken'));
  if (kind < 0.95)
    return ({ envelope }) =>
      envelope.to.map((_, n) =>
        n % 2 === 0 ? { code: 250, enhanced: '2.0.0', text: 'OK' } : { code: 452, enhanced: '4.2.2', text: 'Full' },
      );
  return () => ({ code: 250, enhanced: '5.0.0', text: 'a\r\n250 b' });
}

/** A session and its client, without a network. */
class Talk {
  readonly kept: Kept[] = [];
  readonly crashes: unknown[] = [];
  readonly connection: Connection<never, Session>;
  readonly socket = new FakeSocket();
  readonly #protocol: Protocol;
  #ended = false;
  #views = 0;
  #heard = '';
  said = '';

  constructor(protocol: Protocol, random: () => number) {
    this.#protocol = protocol;
    const services = prepare({
      protocol: protocol === 'lmtp' ? 'LMTP' : 'SMTP',
      hostname: 'mx.test',
      limits: LIMITS,
      sink: sinkOf(random, this.kept),
      spool: createMemorySpool(),
      report: (report) => {
        // a sink that throws, or gives what is no verdict, is reported as one
        if (report.type === 'crash' && report.where !== 'sink') this.crashes.push(report.error);
      },
      bareNewlines: random() < 0.5 ? 'keep' : 'reject',
      lenientSyntax: random() < 0.3,
      room: () => Number.POSITIVE_INFINITY,
      logins: { authenticator: { judge: () => ({ ok: true, user: 'u' }) }, required: false, plaintext: true },
    });
    const session = new Session(services, '192.0.2.1', 5);
    this.socket.once('finish', () => (this.#ended = true));
    this.socket.once('close', () => (this.#ended = true));
    this.connection = new Connection(this.socket.asSocket, MACHINES[protocol] as never, session) as never;
    this.connection.start();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whole reply lines that have come and nobody has taken. */
  #lines(): string[] {
    for (; this.#views < this.socket.written.length; this.#views++)
      this.#heard += this.socket.written[this.#views]!.toString('latin1');
    return this.#heard.split('\r\n').slice(0, -1);
  }

  #fail(what: string): never {
    throw new Finding(
      `${this.#protocol} in ${this.connection.state}: ${what}; heard ${JSON.stringify(this.#heard)}`,
      this.said,
    );
  }

  send(bytes: Buffer, random: () => number): void {
    this.said += bytes.toString('latin1');
    for (let at = 0; at < bytes.length && !this.#ended; ) {
      const length = random() < 0.5 ? bytes.length : 1 + small(random, 60);
      this.socket.send(bytes.subarray(at, at + length));
      at += length;
    }
  }

  /** Waits for so many replies; fewer only when the daemon hangs up, never more. @returns their codes */
  async replies(count: number): Promise<number[]> {
    const give = performance.now() + PATIENCE_MS;
    const ready = (): number => this.#lines().filter((line) => line[3] === ' ').length;
    while (ready() < count && !this.#ended) {
      if (performance.now() > give) this.#fail(`${count} replies were due`);
      await turn();
    }
    await turn();
    const lines = this.#lines();
    this.check(lines);
    const codes = lines.filter((line) => line[3] === ' ').map((line) => Number(line.slice(0, 3)));
    if (codes.length > count) this.#fail(`${codes.length} replies where ${count} were due`);
    if (codes.length < count && !this.#ended) this.#fail(`${codes.length} replies where ${count} were due`);
    this.#heard = this.#heard.slice(this.#heard.lastIndexOf('\r\n') + 2);
    return codes;
  }

  check(lines: readonly string[] = this.#lines()): void {
    for (const line of lines)
      if (!/^[2-5][0-5]\d[ -][ -~]{0,506}$/.test(line)) this.#fail(`not a reply: ${JSON.stringify(line)}`);
    if (this.crashes.length > 0) this.#fail(`crashed: ${(this.crashes[0] as Error).stack}`);
    if (!(this.connection.state in MACHINES[this.#protocol].table.states)) this.#fail('a state that there is not');
  }

  async end(): Promise<void> {
    this.socket.halfClose();
    const give = performance.now() + PATIENCE_MS;
    while (!this.#ended) {
      if (performance.now() > give) this.#fail('the session does not end');
      await turn();
    }
    this.check();
    this.socket.destroy();
    await turn();
  }
}

const COMMANDS = [
  ...[
    'EHLO x.test',
    'HELO x.test',
    'LHLO x.test',
    'RSET',
    'NOOP',
    'VRFY a',
    'HELP',
    'HELP MAIL',
    'EXPN x',
    'STARTTLS',
    'ETRN x',
    'XCLIENT ADDR=1.2.3.4',
  ],
  ...[
    'MAIL FROM:<a@b.test>',
    'MAIL FROM:<>',
    'MAIL FROM:<a@b.test> SIZE=700',
    'MAIL FROM:<ä@b.test> SMTPUTF8',
    'MAIL FROM:<a@b.test> BODY=BINARYMIME',
  ],
  ...[
    'RCPT TO:<c@d.test>',
    'RCPT TO:<c@d.test>',
    'RCPT TO:<"x y"@d.test>',
    'RCPT TO:<@>',
    'RCPT TO:<日本@d.test>',
    'DATA',
    'DATA',
    'DATA x',
  ],
  ...[
    'AUTH PLAIN AGEAYg==',
    'AUTH PLAIN',
    'AUTH LOGIN',
    'AUTH XOAUTH2',
    'AUTH CRAM-MD5',
    'AUTH',
    'BDAT x',
    'BDAT',
    'QUIT now',
    'PROXY TCP4',
    'GET / HTTP/1.1',
    'Subject: x',
  ],
];
const ENVELOPE = ['MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'RCPT TO:<e@f.test>'];
const LINES = ['text', '', '..', '..x', ' .', 'QUIT', 'MAIL FROM:<evil@x.test>', 'x'.repeat(150), '.. '];

/** A line without an end in it. */
function lineOf(random: () => number): string {
  const kind = random();
  if (kind < 0.6) return pick(random, COMMANDS);
  if (kind < 0.75)
    return `${pick(random, ['MAIL FROM:', 'RCPT TO:', 'EHLO ', 'NOOP ', 'AUTH ', ''])}${randomText(random, 6)}`.replace(
      /[\r\n]/g,
      '',
    );
  if (kind < 0.85)
    return text(random, 3)
      .replace(/[\r\n]/g, '')
      .slice(0, 1_500);
  const command = pick(random, COMMANDS);
  const at = Math.floor(random() * command.length);
  return `${command.slice(0, at)}${token(random).replace(/[\r\n]/g, '')}${command.slice(at)}`;
}

async function grammar(random: () => number, protocol: Protocol): Promise<void> {
  const talk = new Talk(protocol, random);
  await talk.replies(1);
  const hello = protocol === 'lmtp' ? 'LHLO x.test' : 'EHLO x.test';
  /** Accepted recipients of the open transaction. */
  let open = 0;
  const say = async (line: string): Promise<number> => {
    talk.send(Buffer.from(`${line}\r\n`), random);
    const [code = 421] = await talk.replies(1);
    const verb = line.slice(0, 4).toUpperCase();
    if (code === 250 && verb === 'RCPT') open++;
    if (code === 250 && (verb === 'MAIL' || verb === 'RSET' || verb === 'EHLO' || verb === 'HELO' || verb === 'LHLO'))
      open = 0;
    return code;
  };
  const dueBehindContent = (): number => (protocol === 'lmtp' ? open : 1);
  if (random() < 0.9) await say(hello);
  for (let steps = 1 + random() * 10; steps > 0 && !talk.ended; steps--) {
    const kind = random();
    if (kind < 0.55) {
      const code = await say(lineOf(random));
      if (code === 354) await content();
      else if (code === 334)
        await say(pick(random, ['*', 'AGEAYg==', '====', randomText(random, 4).replace(/[\r\n]/g, '')]));
    } else {
      for (const line of ENVELOPE.slice(0, 1 + random() * 3)) if (!talk.ended) await say(line);
      if (talk.ended) break;
      if (kind < 0.8) {
        if ((await say('DATA')) === 354) await content();
      } else await chunk();
    }
  }
  await talk.end();

  async function content(): Promise<void> {
    const isLarge = random() < 0.1;
    const lines = Array.from({ length: isLarge ? 8 : Math.floor(random() * 6) }, () => pick(random, LINES));
    const sent = Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
    const due = dueBehindContent();
    const before = talk.kept.length;
    talk.send(Buffer.concat([sent, Buffer.from('.\r\n')]), random);
    await talk.replies(due);
    const expected = lines.map((line) => `${line.replace(/^\./, '')}\r\n`).join('');
    expectKept(before, open, expected);
    open = 0;
  }

  async function chunk(): Promise<void> {
    const payload = random() < 0.5 ? noise(random, 700) : Buffer.from(pick(random, LINES));
    const isLast = random() < 0.6;
    const due = isLast && open > 0 ? dueBehindContent() : 1;
    const wasOpen = open;
    const before = talk.kept.length;
    const isWhole = talk.connection.state !== ('bdat' as never);
    talk.send(Buffer.concat([Buffer.from(`BDAT ${payload.length}${isLast ? ' LAST' : ''}\r\n`), payload]), random);
    const codes = await talk.replies(due);
    if (isLast || codes[0] !== 250) open = 0;
    if (isLast && isWhole) expectKept(before, wasOpen, payload.toString('latin1'));
  }

  function expectKept(before: number, recipients: number, bytes: string): void {
    if (talk.kept.length > before + 1) throw new Finding(`${talk.kept.length - before} messages of one`, talk.said);
    const message = talk.kept[before];
    if (!message) return; // refused, by size or by the sink
    if (message.to !== recipients) throw new Finding(`kept for ${message.to} recipients of ${recipients}`, talk.said);
    if (message.bytes !== bytes)
      throw new Finding(`kept ${JSON.stringify(message.bytes)} of ${JSON.stringify(bytes)}`, talk.said);
  }
}

async function storm(random: () => number, protocol: Protocol): Promise<void> {
  const talk = new Talk(protocol, random);
  let bytes = Buffer.alloc(0);
  for (let count = 1 + random() * 12; count > 0; count--) {
    const kind = random();
    const newline = pick(random, ['\r\n', '\r\n', '\r\n', '\n', '\r', '\0\r\n', '\r\r\n']);
    const more =
      kind < 0.4 ? Buffer.from(lineOf(random) + newline)
      : kind < 0.6 ? Buffer.from(`MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n${pick(random, LINES)}${newline}.${newline}`)
      : kind < 0.75 ? Buffer.from(`BDAT ${Math.floor(random() ** 4 * 2_000)}${random() < 0.5 ? ' LAST' : ''}\r\n`)
      : kind < 0.9 ? noise(random, 300)
      : Buffer.from(text(random, 4)); // biome-ignore format: cases
    bytes = Buffer.concat([bytes, more]);
  }
  if (protocol === 'lmtp') bytes = Buffer.concat([Buffer.from('LHLO x\r\n'), bytes]);
  talk.send(bytes, random);
  await talk.end();
}

function sessionsOf(protocol: Protocol, share: number): Target[] {
  return [
    { name: `${protocol}-grammar`, share, deadlineMs: 2_000, run: (random) => grammar(random, protocol) },
    { name: `${protocol}-storm`, share: share / 2, deadlineMs: 2_000, run: (random) => storm(random, protocol) },
  ];
}

export const sessions: readonly Target[] = [
  ...sessionsOf('smtp', 2.5),
  ...sessionsOf('lmtp', 1.5),
  ...sessionsOf('mailinator', 0.5),
];
