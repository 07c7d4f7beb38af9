/** Holes of other servers, looked for in a daemon of its own over real sockets. */
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { deliver, SmtpClient, withCrlf } from '../support/smtp-client.ts';

const MEBIBYTE = 2 ** 20;
const LIMIT_BYTES = 256 * 1024;

let daemon: DaemonProcess;
beforeAll(async () => {
  daemon = await startDaemon({
    args: ['--max-message-size', String(LIMIT_BYTES), '--keep-per-inbox', '3', '--keep-bytes', '2MiB'],
  });
});
afterAll(() => daemon?.stop());

/** Nothing has gone wrong inside, whatever was answered. */
const expectNoCrash = (): void =>
  expect(daemon.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);

const residentBytes = (): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'latin1'))![1]) * 1024;

/** Sends pieces as long as they are taken; gives what was heard when the daemon has hung up, and how much it took. */
async function pour(start: string, piece: Buffer, most: number): Promise<{ heard: string; taken: number }> {
  const socket = connect(daemon.smtpPort, '127.0.0.1');
  let heard = '';
  let taken = 0;
  socket.on('data', (text: Buffer) => (heard += text.toString('latin1')));
  socket.on('error', () => {}); // hung up on: what this is about
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(start);
  const next = (): void => {
    if (socket.destroyed || taken >= most) return void socket.end();
    socket.write(piece, (error) => {
      if (error) return;
      taken += piece.length;
      next();
    });
  };
  next();
  await gone;
  return { heard, taken };
}

const TRANSACTION = 'EHLO x.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n';

describe('Unbounded input: memory stays and the session ends', () => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  it.each([
    ['a command line', '', /421 4\.7\.0 /],
    ['the argument of a command', 'EHLO x.test\r\nMAIL FROM:<', /421 4\.7\.0 /],
    ['content that is read away', `${TRANSACTION}DATA\r\n`, /421 4\.3\.0 /],
    ['a chunk without an end', `${TRANSACTION}BDAT 99999999999\r\n`, /552 5\.3\.4 /],
  ])('%s without an end', { timeout: 60_000 }, async (_what, start, last) => {
    const before = residentBytes();
    const { heard, taken } = await pour(start, piece, 512 * MEBIBYTE);
    expect(heard).toMatch(last);
    expect(taken).toBeLessThan(64 * MEBIBYTE);
    expect(residentBytes() - before).toBeLessThan(64 * MEBIBYTE);
    expectNoCrash();
  });
});

describe('Size checked only when declared: content is counted while it comes', () => {
  it.each(['', ' SIZE=10'])('MAIL%s and then too much is refused, and kept nowhere meanwhile', async (size) => {
    const client = await SmtpClient.open(daemon.smtpPort);
    await client.expect(250, `MAIL FROM:<a@b.test>${size}`);
    await client.expect(250, 'RCPT TO:<big@d.test>');
    await client.expect(354, 'DATA');
    await client.write(`${'x'.repeat(998)}\r\n`.repeat(Math.ceil(LIMIT_BYTES / 1000) + 20));
    await expect.poll(() => readdirSync(join(daemon.data, 'spool'))).toEqual([]);
    await client.write('.\r\n');
    expect((await client.reply()).text).toMatch(/^5\.3\.4 /);
    await client.quit();
    expect((await daemon.list()).messages.filter(({ Size }) => Size > LIMIT_BYTES)).toEqual([]);
  });
});

describe('Malformed trivia: answered, counted, survived', () => {
  it.each([
    'NOOP\0',
    'NOOP \x80\xff',
    'RCPT TO:<""@d>',
    'MAIL FROM:<""@d> =',
    'HELP \x1b',
    ':',
    '\x00',
    'VRFY \t',
    'EHLO \x7f',
    'MAIL FROM:<a@b.test> ==',
    'RSET\t',
  ])('%j gets one reply', async (line) => {
    const client = await SmtpClient.open(daemon.smtpPort);
    expect((await client.command(line)).code).toBeGreaterThanOrEqual(200);
    expect((await client.command('NOOP')).code).toBe(250);
    expect(client.unread).toBe(0);
    await client.drop();
    expectNoCrash();
  });

  it('a million newlines end the session after some', { timeout: 60_000 }, async () => {
    const { heard, taken } = await pour('', Buffer.from('\r\n'.repeat(10_000)), 2_000_000);
    expect(heard.match(/^500 5\.5\.2 /gm)?.length).toBeLessThan(50);
    expect(heard).toMatch(/421 4\.7\.0 /);
    expect(taken).toBeLessThanOrEqual(2_000_000);
    expectNoCrash();
  });
});

describe('Cross-protocol: what was meant for a web server runs no command', () => {
  it.each([
    'POST / HTTP/1.1\r\nHost: mx.test:25\r\nContent-Type: text/plain\r\n\r\n',
    'GET /?x HTTP/1.0\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'Host: mx.test\r\n',
    'Received: by x\r\n',
  ])('%j', async (start) => {
    const { heard } = await pour(
      `${start}${TRANSACTION}DATA\r\nSubject: cross\r\n\r\n.\r\nQUIT\r\n`,
      Buffer.from('NOOP\r\n'),
      6,
    );
    expect(heard.split('\r\n').map((line) => line.slice(0, 3))).toEqual(['220', '421', '']);
    expect((await daemon.list()).messages.filter(({ Subject }) => Subject === 'cross')).toEqual([]);
  });
});

