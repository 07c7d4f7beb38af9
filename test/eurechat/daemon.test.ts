import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDaemon, type Daemon } from '../../src/daemon.ts';
import { RIGHTS } from '../../src/http/auth/grant.ts';
import type { Report } from '../../src/mail/report.ts';
import { createLogReporter } from '../../src/report/log.ts';
import { AuthFile } from '../http/auth/support.ts';
import { EurechatClient, TestEndpoint } from '../support/eurechat-client.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

const urlOf = (daemon: Daemon, protocol: string): string =>
  daemon.listeners.find((one) => one.protocol === protocol)!.url;

async function send(daemon: Daemon, subject: string, ...to: string[]): Promise<void> {
  const client = await SmtpClient.open(Number(new URL(urlOf(daemon, 'smtp')).port));
  const content = Buffer.from(`From: Bob <bob@out.test>\r\nSubject: ${subject}\r\n\r\nbody\r\n`);
  await deliver(client, { from: 'bob@out.test', to, content });
  await client.quit();
}

async function disposable(
  settings: Parameters<typeof createDaemon>[0],
  report: (one: Report) => void = () => {},
): Promise<Daemon & AsyncDisposable> {
  const daemon = await createDaemon({ data: ':memory:', ...settings }, { report });
  return Object.assign(Object.create(daemon) as Daemon, { [Symbol.asyncDispose]: () => daemon.stop({ graceMs: 0 }) });
}

describe('notices without tokens', () => {
  it('come to an endpoint for each message of its inbox, long after the session has ended', async () => {
    await using daemon = await disposable({ listen: ['smtp://127.0.0.1:0', 'eurechat://127.0.0.1:0'] });
    await using endpoint = await TestEndpoint.listen();
    const client = await EurechatClient.logIn(urlOf(daemon, 'eurechat'), 'ann@in.test');
    const place = `127.0.0.1:${endpoint.port}`;
    const text = `bound successfully to ${place}`;
    expect(await client.ask(`BIND 0 127.0.0.1 ${endpoint.port}`)).toBe(`ACK ${text.length}\n${text}`);
    client.close();
    await send(daemon, 'one', 'ann@in.test', 'ben@in.test');
    await send(daemon, 'two', 'ben@in.test');
    await send(daemon, 'three', 'Ann+tag@IN.test');
    await until(() => endpoint.messages.length === 2);
    const { messages } = await daemon.store.list({ inbox: 'ann@in.test', oldestFirst: true });
    const lines = messages.map(({ id, subject, bytes }) => `${id}  bob@out.test  ${subject}  ${bytes} B`);
    expect(endpoint.messages).toEqual(lines.map((line) => `MESSAGE ${line.length} inboxd\n${line}`));
  });

  it('are for who logs in on one listener and for who asks on another', async () => {
    const listen = ['eurechat://127.0.0.1:0', 'eurechats://127.0.0.1:0'];
    await using daemon = await disposable({ listen });
    await using endpoint = await TestEndpoint.listen();
    const one = await EurechatClient.logIn(urlOf(daemon, 'eurechats'), 'ann');
    expect(await one.ask(`BIND 0 127.0.0.1 ${endpoint.port}`)).toMatch(/^ACK /);
    const other = await EurechatClient.logIn(urlOf(daemon, 'eurechat'), 'ben');
    expect(await other.ask('QUERY 0')).toMatch(new RegExp(`^RESULT \\d+\nann,127.0.0.1,${endpoint.port}$`));
    expect(await other.ask('BIND 0 127.0.0.1 1')).toBe('ERR 25\ninvalid bind notification');
    expect(await other.hear()).toBeUndefined();
    one.close();
  });

  it('tell a session that the daemon stops, and end with it', async () => {
    const daemon = await createDaemon({ listen: 'eurechat://127.0.0.1:0', data: ':memory:' });
    const client = await EurechatClient.logIn(urlOf(daemon, 'eurechat'), 'ann');
    const stopped = daemon.stop();
    expect(await client.hear()).toBe('ERR 13\nshutting down');
    client.close();
    await stopped;
  });

  it('tell who finds no place, in a frame', async () => {
    await using daemon = await disposable({ listen: 'eurechat://127.0.0.1:0', maxConnections: 1 });
    const first = await EurechatClient.logIn(urlOf(daemon, 'eurechat'), 'ann');
    const second = await EurechatClient.open(urlOf(daemon, 'eurechat'));
    expect(await second.hear()).toBe('ERR 37\nToo many connections, try again later');
    first.close();
  });

  it.each(['eurechat://0.0.0.0:0', 'eurechats://0.0.0.0:0', 'eurechat://[::]:0'])(
    'do not start on %s',
    async (listen) => {
      await expect(createDaemon({ listen, data: ':memory:' })).rejects.toMatchObject({ code: 'EURECHAT_OPEN' });
    },
  );

  it('PROXY and XCLIENT: are for no client of another machine, whoever brings him', async () => {
    await using daemon = await disposable({ listen: 'eurechat://127.0.0.1:0', proxyFrom: ['127.0.0.1'] });
    const client = await WireClient.open(Number(new URL(urlOf(daemon, 'eurechat')).port));
    client.send('PROXY TCP4 192.0.2.7 192.0.2.1 4711 8888\r\nUSER 0 ann\n');
    expect(await client.closed()).toBe('ERR 50\npasswords are taken over TLS, or from this machine');
  });
});

