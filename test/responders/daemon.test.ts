import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { simpleParser } from 'mailparser';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ConfigInput, createDaemon, type Daemon, type DaemonParts } from '../../src/index.ts';
import type { Report } from '../../src/mail/report.ts';
import { describeWithPeers } from '../support/peers.ts';
import { runWell } from '../support/run.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';
import { zoneResolver } from '../verify/support.ts';

// threads, each with a parser of mail, take their time on a busy machine
vi.setConfig({ testTimeout: 120_000 });

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'inboxd-responders-'));
  undo.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

type Outcome = Extract<Report, { type: 'responder' }>;
type Outgoing = Extract<Report, { type: 'outgoing' }>;

interface Running {
  readonly daemon: Daemon;
  readonly port: number;
  readonly outbox: string;
  readonly outcomes: Outcome[];
  readonly outgoing: Outgoing[];
  readonly reports: Report[];
}

async function start(config: ConfigInput, parts: DaemonParts = {}): Promise<Running> {
  const outbox = folder();
  const reports: Report[] = [];
  const outcomes: Outcome[] = [];
  const outgoing: Outgoing[] = [];
  const report = (one: Report): void => {
    reports.push(one);
    if (one.type === 'responder') outcomes.push(one);
    if (one.type === 'outgoing') outgoing.push(one);
  };
  const where = config.smarthost ? {} : { outbox };
  const daemon = await createDaemon(
    {
      listen: ['smtp://127.0.0.1:0'],
      data: ':memory:',
      hostname: 'mx.here.example',
      responderTimeoutMs: 100_000,
      ...where,
      ...config,
    },
    { ...parts, report },
  );
  undo.push(() => daemon.stop({ graceMs: 0 }));
  return { daemon, port: Number(new URL(daemon.listeners[0]!.url).port), outbox, outcomes, outgoing, reports };
}

async function send(
  port: number,
  to: string | readonly string[],
  raw = 'Subject: hi\r\n\r\nhello\r\n',
  from = 'ann@there.example',
): Promise<string> {
  const client = await SmtpClient.open(port);
  try {
    const [id] = await deliver(client, { from, to: [to].flat(), content: Buffer.from(raw, 'latin1') });
    return id!;
  } finally {
    client.socket.destroy();
  }
}

/** Outcomes in the order of their mails, once there are so many. */
async function outcomesOf({ outcomes }: Running, count: number): Promise<string[]> {
  await until(() => outcomes.length >= count);
  return outcomes
    .toSorted((a, b) => (a.message < b.message ? -1 : 1))
    .map(({ inbox, kind, outcome }) => `${kind} ${inbox} ${outcome}`);
}

const emls = (outbox: string): string[] =>
  readdirSync(outbox)
    .filter((name) => name.endsWith('.eml'))
    .sort();

async function mails(outbox: string, count: number) {
  await until(() => emls(outbox).length >= count);
  return Promise.all(emls(outbox).map((name) => simpleParser(readFileSync(join(outbox, name)))));
}

