import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type ConfigInput, createDaemon, type Daemon, type Report } from '../../src/index.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

/** The limits as clients meet them: a daemon of its own, to which 127.0.0.x are different addresses. */

let daemon: Daemon | undefined;
const reports: Report[] = [];
afterEach(async () => {
  await daemon?.stop({ graceMs: 0 });
  daemon = undefined;
  reports.length = 0;
});

async function start(config: ConfigInput): Promise<number> {
  const listen = config.listen ?? 'smtp://127.0.0.1:0';
  daemon = await createDaemon(
    { data: ':memory:', exempt: [], ...config, listen },
    { report: (one) => reports.push(one) },
  );
  return Number(new URL(daemon.listeners[0]!.url).port);
}

const mail = { from: 'me@here.test', to: ['a@b.test'], content: Buffer.from('Subject: hi\r\n\r\nhello\r\n') };
const refusals = () =>
  reports.filter((one) => one.type === 'refusal').map(({ phase, reason, code }) => `${phase}/${reason}/${code}`);

describe('per address', () => {
  it('connections over the cap are told 421 4.7.0 and closed; other addresses are unaffected', async () => {
    const port = await start({ addressConnections: 2, tarpitMs: 0 });
    const first = await SmtpClient.open({ port, from: '127.0.0.2' });
    const second = await SmtpClient.open({ port, from: '127.0.0.2' });
    const third = await SmtpClient.connect({ port, from: '127.0.0.2' });
    expect(await third.reply()).toMatchObject({ code: 421, text: expect.stringContaining('4.7.0') });
    await third.closed;
    const other = await SmtpClient.open({ port, from: '127.0.0.3' });
    for (const client of [first, second, other]) await client.quit();
    expect(refusals()).toEqual(['connect/connections/421']);
    expect(reports.filter(({ type }) => type === 'session-start')).toHaveLength(3);
  });

  it('connections per minute over the limit are refused', async () => {
    const port = await start({ addressConnectionsPerMinute: 3, tarpitMs: 0 });
    for (let i = 0; i < 3; i++) await (await SmtpClient.open({ port, from: '127.0.0.2' })).quit();
    const fourth = await SmtpClient.connect({ port, from: '127.0.0.2' });
    expect(await fourth.reply()).toMatchObject({ code: 421, text: expect.stringContaining('4.7.0') });
    await (await SmtpClient.open({ port, from: '127.0.0.3' })).quit();
  });

  it('a client that fails all the time is refused at the door', async () => {
    const port = await start({ addressFailuresPerMinute: 5, tarpitMs: 0 });
    const client = await SmtpClient.open({ port, from: '127.0.0.2' });
    for (let i = 0; i < 5; i++) await client.expect(500, 'FROB');
    await client.quit();
    const again = await SmtpClient.connect({ port, from: '127.0.0.2' });
    expect(await again.reply()).toMatchObject({ code: 421, text: expect.stringContaining('Too many errors') });
  });

  it('loopback is exempt unless told otherwise', async () => {
    const port = await start({ profile: 'public', greetWaitMs: 0, exempt: ['127.0.0.0/8', '::1'] });
    const clients = await Promise.all(Array.from({ length: 60 }, () => SmtpClient.open({ port, from: '127.0.0.2' })));
    for (const client of clients) await client.quit();
    expect(refusals()).toEqual([]);
  });

  it('LMTP, spoken by an own mail server, is not counted', async () => {
    const port = await start({
      listen: 'lmtp://127.0.0.1:0',
      addressConnections: 1,
      addressMessagesPerMinute: 1,
      sessionMessages: 1,
    });
    const clients = await Promise.all([1, 2].map(() => SmtpClient.open(port, 'LHLO me.test')));
    for (const client of clients) {
      for (let i = 0; i < 2; i++) await deliver(client, mail, { lmtp: true });
      await client.quit();
    }
  });
});

