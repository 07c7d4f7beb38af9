import { type AddressInfo, connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createFileAccess } from '../../src/http/auth/file-access.ts';
import { createHttpServer, type HttpOptions } from '../../src/http/server.ts';
import type { Refusal, Report } from '../../src/mail/report.ts';
import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { AuthFile, bearer } from './auth/support.ts';
import { deliver, mail } from './support.ts';

interface Frame {
  readonly Type: string;
  readonly Data: unknown;
}

let store: Store;
const reports: Report[] = [];
const servers: FastifyInstance[] = [];
const clients: WebSocket[] = [];

beforeAll(async () => {
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  store = await createSqliteStore({ directory: ':memory:', ...limits, report: () => {} });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  for (const server of servers.splice(0)) await server.close();
  await store.remove({ all: true });
  expect(reports).toEqual([]);
});
afterAll(() => store.close());

async function serve(options: Partial<HttpOptions> = {}) {
  const report = (one: Report) => reports.push(one);
  const app = createHttpServer({ store, version: '1.2.3', hostname: 'mail.example.org', report, ...options });
  servers.push(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const request = (method: 'PUT' | 'DELETE' | 'POST', path: string, body?: unknown) =>
    fetch(`http://127.0.0.1:${port}${path}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { port, request };
}

/** Opens a WebSocket; the frames that come can be waited for. */
async function watch(port: number, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/events`, { headers });
  clients.push(socket);
  const frames: Frame[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data))));
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  const has = (type: string) => expect.poll(() => frames.find(({ Type }) => Type === type), { timeout: 10_000 });
  const first = async (type: string) => {
    await has(type).toBeDefined();
    return frames.find(({ Type }) => Type === type)?.Data;
  };
  /** Waits until the newest figures are these; older ones may come in between. */
  const figures = (data: object) =>
    expect
      .poll(() => frames.findLast(({ Type }) => Type === 'stats')?.Data, { timeout: 10_000 })
      .toEqual({ ...data, Version: '1.2.3' });
  return { socket, frames, first, figures, closed, clear: () => frames.splice(0) };
}

/** Asks for an upgrade that is refused; gives the status. */
const refused = (port: number, headers: Record<string, string>, path = '/api/events') =>
  new Promise<number | undefined>((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode);
    });
    socket.on('open', () => reject(new Error('was let in')));
    socket.on('error', reject);
  });

const HTML = mail('From: ann@example.org\nSubject: hello\nContent-Type: text/html\n\n<p>Hello <b>world</b></p>\n');

describe('the WebSocket at /api/events', () => {
  it('tells the figures first, then each message that comes', async () => {
    const { port } = await serve();
    const { first, figures, clear } = await watch(port);
    await figures({ Total: 0, Unread: 0 });
    clear();
    const id = await deliver(store, HTML, { to: ['bob@example.org'] });
    expect(await first('new')).toMatchObject({
      ID: id,
      From: { Name: '', Address: 'ann@example.org' },
      Bcc: [{ Name: '', Address: 'bob@example.org' }],
      Subject: 'hello',
      Read: false,
      Tags: [],
      Username: '',
      Attachments: 0,
      Snippet: 'Hello world',
    });
    await figures({ Total: 1, Unread: 1 });
  });

  it('tells the tags that a mail brings before the mail', async () => {
    const { port } = await serve();
    const { first, frames } = await watch(port);
    const id = await deliver(store, mail('From: a@example.org\nX-Tags: one\n\nx\n'));
    expect(await first('new')).toMatchObject({ ID: id, Tags: ['one'] });
    expect(frames.filter(({ Type }) => Type === 'update').map(({ Data }) => Data)).toEqual([{ ID: id, Tags: ['one'] }]);
    const order = frames.map(({ Type }) => Type).filter((type) => type !== 'stats');
    expect(order).toEqual(['update', 'new']);
  });

  it('tells what of a message has changed', async () => {
    const { port, request } = await serve();
    const { first, figures, clear, frames } = await watch(port);
    const id = await deliver(store, HTML);
    await first('new');
    await figures({ Total: 1, Unread: 1 });
    clear();
    await request('PUT', '/api/v1/messages', { IDs: [id], Read: true });
    expect(await first('update')).toEqual({ ID: id, Read: true });
    await figures({ Total: 1, Unread: 0 });
    clear();
    await request('PUT', '/api/v1/tags', { IDs: [id], Tags: ['one'] });
    expect(await first('update')).toEqual({ ID: id, Tags: ['one'] });
    await figures({ Total: 1, Unread: 0 });
    expect(frames.filter(({ Type }) => Type === 'update')).toHaveLength(1);
    clear();
    await request('PUT', '/api/v1/tags/one', { Name: 'two' });
    expect(await first('prune')).toBeNull();
  });

  it('tells deletions one by one, many in one frame, and all as such', async () => {
    const { port, request } = await serve();
    const { first, figures, clear, frames } = await watch(port);
    const id = await deliver(store, HTML);
    await first('new');
    await request('DELETE', '/api/v1/messages', { IDs: [id] });
    expect(await first('delete')).toEqual({ ID: id });
    for (let n = 0; n < 201; n++) await deliver(store, mail('Subject: many\n\n'));
    await figures({ Total: 201, Unread: 201 });
    clear();
    await request('DELETE', '/api/v1/search?query=subject:many');
    expect(await first('prune')).toBeNull();
    expect(frames.some(({ Type }) => Type === 'delete')).toBe(false);
    clear();
    await deliver(store, HTML);
    await first('new');
    clear();
    await request('DELETE', '/api/v1/messages');
    expect(await first('truncate')).toBeNull();
    await figures({ Total: 0, Unread: 0 });
    expect(frames.some(({ Type }) => Type === 'delete')).toBe(false);
  });

  it('does not take a message for deleted that still lies in another inbox', async () => {
    const { port } = await serve();
    const { first, frames } = await watch(port);
    const both = await deliver(store, HTML, { to: ['a@example.org', 'b@example.org'] });
    const one = await deliver(store, HTML, { to: ['a@example.org'] });
    await store.remove({ inbox: 'a@example.org' });
    expect(await first('delete')).toEqual({ ID: one });
    expect(frames.filter(({ Type, Data }) => Type === 'delete' && (Data as { ID: string }).ID === both)).toEqual([]);
  });

  it('ignores what clients say, and survives those that say it badly', async () => {
    const { port } = await serve();
    const one = await watch(port);
    one.socket.send('{"Type":"truncate"}');
    one.socket.send(Buffer.alloc(100_000));
    await one.closed;
    const other = await watch(port);
    const id = await deliver(store, HTML);
    expect(await other.first('new')).toMatchObject({ ID: id });
  });

  it('lets a server close that has clients', async () => {
    const { port } = await serve();
    const { closed } = await watch(port);
    for (const server of servers.splice(0)) await server.close();
    await closed;
  });
});

