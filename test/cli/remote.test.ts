import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import type { RunResult } from '../support/run.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';
import { BIN, Folder, inboxd, plainEnvironment, type Serving, serve } from './support.ts';

async function send(port: number, to: string, subject: string, body = 'Hello.'): Promise<string> {
  const client = await SmtpClient.open(port);
  const header = ['From: Shop <hello@shop.example>', `To: ${to}`, `Subject: ${subject}`, 'Content-Type: text/html'];
  const content = Buffer.from(`${header.join('\r\n')}\r\n\r\n${body}\r\n`);
  const [id] = await deliver(client, { from: 'hello@shop.example', to: [to], content });
  await client.quit();
  return id!;
}

const WELCOME =
  '<p>Your verification code is <b>271828</b>.</p><p><a href="https://shop.example/confirm?token=a1B2">Confirm your address</a></p>';

describe('beside a daemon', { timeout: 60_000 }, () => {
  const folder = new Folder();
  const data = folder.at('data');
  let daemon: DaemonProcess;
  let id: string;

  const command = (...args: string[]): Promise<RunResult> => inboxd([...args, '--data', data]);

  beforeAll(async () => {
    daemon = await startDaemon({ data });
    id = await send(daemon.smtpPort, 'ann@there.example', 'Welcome', WELCOME);
    await send(daemon.smtpPort, 'bob@there.example', '=?utf-8?Q?red=E2=80=AE?=');
  });
  afterAll(async () => {
    await daemon.stop();
    folder[Symbol.dispose]();
  });

  it('wait prints a message that is there, or what of it one wants', async () => {
    const page = await command('wait', 'Ann+x@There.example');
    expect(page).toMatchObject({ code: 0, stderr: '' });
    for (const line of [
      `Id:       ${id}`,
      'From:     Shop <hello@shop.example>',
      'Subject:  Welcome',
      'Code:     271828',
      'Link:     https://shop.example/confirm?token=a1B2 (verify)',
    ]) {
      expect(page.stdout.split('\n')).toContain(line);
    }
    const print = async (what: string) => (await command('wait', 'ann@there.example', '--print', what)).stdout;
    expect(await print('code')).toBe('271828\n');
    expect(await print('link')).toBe('https://shop.example/confirm?token=a1B2\n');
    expect(await print('id')).toBe(`${id}\n`);
    expect(JSON.parse(await print('json'))).toMatchObject({ id, subject: 'Welcome', codes: [{ code: '271828' }] });
  });

  it('wait waits for one that comes', async () => {
    const waiting = command(
      'wait',
      'late@there.example',
      '--query',
      'subject:second',
      '--print',
      'id',
      '--timeout',
      '60s',
    );
    await send(daemon.smtpPort, 'late@there.example', 'first');
    const second = await send(daemon.smtpPort, 'late@there.example', 'second');
    expect(await waiting).toEqual({ code: 0, stdout: `${second}\n`, stderr: '' });
  });

  it('wait is exit code 1 when none comes, or it has not what is to be printed', async () => {
    expect(await command('wait', 'nobody@there.example', '--timeout', '100ms')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'inboxd: no mail for nobody@there.example within 100ms\n',
    });
    expect(await command('wait', 'ann@there.example', '--since', id, '--timeout', '0')).toMatchObject({ code: 1 });
    const without = await command('wait', 'bob@there.example', '--print', 'code');
    expect(without).toMatchObject({ code: 1, stdout: '' });
    expect(without.stderr).toMatch(/^inboxd: no code in message [0-9a-z]{26}, "red\\\\u202e"\n$/);
  });

  it('search prints a table, or JSON, and nothing that could steer a terminal', async () => {
    const { code, stdout, stderr } = await command('search', 'subject:welcome', 'from:shop');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [head, line] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^ID +RECEIVED +SIZE +INBOX +FROM +SUBJECT$/);
    expect(line).toMatch(new RegExp(`^${id}  .* ann@there\\.example +Shop +Welcome$`));
    expect(JSON.parse((await command('search', 'inbox:ann@there.example', '--json')).stdout)).toMatchObject([{ id }]);
    const all = await command('search', 'from:shop', '--limit', '1');
    expect(all.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(all.stderr).toMatch(/^inboxd: \d+ more; --limit shows them\n$/);
    for (const args of [[], ['--json']]) {
      const hostile = await command('search', 'inbox:bob@there.example', ...args);
      expect(hostile.stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    }
  });

  it('search is exit code 1 when nothing matches, and 2 with a place in what cannot be read', async () => {
    expect(await command('search', 'nosuchword')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'inboxd: nothing matches nosuchword\n',
    });
    const { code, stderr } = await command('search', 'a (b');
    expect(code).toBe(2);
    const [why, text, arrow] = stderr.split('\n');
    expect(why).toMatch(/^inboxd: the search cannot be read: ./);
    expect(text).toBe('inboxd:   a (b');
    expect(arrow).toMatch(/^inboxd: {3,}\^$/);
  });

  it('open prints the URL of the page', async () => {
    expect(await command('open', 'ann@there.example')).toEqual({
      code: 0,
      stdout: `${daemon.httpUrl}/#/inbox/ann%40there.example\n`,
      stderr: '',
    });
  });

  it('finds the daemon by its URL, given as a flag or as a variable that other commands leave alone', async () => {
    const byFlag = await inboxd(['wait', 'ann@there.example', '--print', 'id', '--url', `${daemon.httpUrl}/`]);
    expect(byFlag).toEqual({ code: 0, stdout: `${id}\n`, stderr: '' });
    const env = { INBOXD_URL: daemon.httpUrl };
    expect(await inboxd(['wait', 'ann@there.example', '--print', 'id'], env)).toEqual(byFlag);
    expect(await inboxd(['ls', '--data', data], env)).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a daemon that wants credentials', () => {
  it('is asked with the token given, else with its own card', async () => {
    using folder = new Folder();
    const file = folder.at('auth');
    const token = (await inboxd(['token', 'create', '--http-auth', file, '--inbox', 'mine@*'])).stdout.trim();
    await using daemon = await serve([
      '--port',
      '0',
      '--http-port',
      '0',
      '--data',
      folder.at('data'),
      '--http-auth',
      file,
    ]);
    const url = `http://127.0.0.1:${daemon.port('http')}`;
    await send(daemon.port('smtp'), 'mine@there.example', 'mine');
    await send(daemon.port('smtp'), 'other@there.example', 'other');
    const subjects = async (args: string[], env: Record<string, string> = {}) => {
      const { stdout, stderr } = await inboxd(['search', 'from:shop', '--json', ...args], env);
      return stderr === '' ? (JSON.parse(stdout) as { subject: string }[]).map(({ subject }) => subject) : stderr;
    };
    expect(await subjects(['--data', folder.at('data')])).toEqual(['other', 'mine']);
    expect(await subjects(['--url', url, '--token', token])).toEqual(['mine']);
    expect(await subjects([], { INBOXD_URL: url, INBOXD_TOKEN: token })).toEqual(['mine']);
    expect(await subjects(['--url', url])).toBe(
      `inboxd: ${url} wants credentials: give --token or INBOXD_TOKEN ("inboxd token create" makes one)\n`,
    );
    expect(await subjects(['--url', url, '--token', 'wrong'])).toMatch(/^inboxd: http:\S+ refused with 401: ./);
    const foreign = await inboxd(['wait', 'other@there.example', '--url', url, '--token', token]);
    expect(foreign).toMatchObject({ code: 2, stderr: expect.stringMatching(/refused with 403: .* \(inbox\)\n$/) });
  }, 60_000);
});

describe('what is no daemon', () => {
  it.each([
    [['open', 'x', '--data', '/nowhere'], 'no daemon runs on /nowhere: start one with "inboxd", or say where one is with --url or INBOXD_URL'],
    [['search', 'x', '--data', ':memory:'], 'data is :memory:, which tells nobody where its daemon is; give --url or INBOXD_URL'],
    [['tail', '--url', 'localhost:8025'], '"localhost:8025" is no URL of a daemon, such as http://127.0.0.1:8025'],
    [['wait', 'x', '--timeout', '5'], "option '--timeout <duration>' argument '5' is invalid. Allowed: a duration such as 500ms, 30s or 5m."],
    [['wait', 'x', '--print', 'body'], "option '--print <what>' argument 'body' is invalid. Allowed choices are code, link, id, json."],
    [['search', 'x', '--limit', '0'], "option '--limit <number>' argument '0' is invalid. Allowed: a whole number from 1 to 1000000."],
  ])('%j is told in a line, exit code 2', async (args, text) => {
    expect(await inboxd(args)).toEqual({ code: 2, stdout: '', stderr: `inboxd: ${text}\n` });
  }); // biome-ignore format: a table

  it('is told with its URL when nothing answers, or another server does', async () => {
    const server = createServer((_request, response) => response.writeHead(404).end('no'));
    server.listen(0, '127.0.0.78'); // where nobody else takes the port meanwhile
    await once(server, 'listening');
    const url = `http://127.0.0.78:${(server.address() as AddressInfo).port}`;
    expect(await inboxd(['search', 'x', '--url', url])).toEqual({
      code: 2,
      stdout: '',
      stderr: `inboxd: what answers at ${url} is not inboxd: see that --url or INBOXD_URL is right\n`,
    });
    server.close();
    await once(server, 'close');
    for (const args of [['search', 'x'], ['tail'], ['wait', 'x'], ['open', 'x']]) {
      const { code, stderr } = await inboxd([...args, '--url', url]);
      expect(code).toBe(2);
      expect(stderr).toContain(`inboxd: no inboxd answers at ${url} (connect ECONNREFUSED`);
    }
  }, 60_000);
});

describe('a daemon that is just stopping', () => {
  it('is told as one that cannot answer now', async () => {
    const server = createServer((_request, response) => response.writeHead(503).end('closing'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await inboxd(['search', 'x', '--url', url]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `inboxd: ${url} cannot answer now: 503\n` });
    server.close();
  });
});

describe('tail', () => {
  it('prints what is there and what comes, also after the daemon was started anew', async () => {
    using folder = new Folder();
    const data = folder.at('data');
    const start = () => serve(['--port', '0', '--http-port', '0', '--data', data]);
    const first = await start();
    for (const subject of ['one', 'two', 'three']) await send(first.port('smtp'), 'ann@there.example', subject);
    await send(first.port('smtp'), 'bob@there.example', 'not for ann');
    await using tail = new Tail(['ann@there.example', '-n', '2', '--json', '--data', data]);
    await tail.lines(2);
    await send(first.port('smtp'), 'bob@there.example', 'not for ann');
    await send(first.port('smtp'), 'ann@there.example', '=?utf-8?Q?four=E2=80=AE?=');
    await tail.lines(3);
    await stop(first);
    await tail.complained('the daemon has gone; waiting for it');
    await using second = await start();
    await send(second.port('smtp'), 'ann@there.example', 'five'); // while nobody listens
    await tail.complained('connected again');
    await send(second.port('smtp'), 'ann@there.example', 'six');
    const lines = await tail.lines(5);
    expect(lines.map((line) => (JSON.parse(line) as { subject: string }).subject)).toEqual([
      'two', 'three', 'four\u202e', 'five', 'six',
    ]); // biome-ignore format: a list
    expect(lines.join('')).not.toContain('\u202e');
  }, 90_000);

  it('goes on when the daemon comes back with another store', async () => {
    const host = '127.0.0.77'; // where nobody else takes the port meanwhile
    const start = (port: number) => serve(['--port', '0', '--listen', `http://${host}:${port}`, '--data', ':memory:']);
    const first = await start(0);
    const port = first.port('http');
    await using tail = new Tail(['--json', '--url', `http://${host}:${port}`]);
    for (const subject of ['one', 'two', 'three']) await send(first.port('smtp'), 'ann@there.example', subject);
    await tail.lines(3);
    await stop(first);
    await using second = await start(port);
    // more than the first one had: its number of events says nothing about this one's
    const after = ['four', 'five', 'six', 'seven', 'eight'];
    for (const subject of after) await send(second.port('smtp'), 'ann@there.example', subject);
    const lines = await tail.lines(8);
    expect(lines.slice(3).map((line) => (JSON.parse(line) as { subject: string }).subject)).toEqual(after);
  }, 60_000);

  it('prints lines for people, of what a search finds', async () => {
    using folder = new Folder();
    await using daemon = await serve(['--port', '0', '--http-port', '0', '--data', folder.at('data')]);
    await send(daemon.port('smtp'), 'ann@there.example', 'first wanted');
    await using tail = new Tail(['--query', 'subject:wanted', '--data', folder.at('data')]);
    await tail.lines(1);
    await send(daemon.port('smtp'), 'ann@there.example', 'other');
    const id = await send(daemon.port('smtp'), 'bob@there.example', 'second wanted');
    const lines = await tail.lines(2);
    expect(lines[1]).toMatch(
      new RegExp(
        `^${id}  \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d +\\d+ B  bob@there\\.example +Shop +second wanted$`,
      ),
    );
  }, 60_000);
});

async function stop(daemon: Serving): Promise<void> {
  daemon.signal('SIGTERM');
  await daemon.ended();
}

/** A running `inboxd tail`. */
class Tail implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #ended: Promise<unknown>;
  #stderr = '';
  #hasEnded = false;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [BIN, 'tail', ...args], {
      env: { ...process.env, ...plainEnvironment() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#stderr += chunk));
    createInterface(this.#child.stdout!).on('line', (line) => this.#lines.push(line));
    this.#ended = once(this.#child, 'close').then(() => (this.#hasEnded = true));
  }

  /** Waits for so many lines. */
  async lines(count: number): Promise<readonly string[]> {
    await this.#until(() => this.#lines.length >= count);
    return this.#lines;
  }

  complained(text: string): Promise<void> {
    return this.#until(() => this.#stderr.includes(`inboxd: ${text}\n`));
  }

  async #until(happened: () => boolean): Promise<void> {
    await until(() => happened() || this.#hasEnded);
    if (!happened()) throw new Error(`tail has ended: ${this.#stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
