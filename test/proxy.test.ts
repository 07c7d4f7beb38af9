/** Connections through load balancers that speak the PROXY protocol, as the daemon meets them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config.ts';
import { createDaemon, type Daemon } from '../src/daemon.ts';
import type { Message } from '../src/mail/message.ts';
import type { Report } from '../src/mail/report.ts';

const V2 = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
  Buffer.from([0x21, 0x11, 0, 12, 198, 51, 100, 7, 192, 0, 2, 1, 0x12, 0x67, 0, 25]),
]);
const V1 = Buffer.from('PROXY TCP4 198.51.100.7 192.0.2.1 4711 25\r\n');
const SESSION = 'EHLO x.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n';

/** Daemons by configuration: one serves many tests. */
const daemons = new Map<string, Daemon>();
const messages: Message[] = [];
const reports: Report[] = [];
const asked: string[] = [];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-proxy-'));
});
beforeEach(() => {
  for (const list of [messages, reports, asked]) list.length = 0;
});
afterAll(async () => {
  for (const daemon of daemons.values()) await daemon.stop({ graceMs: 0 });
  rmSync(folder, { recursive: true, force: true });
});

async function daemonWith(input: ConfigInput): Promise<Daemon> {
  const key = JSON.stringify(input);
  const known = daemons.get(key);
  if (known) return known;
  const daemon = await createDaemon(
    { listen: ['smtp://127.0.0.1:0'], data: ':memory:', tls: input.listen ? 'offered' : 'off', ...input },
    {
      report: (report) => reports.push(report),
      sink: (message) => {
        messages.push(message);
        return undefined;
      },
      filters: [
        {
          name: 'watch',
          connect: ({ client }) => {
            asked.push(client.address);
            return undefined;
          },
        },
      ],
    },
  );
  daemons.set(key, daemon);
  return daemon;
}

async function start(input: ConfigInput): Promise<number> {
  return Number(new URL((await daemonWith(input)).listeners[0]!.url).port);
}

/** Everything the daemon says until it closes. */
async function hear(socket: Socket): Promise<string> {
  let heard = '';
  socket.setEncoding('latin1').on('data', (text) => (heard += text));
  socket.on('error', () => {}); // a reset is an end, too
  await new Promise((resolve) => socket.once('close', resolve));
  return heard;
}

const refusals = () => reports.flatMap((one) => (one.type === 'refusal' && one.reason === 'proxy' ? [one.text] : []));

