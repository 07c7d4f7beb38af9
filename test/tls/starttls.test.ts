import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDaemon, type Daemon, type Report } from '../../src/index.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

/*
 * STARTTLS from the outside (RFC 3207), over TCP and to the octet.
 */
let daemon: Daemon;
let smtp: number;
let lmtp: number;
let required: number;
const reports: Report[] = [];

beforeAll(async () => {
  daemon = await createDaemon(
    {
      listen: ['smtp://127.0.0.1:0', 'lmtp://127.0.0.1:0', 'smtp://127.0.0.1:0?tls=required'],
      data: ':memory:',
      hostname: 'mx.test',
    },
    { report: (report) => reports.push(report) },
  );
  [smtp = 0, lmtp = 0, required = 0] = daemon.listeners.map(({ url }) => Number(new URL(url).port));
});
afterAll(() => daemon.stop({ graceMs: 0 }));

/** A client that has heard the greeting and, if it gave a command, that too. */
async function client(port = smtp, ...commands: readonly string[]): Promise<WireClient> {
  const opened = await WireClient.open(port);
  await opened.hear(/^220 .*\r\n/);
  for (const command of commands) expect(await opened.ask(command)).toMatch(/^250/m);
  return opened;
}

async function encrypted(port = smtp, hello = 'EHLO me.test'): Promise<WireClient> {
  const opened = await client(port, hello);
  expect(await opened.ask('STARTTLS')).toBe('220 2.0.0 Ready to start TLS\r\n');
  await opened.upgrade();
  return opened;
}

const MAIL = 'MAIL FROM:<a@b.test>';
const RCPT = 'RCPT TO:<c@d.test>';

async function takesMail(opened: WireClient, hello = 'EHLO again.test'): Promise<void> {
  expect(await opened.ask(hello)).toMatch(/^250 /m);
  expect(await opened.ask(MAIL)).toMatch(/^250 /);
  expect(await opened.ask(RCPT)).toMatch(/^250 /);
  expect(await opened.ask('DATA')).toMatch(/^354 /);
  expect(await opened.ask('Subject: x\r\n\r\nx\r\n.')).toMatch(/^250 2\.0\.0 OK queued/);
  expect(await opened.ask('QUIT')).toMatch(/^221 /);
  opened.end();
  await opened.closed();
}

