import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDaemon, type Daemon } from '../../src/daemon.ts';
import { RIGHTS } from '../../src/http/auth/grant.ts';
import type { Report } from '../../src/mail/report.ts';
import { AuthFile } from '../http/auth/support.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { WireClient } from '../support/wire-client.ts';

/** Says a command; gives the first line of the answer. */
async function say(client: WireClient, command: string): Promise<string> {
  client.send(`${command}\r\n`);
  return client.hear(/^[^\r]*\r\n/);
}

const portOf = (daemon: Daemon, at: number): number => Number(new URL(daemon.listeners[at]!.url).port);

async function open(port: number): Promise<WireClient> {
  const client = await WireClient.open(port);
  await client.hear(/^\+OK .*\r\n/);
  return client;
}

describe('POP3 with tokens', () => {
  const file = new AuthFile();
  const reports: Report[] = [];
  let daemon: Daemon;
  let port: number;
  let scoped: string;
  let looking: string;
  let admin: string;
  let metrics: string;
  beforeAll(async () => {
    scoped = await file.addToken({ rights: ['read', 'delete'], scope: ['ann@in.test'] });
    looking = await file.addToken({ rights: ['read'], scope: ['*@in.test'] });
    metrics = await file.addToken({ rights: ['metrics'] });
    admin = await file.addToken({ rights: RIGHTS });
    daemon = await createDaemon(
      { listen: ['smtp://127.0.0.1:0', 'pop3://127.0.0.1:0'], data: ':memory:', httpAuth: file.path },
      { report: (report) => void reports.push(report) },
    );
    port = portOf(daemon, 1);
    const client = await SmtpClient.open(portOf(daemon, 0));
    const content = Buffer.from('Subject: x\r\n\r\nbody\r\n');
    for (const to of ['ann@in.test', 'ben@in.test']) await deliver(client, { from: 'bob@out.test', to: [to], content });
    await client.quit();
  });
  afterAll(async () => {
    await daemon.stop();
    file[Symbol.dispose]();
  });

  const logIn = async (user: string, secret: string): Promise<[WireClient, string]> => {
    const client = await open(port);
    expect(await say(client, `USER ${user}`)).toMatch(/^\+OK /);
    return [client, await say(client, `PASS ${secret}`)];
  };

  it.each([
    ['an inbox of its scope', 'ann@in.test', () => scoped, /^\+OK 1 message\r\n/],
    ['an inbox as people write it', 'Ann+tag@IN.test', () => scoped, /^\+OK 1 message\r\n/],
    ['every inbox', 'ben@in.test', () => admin, /^\+OK 1 message\r\n/],
    ['no inbox beyond its scope', 'ben@in.test', () => scoped, /^-ERR \[AUTH\]/],
    ['no inbox without the right to read', 'ann@in.test', () => metrics, /^-ERR \[AUTH\]/],
    ['nothing if it is none', 'ann@in.test', () => 'any', /^-ERR \[AUTH\]/],
  ])('opens %s', async (_, user, secret, expected) => {
    const [client, answer] = await logIn(user, secret());
    expect(answer).toMatch(expected);
    client.destroy();
  });

  it('deletes with the right to, and tells who was there', async () => {
    const [onlooker] = await logIn('ann@in.test', looking);
    expect(await say(onlooker, 'DELE 1')).toMatch(/^-ERR \[SYS\/PERM\]/);
    const [client] = await logIn('ann@in.test', scoped);
    await say(client, 'DELE 1');
    expect((await daemon.store.inboxes({})).inboxes.map(({ inbox }) => inbox)).toContain('ann@in.test');
    expect(await say(client, 'QUIT')).toBe('+OK Bye\r\n');
    expect((await daemon.store.inboxes({})).inboxes.map(({ inbox }) => inbox)).toEqual(['ben@in.test']);
    expect(await say(onlooker, 'RETR 1')).toMatch(/^-ERR That message is gone/);
    onlooker.destroy();
    const types = reports.filter((one) => 'protocol' in one && one.protocol === 'POP3').map(({ type }) => type);
    expect(new Set(types)).toEqual(new Set(['session-start', 'login', 'login-refused', 'refusal', 'session-end']));
  });

  it('tells whoever counts of each -ERR, and why', async () => {
    const [client] = await logIn('ann@in.test', looking);
    const before = reports.length;
    for (const command of ['XYZZY', 'LIST 99', 'QUIT now', 'NOOP']) await say(client, command);
    const refusals = reports.slice(before).filter(({ type }) => type === 'refusal');
    const same = { type: 'refusal', protocol: 'POP3', address: '127.0.0.1', phase: 'command', reason: 'command' };
    expect(refusals).toEqual([
      { ...same, session: expect.any(String), text: 'Command unknown' },
      { ...same, session: expect.any(String), text: 'No such message' },
      { ...same, session: expect.any(String), text: 'That command takes no argument' },
    ]);
    const [wrong] = await logIn('ann@in.test', 'guess');
    expect(reports.findLast(({ type }) => type === 'refusal')).toMatchObject({ reason: 'login', phase: 'command' });
    client.destroy();
    wrong.destroy();
  });

  it('reads without marking as read', async () => {
    const [client] = await logIn('ben@in.test', admin);
    client.send('RETR 1\r\n');
    await client.hear(/\r\n\.\r\n/);
    client.destroy();
    expect(await daemon.store.stats()).toMatchObject({ messages: 1, unread: 1 });
  });

  it('brute force: twenty wrong tokens stop an address, however many sessions they are spread over', async () => {
    for (let answer = ''; !answer.startsWith('-ERR [SYS/TEMP]'); ) {
      const [client, said] = await logIn('ann@in.test', 'guess');
      client.destroy();
      expect(said).toMatch(/^-ERR /);
      answer = said;
    }
    const [client, answer] = await logIn('ben@in.test', 'guess');
    expect(answer).toMatch(/^-ERR \[SYS\/TEMP\] Too many failed logins/);
    client.destroy();
  }, 60_000);
});