describe('an inbox with an agent', () => {
  it('answers out of the outbox, to the reverse-path', async () => {
    const running = await start({ responders: { echo: 'builtin:echo' } });
    const id = await send(
      running.port,
      'Echo+x@Here.example',
      'Subject: hi\r\nMessage-ID: <1@x>\r\nReply-To: eve@evil.example\r\n\r\nhello\r\n',
    );
    const [reply] = await mails(running.outbox, 1);
    expect(reply?.to).toMatchObject({ text: 'ann@there.example' });
    expect(reply?.from?.text).toBe('Echo+x@here.example');
    expect([reply?.subject, reply?.inReplyTo]).toEqual(['Re: hi', '<1@x>']);
    expect(reply?.text).toContain('> hello');
    expect(reply?.headers.get('auto-submitted')).toBe('auto-replied');
    const [name] = emls(running.outbox);
    expect(name).toBe(`${id}-1.eml`);
    expect(statSync(join(running.outbox, name!)).mode & 0o777).toBe(0o600);
    expect(running.outcomes).toMatchObject([
      { message: id, inbox: 'echo@here.example', agent: 'builtin:echo', outcome: 'queued' },
    ]);
    await until(() => running.outgoing.length === 1);
    expect(running.outgoing).toMatchObject([{ result: 'sent', recipient: 'ann@there.example', attempts: 1 }]);
  });

  it('answers a sender once in an hour, and other senders and inboxes meanwhile', async () => {
    const running = await start({ responders: { echo: 'builtin:echo', time: 'builtin:time' } });
    await send(running.port, 'echo@here.example');
    await outcomesOf(running, 1);
    await send(running.port, 'echo@here.example', undefined, 'Ann+again@there.example');
    await send(running.port, 'time@here.example');
    await send(running.port, 'echo@here.example', undefined, 'bob@there.example');
    expect(await outcomesOf(running, 4)).toEqual([
      'answer echo@here.example queued',
      'answer echo@here.example interval',
      'answer time@here.example queued',
      'answer echo@here.example queued',
    ]);
  });

  it('leaves alone what programs, lists and our own addresses send', async () => {
    const running = await start({ responders: { echo: 'builtin:echo', 'time@a.example': 'builtin:time' } });
    const mail = (header: string): string => `${header}\r\nSubject: x\r\n\r\nx\r\n`;
    await send(running.port, 'echo@here.example', undefined, '');
    await send(running.port, 'echo@here.example', undefined, 'no-reply@there.example');
    await send(running.port, 'echo@here.example', undefined, 'time@a.example');
    await send(running.port, 'echo@here.example', mail('Auto-Submitted: auto-generated'));
    await send(running.port, 'echo@here.example', mail('List-Id: <x>'));
    await send(running.port, 'ann@here.example');
    expect((await outcomesOf(running, 5)).map((one) => one.split(' ')[2])).toEqual([
      'null-sender',
      'robot',
      'own-address',
      'auto-submitted',
      'list',
    ]);
    expect(emls(running.outbox)).toEqual([]);
  });

  it('is the nearest by name, else the default, which leaves forwarded inboxes alone', async () => {
    const agents = folder();
    const say = (name: string): string => {
      writeFileSync(join(agents, `${name}.mjs`), `export const answer = () => ({ text: '${name}' });`);
      return join(agents, `${name}.mjs`);
    };
    const responders = { time: say('local'), 'time@a.example': say('exact') };
    const running = await start({ responders, responderDefault: say('default'), forwardTo: 'admin@target.example' });
    const to = ['time@a.example', 'time@b.example', 'ann@a.example', 'postmaster@a.example'];
    for (const one of to) await send(running.port, one);
    const sent = await mails(running.outbox, 4);
    const byFrom = Object.fromEntries(sent.map(({ from, text }) => [from?.value[0]?.address, text?.trim()]));
    expect(byFrom).toEqual({
      'time@a.example': 'exact',
      'time@b.example': 'local',
      'ann@a.example': 'default',
      'postmaster@a.example': 'hello',
    });
  });

  it.each([
    ['local', 'time', 'time@anything.example', 'answer time queued'],
    ['domain', 'here.example', 'ann@HERE.example', 'answer here.example queued'],
  ] as const)('has its name by naming %s', async (naming, name, to, outcome) => {
    const running = await start({ naming, responders: { [name]: 'builtin:time' } });
    await send(running.port, to);
    expect(await outcomesOf(running, 1)).toEqual([outcome]);
  });

  it('answers each of the inboxes of one mail', async () => {
    const running = await start({ responders: { echo: 'builtin:echo', time: 'builtin:time' } });
    await send(running.port, ['time@a.example', 'echo@a.example', 'ann@a.example']);
    expect((await outcomesOf(running, 2)).sort()).toEqual([
      'answer echo@a.example queued',
      'answer time@a.example queued',
    ]);
    const sent = await mails(running.outbox, 2);
    expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(2);
  });

  it('that hangs holds up neither mail nor others, and is stopped', async () => {
    const agents = folder();
    writeFileSync(join(agents, 'hang.mjs'), 'export const answer = () => { for (;;); };');
    const running = await start({
      responders: { hang: join(agents, 'hang.mjs'), echo: 'builtin:echo' },
      responderTimeoutMs: 15_000,
    });
    for (const sender of ['a', 'b', 'c', 'd', 'e'])
      await send(running.port, 'hang@here.example', undefined, `${sender}@there.example`);
    await send(running.port, 'echo@here.example');
    await until(() => running.outcomes.some(({ outcome }) => outcome === 'queued'));
    await until(() => running.outcomes.some(({ outcome }) => outcome === 'late'));
    expect(await send(running.port, 'ann@here.example')).toMatch(/^\w{26}$/);
  });

  it.each([
    [
      'unfit',
      `export const answer = () => ({ subject: 'a\\r\\nBcc: b@c.example', text: 'x' });`,
      'subject has a line end',
    ],
    ['unfit', `export const answer = () => ({ text: 'x'.repeat(2 ** 21) });`, 'text has more than'],
    ['unfit', 'export const answer = () => 5;', 'an answer is an object, not number'],
    ['threw', `export const answer = () => { throw new Error('oh'); };`, 'oh'],
    ['crashed', 'export const answer = () => process.exit(1);', 'ended with code 1'],
    ['silent', 'export const answer = () => {};', ''],
  ] as const)('ends as %s: %s', async (outcome, code, why) => {
    const agents = folder();
    writeFileSync(join(agents, 'bad.mjs'), code);
    const running = await start({ responders: { bad: join(agents, 'bad.mjs') } });
    await send(running.port, 'bad@here.example');
    await until(() => running.outcomes.length === 1);
    expect(running.outcomes).toMatchObject([{ outcome, why: expect.stringContaining(why) }]);
    expect(emls(running.outbox)).toEqual([]);
    expect(await send(running.port, 'bad@here.example')).toBeDefined();
  });
});

