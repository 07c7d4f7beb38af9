import { createServer } from 'node:net';
import { afterEach } from 'vitest';
import { MILTERS } from '../../src/config/milter-address.ts';
import type { Message, Report } from '../../src/index.ts';
import { lmtp } from '../../src/lmtp/table.ts';
import { createMemorySpool, type Spool } from '../../src/mail/content.ts';
import type { Filter } from '../../src/mail/filter.ts';
import { prepareMilters } from '../../src/milter/filter.ts';
import type { MilterSettings } from '../../src/milter/limits.ts';
import { SMTP_LIMITS } from '../../src/smtp/limits.ts';
import { prepare, Session, type SmtpServices } from '../../src/smtp/session.ts';
import { smtp } from '../../src/smtp/table.ts';
import { Connection } from '../../src/wire/connection.ts';
import { SmtpClient } from '../support/smtp-client.ts';

const undo: (() => Promise<unknown>)[] = [];

/** Stops what a test has started, the last first. */
export function stopAfterEach(): void {
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });
}

export function later(step: () => Promise<unknown>): void {
  undo.push(step);
}

/** A message as the sink got it, with what it came as. */
export interface Taken {
  readonly message: Message;
  readonly content: string;
  /** The octets that came, where a milter changed them. */
  readonly original: string | undefined;
}

export interface Bench {
  readonly port: number;
  readonly reports: Report[];
  readonly taken: Taken[];
  /** Reports of one type. */
  reportsOf<T extends Report['type']>(type: T): Extract<Report, { type: T }>[];
}

async function textOf({ content }: Message): Promise<string> {
  const views: Buffer[] = [];
  for await (const view of content.stream()) views.push(view);
  return Buffer.concat(views).toString('latin1');
}

export interface BenchOptions {
  readonly services?: Partial<SmtpServices>;
  readonly spool?: Spool;
  /** Filters in front of the milters and behind them. */
  readonly before?: readonly Filter[];
  readonly behind?: readonly Filter[];
  readonly rules?: Filter;
  readonly contentBytes?: number;
}

export function settingsOf(milters: readonly string[]): readonly MilterSettings[] {
  const read = MILTERS.read(milters, '/');
  if (!read.ok) throw new Error(read.why);
  return read.value;
}

/** A listener that asks milters and keeps what gets through. */
export async function startBench(milters: readonly string[], options: BenchOptions = {}): Promise<Bench> {
  const { services: further, spool = createMemorySpool(), before = [], behind = [], rules } = options;
  const { contentBytes = SMTP_LIMITS.contentBytes } = options;
  const reports: Report[] = [];
  const taken: Taken[] = [];
  const sink = async (message: Message): Promise<void> => {
    const original = message.original && (await textOf(message.original));
    taken.push({ message, content: await textOf(message), original });
  };
  const report = (one: Report): void => void reports.push(one);
  const asking = prepareMilters(settingsOf(milters))({
    hostname: 'mx.test',
    software: 'inboxd 1',
    listener: { name: 'smtp', address: '127.0.0.1', port: 2525 },
    spool,
    contentBytes,
    recipients: 100,
    report,
    ...(rules && { rules }),
  });
  const services = prepare({
    protocol: 'SMTP',
    hostname: 'mx.test',
    limits: { ...SMTP_LIMITS, contentBytes },
    sink,
    spool,
    report,
    bareNewlines: 'reject',
    lenientSyntax: false,
    room: () => Number.POSITIVE_INFINITY,
    filters: [...before, ...asking, ...behind],
    ...further,
  });
  const server = createServer((socket) => {
    const session = new Session(services, socket.remoteAddress ?? '', socket.remotePort ?? 0);
    new Connection(socket, services.protocol === 'LMTP' ? lmtp : smtp, session).start();
    later(async () => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(() => new Promise((resolve) => server.close(resolve)));
  return {
    port: (server.address() as { port: number }).port,
    reports,
    taken,
    reportsOf: <T extends Report['type']>(type: T) =>
      reports.filter((one): one is Extract<Report, { type: T }> => one.type === type),
  };
}

export const CONTENT = 'From: Alice <a@example.test>\r\nSubject: hi\r\n\r\nHello\r\n';

/** Says lines one by one; gives the replies as `code text`, the greeting first. It stops where the daemon hangs up. */
export async function converse(port: number, lines: readonly string[]): Promise<string[]> {
  const client = await SmtpClient.connect(port);
  const said: string[] = [];
  const hear = async (): Promise<boolean> => {
    try {
      const { code, lines: texts } = await client.reply();
      said.push(`${code} ${texts.join(' / ')}`);
      return true;
    } catch {
      said.push('(closed)');
      return false;
    }
  };
  let goesOn = await hear();
  for (const line of lines) {
    if (!goesOn) break;
    client.write(`${line}\r\n`).catch(() => {}); // the reply tells
    goesOn = await hear();
  }
  await client.drop();
  return said;
}

export const ENVELOPE = ['EHLO client.test', 'MAIL FROM:<a@example.test>', 'RCPT TO:<b@example.test>'];
/** A whole transaction; the last line brings the content and its end. */
export const TRANSACTION = [...ENVELOPE, 'DATA', `${CONTENT}.`];

/** The codes alone. */
export function codesOf(said: readonly string[]): string {
  return said.map((line) => line.slice(0, 3)).join(' ');
}