describe('a connection from a load balancer', () => {
  for (const [name, header] of [
    ['version 1', V1],
    ['version 2', V2],
  ] as const) {
    it(`is the one of whom its header names, to everybody (${name}, in one segment)`, async () => {
      const socket = connect(await start({ proxyFrom: ['127.0.0.0/8'] }), '127.0.0.1');
      socket.write(Buffer.concat([header, Buffer.from(SESSION)]));
      expect(await hear(socket)).toMatch(/^220 .*\r\n(250.*\r\n)+354 .*\r\n250 .*queued.*\r\n221 .*\r\n$/);
      expect(messages[0]!.client).toMatchObject({ address: '198.51.100.7', port: 4711, hello: 'x.test' });
      expect(asked).toEqual(['198.51.100.7']);
      expect(reports.find(({ type }) => type === 'session-start')).toMatchObject({ address: '198.51.100.7' });
      await expect
        .poll(() => reports.find(({ type }) => type === 'session-end'))
        .toMatchObject({ address: '198.51.100.7' });
    });

    it(`may come octet by octet (${name})`, async () => {
      const socket = connect({ port: await start({ proxyFrom: ['127.0.0.1'] }), host: '127.0.0.1', noDelay: true });
      const heard = hear(socket);
      for (const octet of Buffer.concat([header, Buffer.from(SESSION)])) {
        socket.write(Buffer.from([octet]));
        await new Promise(setImmediate);
      }
      expect(await heard).toMatch(/250 .*queued.*\r\n221 .*\r\n$/);
      expect(messages[0]!.client.address).toBe('198.51.100.7');
    });

    it(`is greeted when its header is there and nothing else (${name})`, async () => {
      const socket = connect(await start({ proxyFrom: ['127.0.0.1'] }), '127.0.0.1');
      socket.write(header);
      const greeting = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
      expect(greeting.toString()).toMatch(/^220 /);
      socket.end(SESSION);
      expect(await hear(socket)).toMatch(/221 .*\r\n$/);
    });

    it(`may go on with TLS from its first octet (${name})`, async () => {
      const port = await start({ listen: ['smtps://127.0.0.1:0'], proxyFrom: ['127.0.0.1'] });
      const clear = connect(port, '127.0.0.1');
      // the header and the client's first word of TLS in one segment
      clear.cork();
      clear.write(header);
      const socket = connectTls({ socket: clear, rejectUnauthorized: false });
      setImmediate(() => clear.uncork());
      socket.write(SESSION);
      expect(await hear(socket)).toMatch(/250 .*queued.*\r\n221 .*\r\n$/);
      expect(messages[0]).toMatchObject({ protocol: 'ESMTPS', client: { address: '198.51.100.7' } });
    });
  }

  it("is the balancer's own where the header says so", async () => {
    const socket = connect(await start({ proxyFrom: ['127.0.0.1'] }), '127.0.0.1');
    socket.write(`PROXY UNKNOWN\r\n${SESSION}`);
    expect(await hear(socket)).toMatch(/221 .*\r\n$/);
    expect(messages[0]!.client.address).toBe('127.0.0.1');
  });

  it.each([
    ['no header at all', SESSION],
    ['PROXY TCP4 and nothing else', 'PROXY TCP4\r\n'],
    ['what no header is', `PROXY TCP4 a b c d\r\n${SESSION}`],
    ['octets without end', 'PROXY TCP4 '.padEnd(90_000, '1')],
    ['a second header', `${V1}${V1}${SESSION}`],
  ])('PROXY and XCLIENT: is closed, and nothing behind is run, for %s', async (name, bytes) => {
    const socket = connect(await start({ proxyFrom: ['127.0.0.1'] }), '127.0.0.1');
    socket.write(bytes);
    const heard = await hear(socket);
    if (name === 'a second header') expect(heard).toMatch(/^220 .*\r\n421 4\.7\.0 PROXY headers are not taken.*\r\n$/);
    else {
      expect(heard).toBe('');
      expect(refusals()).toEqual([expect.stringContaining('PROXY header refused: ')]);
    }
    expect(messages).toEqual([]);
  });

  it('PROXY and XCLIENT: may vanish in the middle of its header, with FIN or RST, and leaves nothing behind', async () => {
    const port = await start({ proxyFrom: ['127.0.0.1'] });
    for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
      for (const some of ['', 'P', 'PROXY TCP4 198.51', V2.subarray(0, 14)]) {
        const socket = connect(port, '127.0.0.1');
        await new Promise<void>((resolve) => socket.once('connect', resolve));
        if (some.length > 0) await new Promise((resolve) => socket.write(some, resolve));
        const closed = hear(socket);
        socket[end]();
        await closed;
      }
    }
    await expect.poll(() => refusals().length).toBe(12);
    expect(reports.filter(({ type }) => type === 'crash' || type === 'session-start')).toEqual([]);
  });

  it('PROXY and XCLIENT: has five seconds for its header', async () => {
    const socket = connect(await start({ proxyFrom: ['127.0.0.1'] }), '127.0.0.1');
    socket.write('PROXY TCP4 198.51.100.7 192.0.2.1 ');
    const started = performance.now();
    expect(await hear(socket)).toBe('');
    expect(performance.now() - started).toBeGreaterThan(4_500);
    expect(refusals()).toEqual(['PROXY header refused: no whole header came within 5000 ms']);
  }, 20_000);

  it('does not hold a stop up while its header is awaited', async () => {
    const config = { proxyFrom: ['127.0.0.1', '127.0.0.2'] };
    const socket = connect(await start(config), '127.0.0.1');
    socket.write('PROXY ');
    const heard = hear(socket);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const started = performance.now();
    await (await daemonWith(config)).stop({ graceMs: 60_000 });
    expect(await heard).toBe('');
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});

describe('PROXY and XCLIENT: connections whose header is awaited', () => {
  const opened: Socket[] = [];
  afterEach(() => {
    for (const socket of opened.splice(0)) socket.destroy();
  });
  const open = async (port: number, words: string | Buffer = ''): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    opened.push(socket);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    if (words.length > 0) socket.write(words);
    return socket;
  };
  const full = () => reports.filter((one) => one.type === 'refusal' && one.reason === 'places');
  const greeting = (socket: Socket) =>
    new Promise<string>((resolve) => socket.once('data', (data) => resolve(`${data}`)));

  it('take up places of all listeners together, at most half of them, and give them back', async () => {
    const listen = ['smtp://127.0.0.1:0', 'smtp://127.0.0.1:0', 'lmtp://127.0.0.1:0'];
    const daemon = await daemonWith({ listen, maxConnections: 6, proxyFrom: ['127.0.0.1'] });
    const [one = 0, two = 0, lmtp = 0] = daemon.listeners.map(({ url }) => Number(new URL(url).port));
    const waiting = [await open(one), await open(two), await open(lmtp)];
    // half of the places wait: who comes now is turned away, whichever listener it is
    expect(await hear(await open(one, V1))).toMatch(/^421 4\.3\.2 Too many connections/);
    await expect.poll(() => full().length).toBe(1);
    // one that says who it is waits no more, and the next may wait
    const greeted = greeting(waiting[0]!);
    waiting[0]!.write(V1);
    expect(await greeted).toMatch(/^220 /);
    const next = await open(two, V1);
    expect(await greeting(next)).toMatch(/^220 /);
    // one that goes makes room, too
    const gone = hear(waiting[1]!);
    waiting[1]!.end();
    await gone;
    for (const port of [one, two]) expect(await greeting(await open(port, V1))).toMatch(/^220 /);
    expect(full()).toHaveLength(1);
  });

  it('are none where those who are served have all places', async () => {
    const port = await start({ maxConnections: 2, proxyFrom: ['127.0.0.1'] });
    for (let count = 0; count < 2; count++) expect(await greeting(await open(port, V1))).toMatch(/^220 /);
    expect(await hear(await open(port))).toMatch(/^421 4\.3\.2 Too many connections/);
    expect(full()).toHaveLength(1);
    opened.shift()!.destroy();
    await expect.poll(async () => greeting(await open(port, V1)), { timeout: 20_000 }).toMatch(/^220 /);
  });

  it('are turned away at once while the daemon is overloaded', async () => {
    const port = await start({ memoryBytes: 1, proxyFrom: ['127.0.0.1'] });
    await expect.poll(() => reports.some((one) => one.type === 'load' && one.level === 'overloaded')).toBe(true);
    expect(await hear(await open(port))).toMatch(/^421 4\.3\.2 Too busy/);
    expect(reports.filter((one) => one.type === 'refusal')).toMatchObject([{ reason: 'busy', address: '127.0.0.1' }]);
  });
});