describe('POP3 with STLS', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    const listen = ['pop3://127.0.0.1:0', 'pop3://127.0.0.1:0?tls=required', 'pop3://127.0.0.1:0?tls=off'];
    daemon = await createDaemon({ listen, data: ':memory:' });
  });
  afterAll(() => daemon.stop());

  it('offers it until it is on', async () => {
    const client = await open(portOf(daemon, 0));
    client.send('CAPA\r\n');
    expect(await client.hear(/^[\s\S]*?\r\n\.\r\n/)).toContain('\r\nSTLS\r\n');
    expect(await say(client, 'STLS')).toBe('+OK Begin TLS\r\n');
    await client.upgrade();
    client.send('CAPA\r\n');
    expect(await client.hear(/^[\s\S]*?\r\n\.\r\n/)).not.toContain('STLS');
    expect(await say(client, 'STLS')).toBe('-ERR TLS is on already\r\n');
    await say(client, 'USER ann@in.test');
    expect(await say(client, 'PASS any')).toBe('+OK 0 messages\r\n');
    client.destroy();
  });

  it('takes no login before it where it is required', async () => {
    const client = await open(portOf(daemon, 1));
    expect(await say(client, 'USER ann@in.test')).toMatch(/^-ERR \[AUTH\] Say STLS first/);
    await say(client, 'STLS');
    await client.upgrade();
    expect(await say(client, 'USER ann@in.test')).toMatch(/^\+OK /);
    client.destroy();
  });

  it('knows it not where it is off', async () => {
    const client = await open(portOf(daemon, 2));
    expect(await say(client, 'STLS')).toBe('-ERR STLS is not offered here\r\n');
    client.destroy();
  });

  it.each([
    ['a login', 'USER ann@in.test\r\nPASS any\r\n'],
    ['half a line', 'USER ann@in.t'],
    ['an end of line', '\r\n'],
  ])('STARTTLS injection: %s behind STLS never reaches the encrypted session', async (_, octets) => {
    const client = await open(portOf(daemon, 0));
    client.send(`USER early@in.test\r\nSTLS\r\n${octets}`);
    await client.hear(/Begin TLS\r\n/);
    await client.upgrade();
    expect(await say(client, 'PASS any')).toBe('-ERR Say USER first\r\n');
    expect(await say(client, 'NOOP')).toMatch(/^-ERR Log in first/);
    client.destroy();
  });
});

describe('POP3 without tokens', () => {
  it('does not start where other machines could read all mail', async () => {
    const start = createDaemon({ listen: ['pop3://0.0.0.0:0'], data: ':memory:' });
    await expect(start).rejects.toMatchObject({ code: 'POP3_OPEN', message: /^pop3:\/\/0\.0\.0\.0:0 would let/ });
  });

  it('opens no inbox for a client behind a load balancer of this machine', async () => {
    await using daemon = await disposable({ proxyFrom: ['127.0.0.1'], authPlaintext: true });
    const client = await WireClient.open(portOf(daemon, 0));
    client.send('PROXY TCP4 192.0.2.7 192.0.2.1 4711 110\r\n');
    await client.hear(/^\+OK .*\r\n/);
    await say(client, 'USER ann@in.test');
    expect(await say(client, 'PASS any')).toBe('-ERR [AUTH] Without tokens only this machine may look\r\n');
    client.destroy();
  });

  it('tells who finds no place, in words of POP3', async () => {
    await using daemon = await disposable({ maxConnections: 1 });
    const first = await open(portOf(daemon, 0));
    const second = await WireClient.open(portOf(daemon, 0));
    expect(await second.hear(/^[^\r]*\r\n/)).toBe('-ERR [SYS/TEMP] Too many connections, try again later\r\n');
    first.destroy();
    second.destroy();
  });
});

async function disposable(settings: Parameters<typeof createDaemon>[0]): Promise<Daemon & AsyncDisposable> {
  const daemon = await createDaemon({
    ...settings,
    listen: ['pop3://127.0.0.1:0'],
    data: ':memory:',
  });
  return Object.assign(Object.create(daemon) as Daemon, { [Symbol.asyncDispose]: () => daemon.stop() });
}
