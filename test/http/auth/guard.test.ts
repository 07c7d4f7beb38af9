import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileAccess } from '../../../src/http/auth/file-access.ts';
import type { HttpOptions } from '../../../src/http/server.ts';
import { deliver, expectSchema, mail, useServer } from '../native/support.ts';
import { AuthFile, basic, bearer } from './support.ts';

const server = useServer();
let file: AuthFile;
beforeEach(() => {
  file = new AuthFile();
});
afterEach(() => file[Symbol.dispose]());
const serve = async (options: Partial<HttpOptions> = {}) =>
  server.serve({ access: await createFileAccess({ file: file.path, report: () => {} }), ...options });

const ROUTES = [
  ['GET', '/api/inboxes'],
  ['GET', '/api/inboxes/a@b/messages'],
  ['GET', '/api/inboxes/a@b/wait'],
  ['DELETE', '/api/inboxes/a@b'],
  ['GET', '/api/search'],
  ['GET', '/api/messages/x'],
  ['GET', '/api/messages/x/raw'],
  ['HEAD', '/api/messages/x/raw'],
  ['GET', '/api/messages/x/html'],
  ['GET', '/api/messages/x/parts/1'],
  ['PATCH', '/api/messages/x'],
  ['DELETE', '/api/messages/x'],
  ['POST', '/api/messages/change'],
  ['POST', '/api/messages/delete'],
  ['GET', '/api/events'],
  ['GET', '/api/info'],
  ['GET', '/api/nothing'],
  ['GET', '/api/v1/messages'],
  ['DELETE', '/api/v1/messages'],
  ['PUT', '/api/v1/messages'],
  ['GET', '/api/v1/info'],
] as const;

describe('a server that wants credentials', () => {
  it.each(ROUTES)('answers %s %s with 401 without them', async (method, url) => {
    const app = await serve();
    for (const headers of [{}, bearer('x'), basic('ann', 'x')]) {
      const reply = await app.inject({ method, url, headers });
      expect(reply.statusCode).toBe(401);
      expect(reply.headers['www-authenticate']).toBe(
        url.startsWith('/api/v1') ? 'Basic realm="Login"' : 'Bearer realm="inboxd"',
      );
    }
  });

  it.each(['/', '/livez', '/readyz', '/api/openapi.json', '/api/docs'])(
    'shows %s to everybody: it holds no mail',
    async (url) => {
      expect((await (await serve()).inject(url)).statusCode).toBe(200);
    },
  );

  it('lets nobody with the right to read change anything', async () => {
    const token = await file.addToken({ rights: ['read'] });
    const id = await deliver(server.store, mail('Subject: x\n\n'));
    const app = await serve();
    for (const [method, url] of [
      ['DELETE', '/api/inboxes/someone@example.org'],
      ['PATCH', `/api/messages/${id}`],
      ['DELETE', `/api/messages/${id}`],
      ['POST', '/api/messages/delete'],
      ['POST', '/api/messages/change'],
      ['DELETE', '/api/v1/messages'],
      ['PUT', '/api/v1/messages'],
    ] as const) {
      const reply = await app.inject({ method, url, headers: bearer(token), payload: JSON.stringify({ all: true }) });
      expect([url, reply.statusCode]).toEqual([url, 403]);
    }
    expect(await server.store.get(id)).toMatchObject({ id, read: false });
  });

  it('tells who guesses too often to wait', async () => {
    const app = server.serve({
      access: await createFileAccess({ file: file.path, report: () => {}, limits: { failures: 1 } }),
    });
    expect((await app.inject({ url: '/api/info', headers: bearer('x') })).statusCode).toBe(401);
    const reply = await app.inject({ url: '/api/info', headers: bearer('y') });
    expect([reply.statusCode, reply.json().type]).toEqual([429, '/api/docs#too-many']);
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('a session of a browser', () => {
  it('opens with a token or a user, serves instead of them, and ends', async () => {
    const token = await file.addToken({ rights: ['read'], scope: ['a@*'] });
    await file.addUser('ann', 'secret', { rights: ['admin'] });
    const app = await serve();
    for (const login of [{ token }, { user: 'ann', password: 'secret' }]) {
      const opened = await app.inject({ method: 'POST', url: '/api/session', payload: JSON.stringify(login) });
      await expectSchema('Session', opened.json());
      const cookie = String(opened.headers['set-cookie']).split(';')[0]!;
      expect((await app.inject({ url: '/api/inboxes', headers: { cookie } })).statusCode).toBe(200);
      const closed = await app.inject({ method: 'DELETE', url: '/api/session', headers: { cookie } });
      expect([closed.statusCode, closed.headers['set-cookie']]).toEqual([204, expect.stringContaining('Max-Age=0')]);
      expect((await app.inject({ url: '/api/inboxes', headers: { cookie } })).statusCode).toBe(401);
    }
  });

  it.each([[undefined], [{}], [{ token: 'x' }], [{ user: 'ann', password: 'x' }]])(
    'does not open with %j',
    async (login) => {
      const app = await serve();
      const reply = await app.inject({
        method: 'POST',
        url: '/api/session',
        ...(login && { payload: JSON.stringify(login) }),
      });
      expect([reply.statusCode, reply.headers['set-cookie']]).toEqual([401, undefined]);
    },
  );

  it('is nothing where no credentials are wanted', async () => {
    const reply = await server.serve().inject({ method: 'POST', url: '/api/session' });
    expect([reply.statusCode, reply.json().rights]).toEqual([200, ['read', 'delete', 'metrics', 'admin']]);
  });
});

describe('pages of other origins', () => {
  const listed = { allowedOrigins: ['https://app.example:3000'], hostCheck: 'always' } as const;
  const headers = { host: 'localhost:8025', origin: 'https://app.example:3000' };

  it('use the API if they are listed, with a token and no cookie', async () => {
    const token = await file.addToken({ rights: ['read'] });
    const app = await serve(listed);
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/api/messages/x',
      headers: {
        ...headers,
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example:3000',
      'access-control-allow-methods': expect.stringContaining('PATCH'),
      'access-control-allow-headers': expect.stringContaining('Authorization'),
    });
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    const reply = await app.inject({ url: '/api/inboxes', headers: { ...headers, ...bearer(token) } });
    expect([reply.statusCode, reply.headers['access-control-allow-origin']]).toEqual([200, 'https://app.example:3000']);
    expect(reply.headers.vary).toContain('Origin');
  });

  it.each([
    'https://evil.example',
    'http://app.example:3000',
    'https://app.example',
    'https://app.example:3000.evil',
    'null',
  ])('are blocked otherwise: %s', async (origin) => {
    const app = server.serve(listed);
    for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE'] as const) {
      const reply = await app.inject({ method, url: '/api/inboxes', headers: { ...headers, origin } });
      expect([reply.statusCode, reply.json().type]).toEqual([403, '/api/docs#blocked']);
      expect(reply.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it.each(['cross-site', 'same-site'])('load nothing without saying who they are (%s)', async (site) => {
    const app = server.serve();
    const load = (mode: string) =>
      app.inject({ url: '/api/v1/messages', headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode } });
    expect((await load('no-cors')).statusCode).toBe(403);
    expect((await load('navigate')).statusCode).toBe(200);
  });

  it('do not get by under a name that is not ours', async () => {
    const reply = await server.serve(listed).inject({ url: '/api/inboxes', headers: { host: 'rebound.example' } });
    expect([reply.statusCode, reply.json().type]).toEqual([403, '/api/docs#blocked']);
  });
});