describe('a connection from anywhere else', () => {
  it('PROXY and XCLIENT: that begins with a header is cut, and nothing behind is run', async () => {
    const port = await start({ proxyFrom: ['192.0.2.0/24'] });
    // most of version 2 are lines that are none, and the command behind it is lost in the last of them
    const lost = connect(port, '127.0.0.1');
    lost.write(Buffer.concat([V2, Buffer.from(SESSION)]));
    expect(await hear(lost)).toMatch(/^220 .*\r\n(?:500 .*\r\n){2}(?:50[01] .*\r\n)+503 5\.5\.1 Say EHLO/);
    expect(messages).toEqual([]);
    // the header of version 1 is the end
    const socket = connect(port, '127.0.0.1');
    socket.write(Buffer.concat([V1, Buffer.from(SESSION)]));
    expect(await hear(socket)).toMatch(/^220 .*\r\n421 4\.7\.0 PROXY headers are not taken from your address.*\r\n$/);
    expect(messages).toEqual([]);
  });

  it('is served as ever, and so is a UNIX socket', async () => {
    const path = join(folder, 's.sock');
    const listen = [`smtp://${path}`, 'smtp://127.0.0.1:0'];
    const daemon = await daemonWith({ listen, proxyFrom: ['192.0.2.0/24', '2001:db8::/32'] });
    const port = Number(new URL(daemon.listeners[1]!.url).port);
    for (const socket of [connect(path), connect(port, '127.0.0.1')]) {
      socket.write(SESSION);
      expect(await hear(socket)).toMatch(/221 .*\r\n$/);
    }
    expect(messages.map(({ client }) => client.address)).toEqual(['local', '127.0.0.1']);
  });
});