describe('over a soft limit', () => {
  it('the reply is held back; beyond the number of sleepers the client is refused instead', async () => {
    const port = await start({ addressMessagesPerMinute: 4, tarpitMs: 50, totalTarpits: 1 });
    const client = await SmtpClient.open({ port, from: '127.0.0.2' });
    for (let i = 0; i < 4; i++) await deliver(client, mail);
    expect(reports.flatMap((one) => (one.type === 'tarpit' ? [one.milliseconds] : []))).toEqual([100, 150]);
    await client.quit();
    await daemon!.stop();

    const slow = await start({ addressMessagesPerMinute: 4, softPercent: 1, tarpitMs: 60_000, totalTarpits: 1 });
    const sleeper = await SmtpClient.open({ port: slow, from: '127.0.0.2' });
    sleeper.write('MAIL FROM:<a@b.test>\r\n').catch(() => {});
    await expect.poll(() => reports.filter(({ type }) => type === 'tarpit').length).toBe(3);
    const refused = await SmtpClient.open({ port: slow, from: '127.0.0.3' });
    expect(await refused.command('MAIL FROM:<a@b.test>')).toMatchObject({ code: 450 });
    await sleeper.drop();
    await expect.poll(() => refusals()).toEqual(['mail/busy/450']);
  });
});

describe('one connection', () => {
  it('brings only so many messages, as EHLO says (RFC 9422)', async () => {
    const port = await start({ sessionMessages: 2 });
    const client = await SmtpClient.connect(port);
    await client.greeted();
    const { lines } = await client.expect(250, 'EHLO me.test');
    expect(lines).toContain('LIMITS RCPTMAX=1000 MAILMAX=2');
    for (let i = 0; i < 2; i++) await deliver(client, mail);
    expect(await client.command('MAIL FROM:<a@b.test>')).toMatchObject({ code: 421 });
    await client.closed;
    expect(refusals()).toEqual(['mail/session/421']);
  });

  it('brings only so many octets', async () => {
    const port = await start({ sessionBytes: 1000 });
    const client = await SmtpClient.open(port);
    await deliver(client, { ...mail, content: Buffer.from(`${'x'.repeat(2000)}\r\n`) });
    expect(await client.command('MAIL FROM:<a@b.test>')).toMatchObject({ code: 421 });
  });

  it('lasts only so long without a message, whatever else it says', async () => {
    const port = await start({ sessionMs: 200 });
    const client = await SmtpClient.open(port);
    const closed = { is: false };
    void client.closed.then(() => {
      closed.is = true;
    });
    while (!closed.is) {
      client.write('NOOP\r\n').catch(() => {});
      await sleep(20);
    }
    await until(() => reports.some(({ type }) => type === 'session-end'));
    expect(reports.find(({ type }) => type === 'session-end')).toMatchObject({ reason: 'timeout' });
  });
});

describe('early talkers', () => {
  it('who speak before the greeting get 554 5.5.0 and nothing they said runs', async () => {
    const port = await start({ greetWaitMs: 60_000 });
    const client = await SmtpClient.connect(port);
    await client.write('EHLO me.test\r\nMAIL FROM:<a@b.test>\r\n');
    expect(await client.reply()).toMatchObject({ code: 554, text: expect.stringContaining('5.5.0') });
    await client.closed;
    expect(client.unread).toBe(0);
    expect(refusals()).toEqual(['connect/early-talker/554']);
  });

  it('who wait for it are served', async () => {
    const port = await start({ greetWaitMs: 50 });
    const client = await SmtpClient.open(port);
    await deliver(client, mail);
    await client.quit();
  });

  it('who leave meanwhile leave nothing behind', async () => {
    const port = await start({ greetWaitMs: 60_000 });
    const socket = connect(port, '127.0.0.1');
    await expect.poll(() => reports.some(({ type }) => type === 'session-start')).toBe(true);
    socket.destroy();
    await expect.poll(() => reports.some(({ type }) => type === 'session-end')).toBe(true);
  });
});

describe('under strain', () => {
  it('clients get less time, and content must come at a pace', async () => {
    const port = await start({
      maxConnections: 10,
      strainPercent: 50,
      strainedCommandMs: 100,
      commandTimeoutMs: 60_000,
    });
    const idle = await Promise.all(Array.from({ length: 6 }, () => SmtpClient.open(port)));
    for (const client of idle) expect((await client.reply()).code).toBe(421);
    expect(reports.find(({ type }) => type === 'load')).toMatchObject({ level: 'strained', cause: 'connections' });
    await expect
      .poll(() => reports.filter((one) => one.type === 'load').map(({ level }) => level), { timeout: 20_000 })
      .toEqual(['strained', 'calm']);
    const client = await SmtpClient.open(port);
    await sleep(300);
    await deliver(client, mail); // there is time again
    await client.quit();
  }, 30_000);
});