describe('STARTTLS', () => {
  it('is announced in clear text, not when TLS is on; REQUIRETLS the other way round', async () => {
    const opened = await client();
    const before = await opened.ask('EHLO me.test');
    expect(before).toMatch(/^250[- ]STARTTLS\r$/m);
    expect(before).not.toContain('REQUIRETLS');
    await opened.ask('STARTTLS');
    await opened.upgrade();
    const after = await opened.ask('EHLO me.test');
    expect(after).not.toContain('STARTTLS');
    expect(after).toMatch(/^250[- ]REQUIRETLS\r$/m);
    await takesMail(opened);
  });

  it.each([['idle'], ['ehlo', 'EHLO x.test'], ['helo', 'HELO x.test'], ['rset', 'EHLO x.test', 'RSET']])(
    'begins where no transaction is open: %s',
    async (_state, ...commands) => {
      const opened = await client(smtp, ...commands);
      expect(await opened.ask('starttls')).toMatch(/^220 /);
      await opened.upgrade();
      await takesMail(opened);
    },
  );

  it('begins after a message too', async () => {
    const opened = await client(smtp, 'EHLO x.test', MAIL, RCPT);
    await opened.ask('DATA');
    expect(await opened.ask('x\r\n.')).toMatch(/^250 /);
    expect(await opened.ask('STARTTLS')).toMatch(/^220 /);
    await opened.upgrade();
    await takesMail(opened);
  });

  it.each([
    ['mail', 'EHLO x.test', MAIL],
    ['rcpt', 'EHLO x.test', MAIL, RCPT],
    ['bdat', 'EHLO x.test', MAIL, RCPT, 'BDAT 0'],
  ])('is out of place in a transaction, which stays: %s', async (_state, ...commands) => {
    const opened = await client(smtp, ...commands);
    expect(await opened.ask('STARTTLS')).toMatch(/^503 5\.5\.1 /);
    expect(await opened.ask(MAIL)).toMatch(/^503 5\.5\.1 /);
    opened.destroy();
  });

  it('takes no argument, and goes on in clear text (501)', async () => {
    const opened = await client(smtp, 'EHLO x.test');
    expect(await opened.ask('STARTTLS now')).toMatch(/^501 5\.5\.4 /);
    expect(await opened.ask('STARTTLS =')).toMatch(/^501 5\.5\.4 /);
    await takesMail(opened);
  });

  it('is refused when TLS is on (503), also with an argument', async () => {
    const opened = await encrypted();
    expect(await opened.ask('STARTTLS')).toMatch(/^503 5\.5\.1 /);
    expect(await opened.ask('EHLO x.test')).toMatch(/^250/);
    expect(await opened.ask('STARTTLS')).toMatch(/^503 5\.5\.1 /);
    expect(await opened.ask('STARTTLS now')).toMatch(/^503 5\.5\.1 /);
    await takesMail(opened);
  });

  it('comes in LMTP too', async () => {
    const opened = await client(lmtp, 'LHLO me.test');
    expect(await opened.ask('STARTTLS')).toMatch(/^220 /);
    await opened.upgrade();
    expect(await opened.ask(MAIL)).toMatch(/^503 5\.5\.1 /);
    await takesMail(opened, 'LHLO me.test');
    const [{ id = '' } = {}] = (await daemon.store.list({ limit: 1 })).messages;
    expect((await daemon.store.get(id))?.protocol).toBe('LMTPS');
  });

  it('answers what was pipelined before it, in order', async () => {
    const opened = await client();
    opened.send('EHLO x.test\r\nNOOP\r\nSTARTTLS\r\n');
    await opened.hear(/^250 .*\r\n250 2\.0\.0 OK\r\n220 2\.0\.0 Ready to start TLS\r\n$/m);
    await opened.upgrade();
    await takesMail(opened);
  });

  it('forgets EHLO, transaction and counters: 503 until a new EHLO (RFC 3207 §4.2)', async () => {
    const opened = await client(smtp, 'EHLO x.test');
    for (let times = 0; times < 9; times++) expect(await opened.ask('FROB')).toMatch(/^500 /);
    await opened.ask('STARTTLS');
    await opened.upgrade();
    expect(await opened.ask(MAIL)).toMatch(/^503 5\.5\.1 Say EHLO/);
    expect(await opened.ask(RCPT)).toMatch(/^503 5\.5\.1 /);
    // with the two 503 the last of these would be the twentieth failure, and the end
    for (let times = 0; times < 9; times++) expect(await opened.ask('FROB')).toMatch(/^500 /);
    expect(await opened.ask('HELO x.test')).toMatch(/^250 mx\.test\r\n$/);
    expect(await opened.ask(`${MAIL} SIZE=5`)).toMatch(/^555 /); // parameters are for EHLO
    await takesMail(opened);
  });

  it('leaves facts with the message: version, cipher, server name, protocol, and a transcript without clear text', async () => {
    const opened = await client(smtp, 'EHLO in-clear-text.test');
    await opened.ask('STARTTLS');
    await opened.upgrade({ servername: 'wanted.test', minVersion: 'TLSv1.3' });
    await takesMail(opened, 'EHLO encrypted.test');
    const [{ id = '' } = {}] = (await daemon.store.list({ limit: 1 })).messages;
    const stored = await daemon.store.get(id);
    expect(stored).toMatchObject({
      protocol: 'ESMTPS',
      client: { hello: 'encrypted.test', tls: { version: 'TLSv1.3', serverName: 'wanted.test' } },
    });
    expect(stored?.client.tls?.cipher).toMatch(/^TLS_/);
    expect(stored?.transcript.join('\n')).not.toContain('in-clear-text');
    const end = reports.findLast(({ type }) => type === 'session-end');
    expect(end).toMatchObject({ hello: 'encrypted.test', tls: { version: 'TLSv1.3' } });
  });

  it('is not known to the profile mailinator, which begins with TLS where it is told to', async () => {
    const old = await createDaemon({
      listen: ['smtp://127.0.0.1:0', 'smtps://127.0.0.1:0'],
      data: ':memory:',
      profile: 'mailinator',
    });
    const [clear = 0, secure = 0] = old.listeners.map(({ url }) => Number(new URL(url).port));
    const opened = await client(clear);
    expect(await opened.ask('EHLO x.test')).not.toContain('STARTTLS');
    expect(await opened.ask('STARTTLS')).toBe('550 No such user\r\n');
    opened.end();
    await opened.closed();
    const implicit = await WireClient.openSecure(secure);
    await implicit.hear(/^220 .*\r\n/);
    expect(await implicit.ask('HELO x.test')).toMatch(/^250 /);
    implicit.destroy();
    await old.stop({ graceMs: 0 });
  });

  it('is refused with 502 and missing from EHLO and HELP where it is off', async () => {
    const off = await createDaemon({ listen: ['smtp://127.0.0.1:0'], data: ':memory:', tls: 'off' });
    const opened = await client(Number(new URL(off.listeners[0]!.url).port));
    expect(await opened.ask('EHLO x.test')).not.toContain('STARTTLS');
    expect(await opened.ask('STARTTLS')).toMatch(/^502 5\.5\.1 /);
    expect(await opened.ask('HELP')).not.toContain('STARTTLS');
    expect(await opened.ask(`${MAIL} REQUIRETLS`)).toMatch(/^555 5\.5\.4 /);
    opened.destroy();
    await off.stop({ graceMs: 0 });
  });
});

