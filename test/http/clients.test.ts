import { type AddressInfo, connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Clients } from '../../src/http/clients.ts';
import type { ClientLimits, HttpLimits } from '../../src/http/limits.ts';
import { createHttpServer } from '../../src/http/server.ts';
import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { until } from '../support/until.ts';

const REMOTE = '192.0.2.1';
const NEIGHBOUR = '192.0.2.2';

describe('Clients', () => {
  it('counts connections of each client and of all', () => {
    const clients = new Clients({ connections: 5, connectionsPerClient: 2 });
    expect([1, 2, 3].map(() => clients.connect(REMOTE))).toEqual([true, true, false]);
    expect([1, 2].map(() => clients.connect(NEIGHBOUR))).toEqual([true, true]);
    expect([1, 2].map(() => clients.connect('127.0.0.1'))).toEqual([true, false]); // one was left for all
    clients.disconnect(REMOTE);
    expect([1, 2].map(() => clients.connect(REMOTE))).toEqual([true, false]);
  });

  it('lets requests come at the pace of a minute, and says how long to wait', () => {
    let now = 0;
    const clients = new Clients({ requestsPerMinute: 60 }, () => now);
    expect(Array.from({ length: 61 }, () => clients.request(REMOTE)).filter((wait) => wait > 0)).toEqual([1]);
    expect(clients.request(NEIGHBOUR)).toBe(0);
    now = 1_000;
    expect([clients.request(REMOTE), clients.request(REMOTE)]).toEqual([0, 1]);
    now = 3_600_000;
    expect(Array.from({ length: 61 }, () => clients.request(REMOTE)).filter((wait) => wait > 0)).toHaveLength(1);
    now = 0; // the clock was put back
    expect(clients.request(REMOTE)).toBeGreaterThan(0);
  });

  it('counts an IPv6 network as one client, and an IPv4 address as one in either form', () => {
    const clients = new Clients({ connectionsPerClient: 1 });
    expect(clients.connect('2001:db8::1')).toBe(true);
    expect(clients.connect('2001:db8::ffff:2')).toBe(false);
    expect(clients.connect('2001:db8:0:1::1')).toBe(true);
    expect(clients.connect(REMOTE)).toBe(true);
    expect(clients.connect(`::ffff:${REMOTE}`)).toBe(false);
  });

  it('holds requests open, and gives each place back once', () => {
    const clients = new Clients({ heldPerClient: 1 });
    const release = clients.hold(REMOTE)!;
    expect(clients.hold(REMOTE)).toBeUndefined();
    release();
    release();
    expect(clients.hold(REMOTE)).toBeDefined();
    expect(clients.hold(REMOTE)).toBeUndefined();
  });

  it('does not count clients on this machine, nor where a bound is 0', () => {
    const clients = new Clients({ connectionsPerClient: 1, requestsPerMinute: 1, heldPerClient: 1 });
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '']) {
      for (let n = 0; n < 3; n++) {
        expect([clients.connect(address), clients.request(address), clients.hold(address) !== undefined]).toEqual([
          true,
          0,
          true,
        ]);
      }
    }
    const boundless = new Clients({ connectionsPerClient: 0, requestsPerMinute: 0, heldPerClient: 0 });
    for (let n = 0; n < 3; n++) {
      expect([boundless.connect(REMOTE), boundless.request(REMOTE), boundless.hold(REMOTE) !== undefined]).toEqual([
        true,
        0,
        true,
      ]);
    }
  });

  it('Unbounded input: remembers no more clients than it may', () => {
    const clients = new Clients({ remembered: 100, requestsPerMinute: 1, connectionsPerClient: 1 });
    clients.connect(REMOTE);
    for (let n = 0; n < 10_000; n++) clients.request(`198.51.${n >> 8}.${n & 255}`);
    expect(clients.request('198.51.0.0')).toBe(0); // forgotten
    expect(clients.request('198.51.39.15')).toBeGreaterThan(0); // the last one
    expect(clients.connect(REMOTE)).toBe(false); // has a connection
  });
});