describe('a folder of agents', () => {
  it('is taken as it stands: files come, change and go', async () => {
    const agents = folder();
    const file = join(agents, 'hello.mjs');
    const running = await start({ responderDir: agents, responders: { echo: 'builtin:echo' }, responderIntervalMs: 0 });
    const told = (event: string) =>
      until(() => running.reports.some((one) => one.type === 'agent' && one.event === event));
    // mail is taken in its order: when echo has answered, nothing before it waits to be looked at
    const passed = async (echoes: number): Promise<void> => {
      await send(running.port, 'echo@here.example');
      await until(() => running.outcomes.filter(({ agent }) => agent === 'builtin:echo').length === echoes);
    };
    const texts = (): string[] => running.outcomes.filter(({ agent }) => agent === file).map(({ outcome }) => outcome);
    await send(running.port, 'hello@here.example');
    await passed(1);
    writeFileSync(file, `export const answer = () => ({ text: 'one' });`);
    await told('loaded');
    await send(running.port, 'hello@here.example');
    expect((await mails(running.outbox, 2))[1]?.text?.trim()).toBe('one');
    writeFileSync(file, `export const answer = () => ({ text: 'two' });`);
    await send(running.port, 'hello@here.example');
    expect((await mails(running.outbox, 3))[2]?.text?.trim()).toBe('two');
    writeFileSync(file, 'export const answer = (');
    await told('unusable');
    rmSync(file);
    await told('gone');
    await send(running.port, 'hello@here.example');
    await send(running.port, 'hello.mjs@here.example');
    await send(running.port, '"../hello"@here.example');
    await passed(2);
    expect(texts()).toEqual(['queued', 'queued']);
  });

  it('tells at the start which file is no agent, and runs the others', async () => {
    const agents = folder();
    writeFileSync(join(agents, 'bad.mjs'), 'export const x = 1;');
    writeFileSync(join(agents, 'good.mjs'), `export default () => ({ text: 'good' });`);
    const running = await start({ responderDir: agents });
    expect(running.reports).toContainEqual({
      type: 'agent',
      event: 'unusable',
      source: join(agents, 'bad.mjs'),
      why: 'must export a function named "answer", or one as default; it exports x',
    });
    await send(running.port, 'good@here.example');
    expect(await outcomesOf(running, 1)).toEqual(['answer good@here.example queued']);
  });
});