describe('Viewer: who may listen to the WebSocket', () => {
  it('is no page of another origin', async () => {
    const { port } = await serve();
    expect(await refused(port, { origin: 'http://evil.example' })).toBe(403);
    expect(await refused(port, { origin: `http://127.0.0.1:${port + 1}` })).toBe(403);
    await watch(port, { origin: `http://127.0.0.1:${port}` });
  });

  it('is nobody who came by a name that is not ours', async () => {
    const { port } = await serve();
    expect(await refused(port, { host: 'rebound.example' })).toBe(403);
  });

  it('is nobody without the right to read', async () => {
    const grant = { name: 'x', rights: ['delete'] as const };
    const { port } = await serve({
      access: {
        isRequired: true,
        identify: async ({ headers }) =>
          headers.authorization === undefined
            ? { ok: false, status: 401, why: 'no' }
            : { ok: true, grant: headers.authorization === 'Bearer all' ? { ...grant, rights: ['read'] } : grant },
        isGood: () => true,
        openSession: () => '',
        closeSession: () => '',
      },
    });
    expect(await refused(port, {})).toBe(401);
    expect(await refused(port, { authorization: 'Bearer delete' })).toBe(403);
    await watch(port, { authorization: 'Bearer all' });
  });

  it('asks at that path: there is no WebSocket elsewhere', async () => {
    const { port } = await serve();
    for (const path of ['/', '/api/v1/messages', '/api/v1/events', '/api/events/x', '/nothing']) {
      expect(await refused(port, {}, path), path).not.toBe(101);
    }
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/events`)).status).toBe(404);
  });

  it('may offer another upgrade and be answered plainly', async () => {
    const { port } = await serve();
    const reply = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(
          'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
        ),
      );
      socket
        .on('data', (view) => (text += view))
        .on('end', () => resolve(text))
        .on('error', reject);
    });
    expect(reply).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('the WebSocket of credentials for some inboxes', () => {
  it('tells of these alone, and of nothing that was refused to anybody', async () => {
    using file = new AuthFile();
    const mine = await file.addToken({ rights: ['read'], scope: ['mine@x.test'] });
    const theirs = await file.addToken({ rights: ['read'], scope: ['theirs@y.test'] });
    const everything = await file.addToken({ rights: ['read'] });
    const access = await createFileAccess({ file: file.path, report: () => {} });
    let refuse: ((refusal: Refusal) => void) | undefined;
    const refusals: HttpOptions['refusals'] = (listener) => {
      refuse = listener;
      return () => {
        refuse = undefined;
      };
    };
    const { port } = await serve({ access, refusals });
    const [some, others, all] = [
      await watch(port, bearer(mine)),
      await watch(port, bearer(theirs)),
      await watch(port, bearer(everything)),
    ];
    await all.figures({ Total: 0, Unread: 0 });
    const secret = await deliver(store, HTML, { to: ['theirs@y.test'] });
    const shared = await deliver(store, HTML, { to: ['mine@x.test', 'theirs@y.test'] });
    refuse!({
      type: 'refusal',
      protocol: 'SMTP',
      session: 's1',
      address: '192.0.2.7',
      phase: 'rcpt',
      reason: 'syntax',
      code: 501,
      text: 'no',
    });
    await some.figures({ Total: 1, Unread: 1 });
    await others.figures({ Total: 2, Unread: 2 });
    await all.figures({ Total: 2, Unread: 2 });
    const news = (frames: readonly Frame[]) =>
      frames.filter(({ Type }) => Type === 'new').map(({ Data }) => (Data as { ID: string }).ID);
    expect(news(some.frames)).toEqual([shared]);
    expect(news(others.frames)).toEqual([secret, shared]);
    expect(news(all.frames)).toEqual([secret, shared]);
    expect(JSON.stringify(some.frames)).not.toContain('theirs@y.test');
    expect(some.frames.filter(({ Type }) => Type === 'error')).toEqual([]);
    expect(all.frames.filter(({ Type }) => Type === 'error')).toHaveLength(1);

    // taken out of one inbox, it is gone for those who saw it there and for nobody else
    some.clear();
    others.clear();
    await store.remove({ ids: [shared], scope: ['mine@x.test'] });
    await store.remove({ ids: [secret] });
    await expect
      .poll(() => some.frames.filter(({ Type }) => Type === 'delete'))
      .toEqual([{ Type: 'delete', Data: { ID: shared } }]);
    await expect
      .poll(() => others.frames.filter(({ Type }) => Type === 'delete'))
      .toEqual([{ Type: 'delete', Data: { ID: secret } }]);
  });
});