describe('a server', () => {
  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  /** Clients here are on this machine; to the counts they are one from elsewhere. */
  async function serve(limits: Partial<ClientLimits>, http: Partial<HttpLimits> = {}): Promise<number> {
    const store: Store = await createSqliteStore({
      directory: ':memory:', naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0, report: () => {},
    }); // biome-ignore format: options
    undo.push(() => store.close());
    const counted = new Clients(limits);
    const clients = {
      connect: () => counted.connect(REMOTE),
      disconnect: () => counted.disconnect(REMOTE),
      request: () => counted.request(REMOTE),
      hold: () => counted.hold(REMOTE),
    } as unknown as Clients;
    const submit = async (): Promise<undefined> => undefined;
    const app: FastifyInstance = createHttpServer({
      store, version: '0', report: () => {}, hostname: 'localhost', clients, limits: http, submit,
    } as unknown as Parameters<typeof createHttpServer>[0]); // biome-ignore format: options
    undo.push(() => app.close());
    await app.listen({ host: '127.0.0.1', port: 0 });
    return (app.server.address() as AddressInfo).port;
  }
  const get = (port: number, path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers: { connection: 'close', ...init.headers } });

  it('answers 429 with Retry-After to who asks too often, in the words of each API', async () => {
    const port = await serve({ requestsPerMinute: 2 });
    expect([(await get(port, '/livez')).status, (await get(port, '/livez')).status]).toEqual([200, 200]);
    const native = await get(port, '/api/inboxes');
    expect([native.status, native.headers.get('retry-after')]).toEqual([429, '30']);
    expect(await native.json()).toMatchObject({ type: '/api/docs#too-many', detail: 'Too many requests in a minute' });
    expect(native.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const mailpit = await get(port, '/api/v1/messages');
    expect([mailpit.status, await mailpit.text()]).toEqual([429, 'Too many requests in a minute']);
  });

  it('holds only so many streams, WebSockets and waits open, and gives places back', async () => {
    const port = await serve({ heldPerClient: 3 });
    const streams = [new AbortController(), new AbortController()];
    await get(port, '/api/events', { signal: streams[0]!.signal });
    const waiting = get(port, '/api/inboxes/a@b.test/wait?timeout=60', { signal: streams[1]!.signal }).catch(() => {});
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/events`);
    await new Promise((resolve) => socket.once('open', resolve));
    await until(async () => (await get(port, '/api/inboxes/a@b.test/wait?timeout=0')).status === 429);
    for (const path of ['/api/events', '/api/inboxes/c@d.test/wait']) {
      const reply = await get(port, path);
      expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '10']);
    }
    expect((await get(port, '/api/inboxes')).status).toBe(200);
    for (const stream of streams) stream.abort();
    socket.terminate();
    await waiting;
    await until(async () => (await get(port, '/api/inboxes/a@b.test/wait?timeout=0')).status === 204);
  });

  it('counts many waits on one connection, one after the other, as one', async () => {
    const port = await serve({ heldPerClient: 1 });
    for (let n = 0; n < 30; n++) {
      const reply = await fetch(`http://127.0.0.1:${port}/api/inboxes/a@b.test/wait?timeout=0`);
      expect(reply.status).toBe(204);
    }
  });

  it('turns connections away with 503 when there are too many, and takes others when those end', async () => {
    const port = await serve({ connectionsPerClient: 2 });
    const sockets = [await open(port), await open(port)];
    const third = await open(port);
    expect(await said(third)).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: 10\r\n/);
    sockets[0]!.destroy();
    await until(async () => {
      const socket = await open(port);
      socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      return (await said(socket)).startsWith('HTTP/1.1 200');
    });
    sockets[1]!.destroy();
  });

  it('Unbounded input: cuts off who sends a header, or a body, drop by drop', async () => {
    const port = await serve({}, { headerMs: 300, requestMs: 600, timeoutCheckMs: 100 });
    const header = await open(port);
    const body = await open(port);
    header.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n');
    body.write('POST /api/v1/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n');
    const drip = setInterval(() => {
      header.write('X-A: b\r\n');
      body.write('x');
    }, 50);
    try {
      const [first, second] = await Promise.all([said(header), said(body)]);
      expect(first).toMatch(/^HTTP\/1\.1 408/);
      expect(second === '' || second.startsWith('HTTP/1.1 408')).toBe(true);
    } finally {
      clearInterval(drip);
    }
  });

  it('Unbounded input: takes no endless header', async () => {
    const port = await serve({});
    const socket = await open(port);
    socket.write(`GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ${'b'.repeat(100_000)}\r\n\r\n`);
    expect(await said(socket)).toMatch(/^HTTP\/1\.1 431/);
  });

  it('Unread replies: drops a connection on which nothing moves', async () => {
    const port = await serve({}, { silentMs: 300 });
    const socket = await open(port);
    expect(await said(socket)).toBe('');
  });
});

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject); // later ones too: the other side may reset
  });
}

/** All that comes until the connection is closed. */
function said(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (view) => {
      text += view.toString('latin1');
    });
    socket.once('close', () => resolve(text));
  });
}