describe('a listener that requires TLS', () => {
  it('answers 530 to all but what leads to it', async () => {
    const opened = await client(required);
    for (const command of ['EHLO x.test', 'HELO x.test', 'NOOP', 'RSET']) {
      expect(await opened.ask(command), command).toMatch(/^250/);
    }
    expect(await opened.ask('HELP')).toMatch(/^214/);
    for (const command of [MAIL, RCPT, 'DATA', 'VRFY x', 'EXPN x', 'AUTH PLAIN', 'ETRN x']) {
      expect(await opened.ask(command), command).toMatch(/^530 5\.7\.0 Must issue a STARTTLS command first\r\n$/);
    }
    expect(await opened.ask('STARTTLS')).toMatch(/^220 /);
    await opened.upgrade();
    await takesMail(opened);
  });

  it('reads the payload of a refused BDAT away', async () => {
    const opened = await client(required, 'EHLO x.test');
    opened.send('BDAT 6\r\nQUIT\r\nNOOP\r\n');
    await opened.hear(/^530 5\.7\.0 .*\r\n250 2\.0\.0 OK\r\n/);
    expect(await opened.ask('QUIT')).toMatch(/^221 /);
    opened.end();
    await opened.closed();
  });
});

describe('REQUIRETLS (RFC 8689)', () => {
  it('gets 530 before STARTTLS, and is kept with the message behind it', async () => {
    const opened = await client(smtp, 'EHLO x.test');
    expect(await opened.ask(`${MAIL} REQUIRETLS`)).toMatch(/^530 5\.7\.0 /);
    await opened.ask('STARTTLS');
    await opened.upgrade();
    await opened.ask('EHLO x.test');
    expect(await opened.ask(`${MAIL} REQUIRETLS=yes`)).toMatch(/^501 5\.5\.4 /);
    expect(await opened.ask(`${MAIL} REQUIRETLS`)).toMatch(/^250 /);
    await opened.ask(RCPT);
    await opened.ask('DATA');
    const [, id = ''] = /queued as (\w+)/.exec(await opened.ask('TLS-Required: No\r\n\r\nx\r\n.')) ?? [];
    expect((await daemon.store.get(id))?.envelope.fromParams).toEqual({ REQUIRETLS: true });
    opened.destroy();
  });
});