describe('notices with tokens', () => {
  const file = new AuthFile();
  const reports: Report[] = [];
  const lines: string[] = [];
  let daemon: Daemon;
  let url: string;
  let scoped: string;
  let admin: string;
  let metrics: string;
  beforeAll(async () => {
    scoped = await file.addToken({ rights: ['read'], scope: ['ann@in.test', 'ci-*@in.test'] });
    metrics = await file.addToken({ rights: ['metrics'] });
    admin = await file.addToken({ rights: RIGHTS });
    const log = createLogReporter({
      level: 'trace',
      format: 'json',
      destination: { write: (line) => void lines.push(line) },
    });
    daemon = await createDaemon(
      { listen: ['smtp://127.0.0.1:0', 'eurechats://0.0.0.0:0'], data: ':memory:', httpAuth: file.path },
      {
        report: (one) => {
          reports.push(one);
          log(one);
        },
      },
    );
    url = urlOf(daemon, 'eurechats');
  });
  afterAll(async () => {
    await daemon.stop({ graceMs: 0 });
    file[Symbol.dispose]();
  });

  it.each([
    ['an inbox of its scope', 'ann@in.test', () => scoped, true],
    ['an inbox that fits its scope', 'ci-42@in.test', () => scoped, true],
    ['a user of its scope', 'ann', () => scoped, true],
    ['every inbox', 'ben@in.test', () => admin, true],
    ['no inbox beyond its scope', 'ben@in.test', () => scoped, false],
    ['no user beyond its scope', 'ben', () => scoped, false],
    ['no inbox without the right to read', 'ann@in.test', () => metrics, false],
    ['nothing if it is none', 'ann@in.test', () => 'any', false],
  ])('a token is for %s', async (_, user, secret, isGood) => {
    const login = EurechatClient.logIn(url, user, secret());
    if (isGood) (await login).close();
    else await expect(login).rejects.toThrow('login refused: ACK');
  });

  it('tell of what the token covers, and QUERY shows no more', async () => {
    await using endpoint = await TestEndpoint.listen();
    await using others = await TestEndpoint.listen();
    const all = await EurechatClient.logIn(url, 'ann', admin);
    await all.ask(`BIND 0 127.0.0.1 ${others.port}`);
    const client = await EurechatClient.logIn(url, 'ann@in.test', scoped);
    await client.ask(`BIND 0 127.0.0.1 ${endpoint.port}`);
    const own = `ann@in.test,127.0.0.1,${endpoint.port}`;
    expect(await client.ask('QUERY 0')).toBe(`RESULT ${own.length}\n${own}`);
    expect(await client.ask('QUERY 0 ann')).toBe('RESULT 0');
    expect(await all.ask('QUERY 0')).toContain(`ann,127.0.0.1,${others.port}\n${own}`);
    await send(daemon, 'elsewhere', 'ann@out.test');
    await send(daemon, 'here', 'ann@in.test');
    await until(() => others.messages.length === 2 && endpoint.messages.length === 1);
    expect(endpoint.messages[0]).toContain('  here  ');
    expect(await client.ask('LEAVE 0')).toBe('ACK 27\nderegistered from directory');
    await all.ask('LEAVE 0');
    client.close();
    all.close();
  });

  it('Metadata injection: no argument is ever logged, and no token', async () => {
    const client = await EurechatClient.logIn(url, 'ann@in.test', scoped);
    await client.ask('QUERY 0 sought-after');
    await client.ask('BIND 0 never-logged.test 4711');
    client.close();
    await until(() => lines.some((line) => line.includes('"endpoint refused"')));
    const logged = lines.join('');
    expect(logged).toContain('"why":"not the own address of the client"');
    for (const secret of [scoped, admin, 'sought-after', 'never-logged', '4711']) expect(logged).not.toContain(secret);
  });

  it('are counted by address: twenty wrong tokens stop it, each in a session of its own and held back', async () => {
    const refusals = (why: string): number =>
      reports.filter((one) => one.type === 'login-refused' && one.why === why).length;
    const before = refusals('wrong');
    while (refusals('blocked') === 0) {
      // at once, or each would wait for its held back reply
      const logins = Array.from({ length: 8 }, () => EurechatClient.logIn(url, 'ann', `guess${Math.random()}`));
      for (const result of await Promise.allSettled(logins)) expect(result.status).toBe('rejected');
    }
    expect(refusals('wrong') - before).toBeLessThanOrEqual(20);
    const sessions = reports.flatMap((one) =>
      one.type === 'session-end' && one.failures > 0 ? [one.milliseconds] : [],
    );
    expect(sessions.length).toBeGreaterThan(20);
    expect(Math.max(...sessions)).toBeGreaterThan(900);
  }, 60_000);
});