describe('Shell and path: no octet of a client in a name on disk', () => {
  const NAMES = [
    '../../../../tmp/inboxd-escape',
    '/etc/passwd',
    '$(touch inboxd-escape)',
    '`id`',
    ';id',
    'a/../../b',
    'con\\..\\x',
  ];

  it.each(NAMES)('%s as address, Message-ID, Content-ID and name of a file', async (name) => {
    const content = withCrlf(
      Buffer.from(
        `Message-ID: <${name}@x>\nSubject: ${name}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; name="${name}"\nContent-ID: <${name}>\nContent-Disposition: attachment; filename="${name}"\n\n${'x\n'.repeat(80_000)}\n--b--\n`,
      ),
    );
    const client = await SmtpClient.open(daemon.smtpPort);
    const quoted = `"${name.replaceAll('\\', '\\\\')}"@d.test`;
    const [id] = await deliver(client, { from: quoted, to: [quoted], content });
    await client.quit();
    expect((await daemon.raw(id!)).equals(content)).toBe(true);
    const part = await fetch(`${daemon.httpUrl}/api/v1/message/${id}/part/1`, { headers: { connection: 'close' } });
    expect(part.headers.get('content-disposition') ?? '').not.toMatch(/filename="[^"]*[/\\]/);
    await part.arrayBuffer();
    for (const file of readdirSync(join(daemon.data, 'contents'))) expect(file).toMatch(/^[0-9a-z]{26}\.[0-9a-f]{8}$/);
    const known =
      /^(?:(?:inboxd|search)\.db(?:-wal|-shm)?|inboxd\.(?:json|pid)|lock\.db|reserve|contents|spool|intake-[01]|tls|[a-z-]+)$/;
    for (const file of readdirSync(daemon.data)) expect(file).toMatch(known);
  });
});

describe('250, then lost: what was acknowledged is listed and served raw', () => {
  const folder = new URL('../mails/malformed/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.eml'));

  it.each(files)('%s', async (name) => {
    const content = withCrlf(readFileSync(new URL(name, folder)));
    const client = await SmtpClient.open(daemon.smtpPort);
    const [id] = await deliver(client, { from: 'a@b.test', to: ['broken@d.test'], content });
    await client.quit();
    expect((await daemon.raw(id!)).equals(content)).toBe(true);
    expect((await daemon.list()).messages.map(({ ID }) => ID)).toContain(id);
    for (const view of ['', '/text', '/html']) {
      const reply = await fetch(`${daemon.httpUrl}/api/messages/${id}${view}`, { headers: { connection: 'close' } });
      expect(reply.status, view).toBeLessThan(500);
      await reply.arrayBuffer();
    }
  });
});

describe('Retention that does not bound: every reply finds the bounds held', () => {
  it('by number and by octets, as mail arrives', async () => {
    const client = await SmtpClient.open(daemon.smtpPort);
    const content = Buffer.from(`Subject: bounded\r\n\r\n${'x'.repeat(998).concat('\r\n').repeat(100)}`);
    for (let number = 0; number < 60; number++) {
      await deliver(client, { from: 'a@b.test', to: [`box${number % 12}@bound.test`], content });
      if (number % 6 !== 5) continue;
      const { messages } = await daemon.list();
      expect(messages.reduce((sum, { Size }) => sum + Size, 0)).toBeLessThanOrEqual(2 * MEBIBYTE);
      const { inboxes } = (await (
        await fetch(`${daemon.httpUrl}/api/inboxes`, { headers: { connection: 'close' } })
      ).json()) as { inboxes: { messages: number }[] };
      for (const inbox of inboxes) expect(inbox.messages).toBeLessThanOrEqual(3);
    }
    await client.quit();
  });
});

describe('Dotted lines: content costs what its octets cost', () => {
  it('a message of dots takes no turn of the event loop for each', { timeout: 60_000 }, async () => {
    const client = await SmtpClient.open(daemon.smtpPort);
    const cpu = (): number => {
      const fields = readFileSync(`/proc/${daemon.pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
      return Number(fields[11]) + Number(fields[12]);
    };
    const spent = async (line: string): Promise<number> => {
      const content = Buffer.from(line.repeat(Math.floor((LIMIT_BYTES - 1_000) / line.length)));
      const before = cpu();
      for (let count = 0; count < 20; count++)
        await deliver(client, { from: 'a@b.test', to: ['dots@d.test'], content });
      return cpu() - before;
    };
    await spent(`${'x'.repeat(78)}\r\n`);
    const plain = await spent(`${'x'.repeat(78)}\r\n`);
    const dotted = await spent('.\r\n');
    // ticks of 10 ms; a turn each would be hundreds of times as much
    expect(dotted).toBeLessThan(20 * Math.max(plain, 5));
    await client.quit();
  });
});