describe('the start', () => {
  it('fails with file and reason if an agent cannot be used', async () => {
    const agents = folder();
    const path = join(agents, 'bad.mjs');
    await expect(start({ responders: { a: path } })).rejects.toMatchObject({
      code: 'RESPONDER_UNUSABLE',
      message: `agent ${path}: there is no such file`,
    });
    writeFileSync(path, 'throw new Error("no database")');
    await expect(start({ responderDefault: path })).rejects.toThrow(
      `agent ${path}: cannot be loaded: Error: no database`,
    );
    await expect(start({ responderDir: join(agents, 'none') })).rejects.toThrow('responder-dir');
    await expect(start({ naming: 'local', responders: { 'a@b.example': 'builtin:echo' } })).rejects.toThrow(
      'responder a@b.example: with naming local no inbox has an @ in its name',
    );
    await expect(start({ responders: { a: 'builtin:echo' } }, { sink: async () => {} })).rejects.toThrow(
      'a sink of the program',
    );
  });
});

describe('who may have sent it', () => {
  const zone = { 'good.test': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] }, 'bad.test': { TXT: ['v=spf1 -all'] } };

  it('is waited for, and whose mail fails gets no answer', async () => {
    const running = await start(
      { responders: { echo: 'builtin:echo' }, verifyPrivate: true },
      { resolver: zoneResolver(zone) },
    );
    await send(running.port, 'echo@here.example', undefined, 'ann@good.test');
    await send(running.port, 'echo@here.example', undefined, 'ann@bad.test');
    expect(await outcomesOf(running, 2)).toEqual([
      'answer echo@here.example queued',
      'answer echo@here.example unverified',
    ]);
  });
});

describe('mail in quarantine', () => {
  it('is neither answered nor forwarded', async () => {
    const holds = { name: 'holds', message: () => ({ quarantine: 'looks odd' }) };
    const config = { responders: { echo: 'builtin:echo' }, forwardTo: 'admin@target.example' };
    const running = await start(config, { filters: [holds] });
    await send(running.port, 'echo@here.example');
    await send(running.port, 'postmaster@here.example');
    expect(await outcomesOf(running, 2)).toEqual([
      'answer echo@here.example quarantined',
      'forward postmaster@here.example quarantined',
    ]);
    expect(emls(running.outbox)).toEqual([]);
  });
});

describe('pass-through inboxes', () => {
  it('are forwarded whole, bounces too', async () => {
    const running = await start({
      forwardTo: 'admin@target.example',
      forwardInboxes: ['postmaster', 'abuse@a.example'],
    });
    const raw = 'From: Ann <ann@there.example>\r\nSubject: help\r\n\r\n.dot \xff\r\n';
    await send(running.port, 'postmaster@a.example', raw, '');
    await send(running.port, 'abuse@a.example', raw);
    await send(running.port, 'abuse@b.example', raw);
    expect(await outcomesOf(running, 2)).toEqual([
      'forward postmaster@a.example queued',
      'forward abuse@a.example queued',
    ]);
    const [first, second] = await mails(running.outbox, 2);
    expect([first?.subject, second?.subject]).toEqual(['[postmaster@] help', '[abuse@] help']);
    const [name] = emls(running.outbox);
    const text = readFileSync(join(running.outbox, name!), 'latin1');
    expect(text).toContain('X-Envelope-To: <admin@target.example>\r\nReceived: from client.example');
    expect(text.endsWith('\r\n\r\n.dot \xff\r\n')).toBe(true);
  });

  it('are not forwarded to themselves', async () => {
    const target = await start({ forwardTo: 'postmaster@b.example' });
    const smarthost = `smtp://127.0.0.1:${target.port}`;
    const source = await start({ forwardTo: 'postmaster@a.example', smarthost });
    await send(source.port, 'postmaster@a.example');
    expect(await outcomesOf(source, 1)).toEqual(['forward postmaster@a.example queued']);
    expect(await outcomesOf(target, 1)).toEqual(['forward postmaster@a.example loop']);
  });
});

