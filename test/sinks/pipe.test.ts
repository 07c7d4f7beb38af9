import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDaemon } from '../../src/daemon.ts';
import { contentOf } from '../../src/mail/content.ts';
import type { Message } from '../../src/mail/message.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Sink } from '../../src/mail/sink.ts';
import { createPipeSink, type PipeOptions } from '../../src/sinks/pipe.ts';
import { soundReply } from '../../src/smtp/verdict.ts';
import { mail, sampleMessage } from '../store/support.ts';
import { SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;
const LIMITS = { runMs: 60_000, processes: 4, waiting: 100 };

let folder: string;
let reports: Report[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-pipe-'));
  reports = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

function pipe(command: readonly string[], options: Partial<PipeOptions> = {}): Sink {
  return createPipeSink({
    command,
    hostname: 'mx.test',
    limits: LIMITS,
    report: (one) => reports.push(one),
    ...options,
  });
}

/** A sink that runs a script of the shell; the shell is the test's, the sink knows none. */
const shell = (script: string, options?: Partial<PipeOptions>): Sink =>
  pipe(['sh', '-c', script, 'sh', folder], options);

const node = (script: string): Sink => pipe([process.execPath, '-e', script, folder]);

/** True while a process runs; one that is dead and waits for its parent does not. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const pidIn = (name: string): number => Number(readFileSync(at(name), 'utf8'));
const isWritten = (name: string): boolean => existsSync(at(name)) && statSync(at(name)).size > 0;

describe('what a command gets', () => {
  it('is the message byte for byte', async () => {
    const raw = Buffer.from('Subject: x\r\n\r\n\0\xff.\r\n.\r\n\rb\n', 'latin1');
    expect(
      await shell('cat > "$1/mail"')(
        sampleMessage({ content: contentOf([raw.subarray(0, 5), raw.subarray(5)]) }),
        never,
      ),
    ).toBeUndefined();
    expect(readFileSync(at('mail'))).toEqual(raw);
  });

  it('is a large message as fast as it reads it, not faster', async () => {
    let given = 0;
    const view = Buffer.alloc(64 * 1024, 'x');
    const total = 400 * view.length;
    const large: Message = {
      ...sampleMessage(),
      content: {
        ...contentOf([]),
        bytes: total,
        async *stream() {
          for (; given < total; given += view.length) yield view;
        },
      },
    };
    const sink = shell('echo $$ > "$1/pid"; while [ ! -e "$1/go" ]; do sleep 0.02; done; wc -c > "$1/count"');
    const done = sink(large, never);
    await until(() => isWritten('pid'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(given).toBeLessThan(total / 10);
    writeFileSync(at('go'), '');
    expect(await done).toBeUndefined();
    expect(pidIn('count')).toBe(total);
  });

  it('are the facts in its environment, and nothing that shell or newline could make of them', async () => {
    const message: Message = {
      ...sampleMessage({ from: 'sender@example.org', to: ['a@example.com', 'b@example.com'], raw: mail('Facts') }),
      client: {
        address: '2001:db8::1',
        port: 4711,
        hello: 'evil\nMAIL_LOGIN=root\0$(touch x)`id`',
        name: 'client.example.org',
        tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
        login: { mechanism: 'PLAIN', user: 'anna' },
      },
      protocol: 'ESMTPSA',
    };
    await node('fs.writeFileSync(process.argv[1] + "/env", JSON.stringify(process.env))')(message, never);
    expect(JSON.parse(readFileSync(at('env'), 'utf8'))).toMatchObject({
      MAIL_ID: message.id,
      MAIL_SESSION: 'session-1',
      MAIL_SENDER: 'sender@example.org',
      MAIL_RECIPIENTS: 'a@example.com\nb@example.com',
      MAIL_SIZE: String(message.content.bytes),
      MAIL_RECEIVED_AT: message.receivedAt.toISOString(),
      MAIL_PROTOCOL: 'ESMTPSA',
      MAIL_SERVER: 'mx.test',
      MAIL_CLIENT_ADDRESS: '2001:db8::1',
      MAIL_CLIENT_PORT: '4711',
      MAIL_CLIENT_NAME: 'client.example.org',
      MAIL_CLIENT_HELLO: 'evil?MAIL_LOGIN=root?$(touch x)`id`',
      MAIL_TLS: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
      MAIL_LOGIN: 'anna',
      MAIL_LOGIN_MECHANISM: 'PLAIN',
      MAIL_QUARANTINE: '',
      MAIL_AUTHENTICATION_RESULTS: '',
      PATH: process.env.PATH,
    });
  });

  it('holds none of our own settings and secrets', async () => {
    process.env.INBOXD_TOKEN = 'secret';
    try {
      await shell('env > "$1/env"')(sampleMessage(), never);
    } finally {
      delete process.env.INBOXD_TOKEN;
    }
    expect(readFileSync(at('env'), 'utf8')).not.toMatch(/INBOXD|VITEST|secret/);
  });

  it('are its arguments as they are: no shell reads them', async () => {
    await pipe([
      process.execPath,
      '-e',
      'fs.writeFileSync(process.argv[1] + "/args", JSON.stringify(process.argv.slice(2)))',
      folder,
      '$HOME',
      '*',
      'a b',
      '"; touch x',
    ])(sampleMessage(), never);
    expect(JSON.parse(readFileSync(at('args'), 'utf8'))).toEqual(['$HOME', '*', 'a b', '"; touch x']);
  });

  it('is no list of recipients that no variable can hold', async () => {
    const to = Array.from({ length: 3000 }, (_, n) => `${'l'.repeat(40)}${n}@example.com`);
    expect(await pipe(['true'])(sampleMessage({ to }), never)).toMatchObject({ code: 554, enhanced: '5.5.3' });
  });
});

describe('what its exit code says (sysexits.h)', () => {
  it.each([
    [75, { code: 451, enhanced: '4.3.0' }],
    [77, { code: 550, enhanced: '5.7.1' }],
    [67, { code: 550, enhanced: '5.1.1' }],
    [68, { code: 550, enhanced: '5.1.2' }],
    [65, { code: 550, enhanced: '5.6.0' }],
    [1, { code: 550, enhanced: '5.7.1' }],
    [255, { code: 550, enhanced: '5.7.1' }],
  ])('%i', async (code, verdict) => {
    expect(await shell(`exit ${code}`)(sampleMessage(), never)).toMatchObject(verdict);
    const milliseconds = expect.any(Number);
    expect(reports).toEqual([
      { type: 'command', program: 'sh', session: 'session-1', exitCode: code, milliseconds, errors: '' },
    ]);
  });

  it('0 accepts, whatever was read and written', async () => {
    const large = sampleMessage({ content: contentOf([Buffer.alloc(1_000_000)]) });
    expect(await pipe(['true'])(large, never)).toBeUndefined();
    expect(await shell('exec 0<&-; yes | head -c 1000000')(large, never)).toBeUndefined();
    expect(reports).toMatchObject([
      { exitCode: 0, errors: '' },
      { exitCode: 0, errors: '' },
    ]);
    expect(await pipe(['false'])(large, never)).toMatchObject({ code: 550 });
  });

  it('tells the client the first line of output, cleaned, and the log the first of standard error', async () => {
    const script = String.raw`echo; printf 'No \033[31m such\tuser \303\274\r\n250 OK\n'; echo 'at /srv/inside' >&2; exit 67`;
    const verdict = await shell(script)(sampleMessage(), never);
    expect(verdict).toEqual({ code: 550, enhanced: '5.1.1', text: 'No ?[31m such user ??' });
    expect(soundReply(verdict as never)).toBeDefined();
    expect(reports).toMatchObject([{ type: 'command', exitCode: 67, errors: 'at /srv/inside' }]);
    const long = await shell('head -c 100000 /dev/zero | tr "\\0" x; exit 77')(sampleMessage(), never);
    expect((long as { text: string }).text).toBe('x'.repeat(200));
  });

  it('says nothing when something kills it: that is an error, 451 for the client', async () => {
    const killed = shell('echo $$ > "$1/pid"; exec sleep 600')(sampleMessage(), never) as Promise<unknown>;
    const told = expect(killed).rejects.toThrow('sh was killed by SIGKILL');
    await until(() => isWritten('pid'));
    process.kill(pidIn('pid'), 'SIGKILL');
    await told;
    expect(reports).toMatchObject([{ type: 'command', exitCode: null }]);
  });

  it('is not waited for because of what it leaves running', async () => {
    expect(await shell('sleep 600 & echo $! > "$1/pid"; exit 0')(sampleMessage(), never)).toBeUndefined();
    expect(runs(pidIn('pid'))).toBe(true);
    process.kill(pidIn('pid'), 'SIGKILL');
  });
});

describe('limits', () => {
  it('kills a command that takes too long, with all that it started', async () => {
    const sink = shell('trap "" TERM; sleep 600 & echo $! > "$1/child"; wait', { limits: { ...LIMITS, runMs: 500 } });
    await expect(sink(sampleMessage(), never)).rejects.toThrow('sh took longer than 500 ms');
    if (isWritten('child')) await until(() => !runs(pidIn('child')));
  });

  it('kills it when nobody waits any more, and lets what waits for it go', async () => {
    const sink = shell('echo $$ > "$1/pid"; exec sleep 600', { limits: { ...LIMITS, processes: 1 } });
    const deadline = new AbortController();
    const both = [sink(sampleMessage(), deadline.signal), sink(sampleMessage(), deadline.signal)] as Promise<unknown>[];
    const told = Promise.all(both.map((one) => expect(one).rejects.toThrow('too late')));
    await until(() => isWritten('pid'));
    deadline.abort(new Error('too late'));
    await told;
    await until(() => !runs(pidIn('pid')));
  });

  it('kills a command that would otherwise believe to have the whole message when its bytes cannot be read', async () => {
    const message: Message = {
      ...sampleMessage(),
      content: {
        ...contentOf([]),
        async *stream() {
          yield Buffer.from('half of it');
          throw Object.assign(new Error('disk is broken'), { code: 'EIO' });
        },
      },
    };
    await expect(shell('cat > /dev/null; touch "$1/delivered"')(message, never)).rejects.toThrow('disk is broken');
    expect(existsSync(at('delivered'))).toBe(false);
  });

  it('runs so many at once and lets so many wait', async () => {
    const sink = shell('echo x >> "$1/started"; while [ ! -e "$1/go" ]; do sleep 0.02; done', {
      limits: { ...LIMITS, processes: 2, waiting: 1 },
    });
    const three = [1, 2, 3].map(() => sink(sampleMessage(), never));
    await until(() => existsSync(at('started')) && readFileSync(at('started'), 'utf8') === 'x\nx\n');
    expect(await sink(sampleMessage(), never)).toMatchObject({ code: 451, enhanced: '4.3.2' });
    expect(readFileSync(at('started'), 'utf8')).toBe('x\nx\n');
    writeFileSync(at('go'), '');
    expect(await Promise.all(three)).toEqual([undefined, undefined, undefined]);
    expect(readFileSync(at('started'), 'utf8')).toBe('x\nx\nx\n');
    expect(await sink(sampleMessage(), never)).toBeUndefined();
  });
});

describe('a command that cannot be run', () => {
  it.each([
    ['/nonexistent/deliver', 'sink pipe:/nonexistent/deliver: there is no such file'],
    ['no-such-program-here', 'sink pipe:no-such-program-here: there is no such program in PATH'],
    ['/etc', 'sink pipe:/etc: it is no file'],
    ['/etc/passwd', 'sink pipe:/etc/passwd: it is not executable by the user that inboxd runs as'],
  ])('%s keeps the daemon from starting', async (program, text) => {
    const start = createDaemon({ listen: 'smtp://127.0.0.1:0', sink: { kind: 'pipe', command: [program] } });
    await expect(start).rejects.toMatchObject({ code: 'SINK_UNUSABLE', message: text });
  });

  it('once it has gone is 451', async () => {
    writeFileSync(at('deliver'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const sink = pipe([at('deliver')]);
    expect(await sink(sampleMessage(), never)).toBeUndefined();
    rmSync(at('deliver'));
    await expect(sink(sampleMessage(), never)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a daemon with a command', () => {
  it('answers clients with its verdict, over SMTP', async () => {
    const script =
      'case $MAIL_RECIPIENTS in no*) echo Not here; exit 67;; later*) exit 75;; slow*) sleep 600;; *) cat >> "$1/mail";; esac';
    const daemon = await createDaemon({
      listen: 'smtp://127.0.0.1:0',
      data: ':memory:',
      sink: `pipe:${JSON.stringify(['sh', '-c', script, 'sh', folder])}`,
      pipeTimeoutMs: 2_000,
    });
    try {
      const client = await SmtpClient.open(Number(new URL(daemon.listeners[0]!.url).port));
      const reply = async (to: string): Promise<string> => {
        await client.command('MAIL FROM:<a@example.org>');
        await client.command(`RCPT TO:<${to}@example.com>`);
        await client.command('DATA');
        const { code, text } = await client.command('Subject: x\r\n\r\nHello\r\n.');
        return `${code} ${text}`;
      };
      expect(await reply('no')).toBe('550 5.1.1 Not here');
      expect(await reply('later')).toMatch(/^451 4\.3\.0 /);
      expect(await reply('slow')).toMatch(/^451 4\.3\.0 /);
      expect(await reply('yes')).toMatch(/^250 2\.0\.0 /);
      expect(readFileSync(at('mail'), 'utf8')).toBe('Subject: x\r\n\r\nHello\r\n');
      client.socket.destroy();
    } finally {
      await daemon.stop({ graceMs: 0 });
    }
  });

  it('takes what is at work with it when it stops', async () => {
    const script = 'echo $$ > "$1/pid"; exec sleep 600';
    const daemon = await createDaemon({
      listen: 'smtp://127.0.0.1:0',
      data: ':memory:',
      sink: { kind: 'pipe', command: ['sh', '-c', script, 'sh', folder] },
    });
    const client = await SmtpClient.open(Number(new URL(daemon.listeners[0]!.url).port));
    await client.command('MAIL FROM:<a@example.org>');
    await client.command('RCPT TO:<b@example.com>');
    await client.command('DATA');
    client.socket.write('Hello\r\n.\r\n');
    await until(() => isWritten('pid'));
    await daemon.stop({ graceMs: 0 });
    await until(() => !runs(pidIn('pid')));
  });
});
