import { request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inlineDisposition } from '../../src/http/content-disposition.ts';
import { createHttpServer, type HttpOptions } from '../../src/http/server.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { deliver, mail } from './support.ts';

let store: Store;
let reports: Report[] = [];
const open: FastifyInstance[] = [];

beforeAll(async () => {
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  store = await createSqliteStore({ directory: ':memory:', ...limits, report: () => {} });
});
beforeEach(() => {
  reports = [];
});
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});
afterAll(() => store.close());

function serve(options: Partial<HttpOptions> = {}): FastifyInstance {
  const report = (one: Report) => reports.push(one);
  const app = createHttpServer({ store, version: '0', hostname: 'mail.example.org', report, ...options });
  open.push(app);
  return app;
}

const PATHS = ['/', '/livez', '/api/v1/messages', '/nothing', '/%zz', '/api/v1/search'];

describe('Viewer: every reply', () => {
  it.each(PATHS)('of %s carries the security fields', async (url) => {
    const { headers } = await serve().inject(url);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(String(headers['content-type'])).not.toMatch(/html/);
  });
});

describe('CORS: a foreign page', () => {
  const ask = (options: Partial<HttpOptions>, origin: string | undefined, url = '/api/v1/messages') =>
    serve(options).inject({ url, headers: { host: 'localhost:8025', ...(origin !== undefined && { origin }) } });

  it.each([
    'http://evil.example',
    'http://localhost',
    'http://localhost:8026',
    'null',
    '',
    'http://localhost:8025.evil',
  ])('blocks a page of %j', async (origin) => {
    const reply = await ask({}, origin);
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([
      403,
      'text/plain',
      'Blocked due to CORS violation',
    ]);
    expect(reply.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('blocks a foreign page from deleting, before anything is deleted', async () => {
    const id = await deliver(store, mail('Subject: x\n\n'));
    for (const method of ['DELETE', 'PUT', 'OPTIONS', 'POST'] as const) {
      const headers = { host: 'localhost', origin: 'http://evil.example' };
      expect((await serve().inject({ method, url: '/api/v1/messages', headers })).statusCode).toBe(403);
    }
    expect(await store.get(id)).toMatchObject({ id, read: false });
  });

  it('allows our own pages, those that are named, and what is no page', async () => {
    expect((await ask({}, undefined)).statusCode).toBe(200);
    const own = await ask({}, 'http://localhost:8025');
    expect(own.headers).toMatchObject({
      'access-control-allow-origin': 'http://localhost:8025',
      'access-control-allow-methods': 'GET, POST, DELETE, PUT, OPTIONS',
      'access-control-allow-headers': '*',
    });
    expect((await ask({ allowedOrigins: ['app.example:3000'] }, 'https://app.example:3000')).statusCode).toBe(200);
    expect((await ask({ allowedOrigins: ['app.example:3000'] }, 'https://app.example')).statusCode).toBe(403);
    expect((await ask({ allowedOrigins: ['*'] }, 'https://any.example')).statusCode).toBe(200);
  });
});

describe('Viewer: DNS rebinding', () => {
  const ask = (host: string, options: Partial<HttpOptions> = {}) =>
    serve({ hostCheck: 'always', ...options }).inject({ url: '/api/v1/messages', headers: { host } });

  it.each([
    'localhost',
    'localhost:8025',
    'LocalHost.',
    'app.localhost:1',
    '127.0.0.1:8025',
    '127.9.9.9',
    '[::1]:8025',
    '[::1]',
    'mail.example.org:8025',
    'MAIL.example.org',
  ])('lets %s pass', async (host) => {
    expect((await ask(host)).statusCode).toBe(200);
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evillocalhost',
    '10.0.0.1',
    'x@localhost:y',
  ])('blocks %j', async (host) => {
    const reply = await ask(host);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([403, 'text/plain']);
    expect(reply.body).toBe('Blocked: the Host of this request is not a name of this server');
  });

  it('lets names pass that the operator added', async () => {
    expect((await ask('proxy.example:80', { allowedHosts: ['Proxy.example'] })).statusCode).toBe(200);
  });
});

describe('errors', () => {
  it('tell the client nothing and the report everything', async () => {
    const cause = new Error('SELECT * FROM secrets');
    const broken: Store = { ...store, list: () => Promise.reject(cause) };
    const reply = await serve({ store: broken }).inject('/api/v1/messages');
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([
      500,
      'text/plain',
      'Internal server error',
    ]);
    expect(reports).toEqual([{ type: 'crash', where: 'http', error: cause }]);
  });

  it('in marking a message read do not keep it from being read', async () => {
    const id = await deliver(store, mail('Subject: x\n\n'));
    const cause = new Error('ENOSPC');
    const reply = await serve({ store: { ...store, change: () => Promise.reject(cause) } }).inject(
      `/api/v1/message/${id}`,
    );
    expect([reply.statusCode, reply.json().Subject]).toEqual([200, 'x']);
    expect(reports).toEqual([{ type: 'crash', where: 'http', error: cause }]);
  });

  it('of a source that cannot be read are answered and reported too', async () => {
    const cause = new Error('EIO');
    const broken: Store = {
      ...store,
      content: async () => ({
        bytes: 10,
        // biome-ignore lint/correctness/useYield: it fails before it gives anything
        async *stream(): AsyncGenerator<Buffer> {
          throw cause;
        },
      }),
    };
    const app = serve({ store: broken });
    for (const rest of ['/raw?dl=1', '/headers', '/part/1']) {
      const reply = await app.inject(`/api/v1/message/x${rest}`);
      expect([reply.statusCode, reply.body, reply.headers['content-disposition']]).toEqual([
        500,
        'Internal server error',
        undefined,
      ]);
    }
    expect(reports).toEqual([1, 2, 3].map(() => ({ type: 'crash', where: 'http', error: cause })));
  });
});

describe('Metadata injection: inlineDisposition', () => {
  it.each([
    ['a.png', `inline; filename="a.png"; filename*=UTF-8''a.png`],
    ['a b"c.png', `inline; filename="a%20b%22c.png"; filename*=UTF-8''a%20b%22c.png`],
    [
      'x\r\nSet-Cookie: a=b',
      `inline; filename="x%0D%0ASet-Cookie%3A%20a%3Db"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a%3Db`,
    ],
    ['../../etc/passwd', `inline; filename="passwd"; filename*=UTF-8''passwd`],
    ['C:\\a\\ü.txt', `inline; filename="%C3%BC.txt"; filename*=UTF-8''%C3%BC.txt`],
    [`it's (1)*!`, `inline; filename="it%27s%20%281%29%2A%21"; filename*=UTF-8''it%27s%20%281%29%2A%21`],
    ['\ud800', `inline; filename="%EF%BF%BD"; filename*=UTF-8''%EF%BF%BD`],
    ['', 'inline'],
    ['dir/', 'inline'],
  ])('writes %j', (name, value) => {
    expect(inlineDisposition(name)).toBe(value);
  });
});

describe('over a real socket', () => {
  let port: number;
  beforeEach(async () => {
    const app = serve();
    await app.listen({ host: '127.0.0.1', port: 0 });
    port = (app.server.address() as AddressInfo).port;
  });

  const fetchRaw = (path: string, headers: Record<string, string> = {}) =>
    new Promise<{ response: IncomingMessage; body: Buffer }>((resolve, reject) => {
      const outgoing = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({ response, body: Buffer.concat(chunks) });
      });
      outgoing.on('error', reject);
      outgoing.end();
    });

  it('serves a mail byte for byte and checks the Host of loopback connections', async () => {
    const raw = Buffer.concat([mail('Subject: socket\n\n'), Buffer.alloc(1_000_000, 'line of text\r\n')]);
    const id = await deliver(store, raw);
    const { response, body } = await fetchRaw(`/api/v1/message/${id}/raw`);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-length']).toBe(String(raw.length));
    expect(body.equals(raw)).toBe(true);
    const blocked = await fetchRaw('/api/v1/messages', { host: 'rebound.example' });
    expect(blocked.response.statusCode).toBe(403);
  });

  it('outlives a client that goes away in the middle of a mail', async () => {
    const id = await deliver(store, Buffer.concat([mail('Subject: long\n\n'), Buffer.alloc(8_000_000, 'x\r\n')]));
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(`GET /api/v1/message/${id}/raw HTTP/1.1\r\nHost: localhost\r\n\r\n`),
      );
      socket.once('data', () => socket.resetAndDestroy());
      socket.once('close', () => resolve());
    });
    expect((await fetchRaw('/livez')).response.statusCode).toBe(200);
    expect(reports).toEqual([]);
  });
});