describe('a smarthost', () => {
  it('gets answers, and two daemons that answer everybody do not answer each other', async () => {
    const left = await start({ responderDefault: 'builtin:echo' });
    const right = await start({ responderDefault: 'builtin:echo', smarthost: `smtp://127.0.0.1:${left.port}` });
    await send(right.port, 'echo@right.example', undefined, 'echo@left.example');
    await until(() => right.outgoing.length === 1);
    expect(right.outgoing).toMatchObject([{ result: 'sent', recipient: 'echo@left.example', detail: 'smarthost' }]);
    expect(await outcomesOf(left, 1)).toEqual(['answer echo@left.example null-sender']);
    expect(emls(left.outbox)).toEqual([]);
    const { messages } = await left.daemon.store.list({});
    expect(messages.map(({ subject, from }) => [subject, from?.address])).toEqual([['Re: hi', 'echo@right.example']]);
  });

  it('that is down gets them when it is there again, and the wait outlives a restart', async () => {
    const data = folder();
    const probe = await start({});
    const { port } = probe;
    await probe.daemon.stop({ graceMs: 0 });
    const config = { responders: { echo: 'builtin:echo' }, data, smarthost: `smtp://127.0.0.1:${port}` };
    const first = await start(config);
    await send(first.port, 'echo@here.example');
    await until(() => first.outgoing.length === 1);
    expect(first.outgoing).toMatchObject([{ result: 'later', attempts: 1 }]);
    await first.daemon.stop({ graceMs: 0 });
    const target = await start({ listen: [`smtp://127.0.0.1:${port}`] });
    const docket = new DatabaseSync(join(data, 'responders.db'));
    docket.exec('UPDATE outgoing SET due_at = 0'); // as if the wait were over
    docket.close();
    const second = await start(config);
    await until(() => second.outgoing.length === 1);
    expect(second.outgoing).toMatchObject([{ result: 'sent', attempts: 2 }]);
    expect((await target.daemon.store.list({})).messages).toHaveLength(1);
    expect(second.outcomes).toEqual([]);
  });
});

describeWithPeers('with swaks', ['swaks'], ({ swaks }) => {
  it('a mail to echo is answered', async () => {
    const running = await start({ responders: { echo: 'builtin:echo' } });
    const args = [
      '--server',
      `127.0.0.1:${running.port}`,
      '--from',
      'ann@there.example',
      '--to',
      'echo@here.example',
      '--header',
      'Subject: is anybody there',
      '--body',
      'hello',
    ];
    await runWell(swaks, args);
    const [reply] = await mails(running.outbox, 1);
    expect(reply?.subject).toBe('Re: is anybody there');
    expect(reply?.text).toContain('> hello');
  });
});

describeWithPeers('with smtp-sink of Postfix as smarthost', ['smtp-sink'], (paths) => {
  it('an answer arrives, with its reverse-path null', async () => {
    const dumps = folder();
    const port = await freePort();
    // as root it wants to become somebody else, who could not write there
    const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
    const sink = spawn(paths['smtp-sink'], [...user, '-d', join(dumps, 'mail.'), `127.0.0.1:${port}`, '16'], {
      stdio: 'ignore',
    });
    const ended = once(sink, 'exit');
    undo.push(async () => {
      sink.kill();
      await ended;
    });
    await until(() => connects(port));
    const running = await start({ responders: { echo: 'builtin:echo' }, smarthost: `smtp://127.0.0.1:${port}` });
    await send(running.port, 'echo@here.example');
    await until(() => running.outgoing.length === 1);
    expect(running.outgoing).toMatchObject([{ result: 'sent' }]);
    const taken = (): string[] => readdirSync(dumps).map((name) => readFileSync(join(dumps, name), 'utf8'));
    await until(() => taken().some((text) => text.includes('> hello')));
    const [mail] = taken().filter((text) => text.includes('> hello'));
    expect(mail).toMatch(/^X-Mail-Args: <>/m);
    expect(mail).toMatch(/^X-Rcpt-Args: <ann@there\.example>/m);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}