describe('STARTTLS injection: what was sent in clear text', () => {
  const inStore = async () => (await daemon.store.stats()).messages;
  const smuggled = 'EHLO evil.test\r\nMAIL FROM:<evil@evil.test>\r\nRCPT TO:<x@y.test>\r\nDATA\r\nevil\r\n.\r\n';

  it.each([
    ['a whole line', 'NOOP\r\n'],
    ['half a line', 'NOOP '],
    ['half a line that would become a command', 'EHLO evil.test\r\nRSE'],
    ['a whole transaction', smuggled],
    ['an EHLO alone', 'EHLO evil.test\r\n'],
    ['an end of line', '\r\n'],
    ['a bare LF', 'x\n'],
    ['70 000 octets without an end', 'x'.repeat(70_000)],
    ['the start of a chunk', 'BDAT 1000 LAST\r\nabc'],
    ['a second STARTTLS', 'STARTTLS\r\n'],
  ])('never reaches the encrypted session: %s behind STARTTLS', async (_what, octets) => {
    const kept = await inStore();
    for (const hello of ['', 'EHLO x.test\r\n']) {
      const opened = await client();
      opened.send(`${hello}STARTTLS\r\n${octets}`);
      await opened.hear(/220 2\.0\.0 Ready to start TLS\r\n/);
      const secured = await opened.upgrade().then(
        () => true,
        () => false, // what was still under way was taken for a handshake: closed
      );
      if (!secured) continue;
      // the first encrypted command is the first of all: no half line before it, no reply left over, no EHLO known
      expect(await opened.ask(MAIL)).toMatch(/^503 5\.5\.1 Say EHLO/);
      expect(await opened.ask('RSET')).toBe('250 2.0.0 OK\r\n');
      expect(await opened.ask('EHLO me.test')).toMatch(/^250-mx\.test\r\n/);
      expect(await opened.ask(RCPT)).toMatch(/^503 5\.5\.1 /);
      expect(await opened.ask('QUIT')).toMatch(/^221 /);
      opened.end();
      await opened.closed();
    }
    expect(await inStore()).toBe(kept);
  });

  it.each([0, 1, 5, 20, 50])('never reaches it either when it comes %i ms behind our 220', async (ms) => {
    const kept = await inStore();
    const opened = await client(smtp, 'EHLO x.test');
    expect(await opened.ask('STARTTLS')).toMatch(/^220 /);
    if (ms > 0) await pause(ms);
    opened.send(smuggled);
    // it is no handshake: the connection ends, and not a word was answered
    const secured = await opened.upgrade().then(
      () => true,
      () => false,
    );
    expect(secured).toBe(false);
    await opened.closed();
    expect(await inStore()).toBe(kept);
  });

  it('answers nothing in clear text behind the 220 (response injection)', async () => {
    const opened = await client();
    opened.send('EHLO x.test\r\nSTARTTLS\r\nNOOP\r\nEHLO evil.test\r\nQUIT\r\n');
    await opened.hear(/220 2\.0\.0 Ready to start TLS\r\n/);
    opened.send('NOOP\r\n');
    expect(await opened.closed()).not.toMatch(/[2-5]\d\d[ -]/);
  });

  it('neither in LMTP nor where TLS is required', async () => {
    for (const [port, hello] of [
      [lmtp, 'LHLO x.test'],
      [required, 'EHLO x.test'],
    ] as const) {
      const opened = await client(port, hello);
      opened.send(`STARTTLS\r\n${hello}\r\nMAIL `);
      await opened.hear(/220 2\.0\.0 Ready to start TLS\r\n/);
      const secured = await opened.upgrade().then(
        () => true,
        () => false,
      );
      if (secured) expect(await opened.ask(MAIL)).toMatch(/^503 5\.5\.1 Say EHLO/);
      opened.destroy();
    }
  });

  it('nor what comes byte by byte', async () => {
    const opened = await client(smtp, 'EHLO x.test');
    for (const octet of 'STARTTLS\r\nNOOP ') opened.send(octet);
    await opened.hear(/220 2\.0\.0 Ready to start TLS\r\n/);
    const secured = await opened.upgrade().then(
      () => true,
      () => false,
    );
    if (secured) expect(await opened.ask(MAIL)).toMatch(/^503 5\.5\.1 Say EHLO/);
    opened.destroy();
  });
});

describe('what is no handshake', () => {
  it.each([
    ['a TLS ClientHello on a listener in clear text', () => Buffer.from('16030100500100004c0303', 'hex')],
    ['one of SSL 2', () => Buffer.from('802e0100020015000000100100800200800300800400800500800600', 'hex')],
  ])('%s gets a clear end', async (_what, octets) => {
    const opened = await client();
    opened.send(Buffer.concat([octets(), Buffer.from('\r\n')]));
    expect(await opened.hear(/^50[01] 5\.5\.2 .*\r\n/)).toBeTruthy();
    opened.end();
    await opened.closed();
  });

  it.each([
    ['random octets', Buffer.from('00112233445566778899aabbccddeeff', 'hex')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a record of 64 KiB', Buffer.concat([Buffer.from('160301ffff', 'hex'), Buffer.alloc(65_535)])],
    ['an alert', Buffer.from('15030100020100', 'hex')],
    ['a broken ClientHello', Buffer.from('160301001001000000aabbccddeeff001122334455', 'hex')],
  ])('%s behind STARTTLS ends the session, and the daemon lives', async (_what, octets) => {
    const opened = await client(smtp, 'EHLO x.test');
    await opened.ask('STARTTLS');
    opened.send(octets);
    opened.end();
    expect(await opened.closed()).not.toMatch(/^[2-5]\d\d[ -]/m);
    await until(() => reports.some((one) => one.type === 'session-end' && one.hello === 'x.test'));
    await takesMail(await client());
  });

  it('tells the log why a handshake failed', async () => {
    reports.length = 0;
    const opened = await client(smtp, 'EHLO failing.test');
    await opened.ask('STARTTLS');
    await expect(opened.upgrade({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow();
    await until(() => reports.some(({ type }) => type === 'session-end'));
    expect(reports.find(({ type }) => type === 'session-end')).toMatchObject({
      hello: 'failing.test',
      reason: 'handshake',
      trouble: expect.stringMatching(/^ERR_SSL_/),
    });
  });

  it('ends in silence when the client vanishes in the middle of it', async () => {
    reports.length = 0;
    for (const how of ['reset', 'end'] as const) {
      const opened = await client(smtp, 'EHLO x.test');
      await opened.ask('STARTTLS');
      opened.send(Buffer.from('1603010200', 'hex'));
      opened[how]();
      await opened.closed();
    }
    await until(() => reports.filter(({ type }) => type === 'session-end').length === 2);
    expect(reports.filter(({ type }) => type === 'crash')).toEqual([]);
  });
});
