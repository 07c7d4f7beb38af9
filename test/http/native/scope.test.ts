import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileAccess } from '../../../src/http/auth/file-access.ts';
import { until } from '../../support/until.ts';
import { AuthFile, bearer } from '../auth/support.ts';
import { EventClient } from './sse-client.ts';
import { deliver, mail, useServer } from './support.ts';

const server = useServer();
let file: AuthFile;
let app: FastifyInstance;
let token: string;
let admin: string;
beforeEach(async () => {
  file = new AuthFile();
  token = await file.addToken({ rights: ['read', 'delete'], scope: ['ci-42-*@*'] });
  admin = await file.addToken({ rights: ['admin'] });
  app = server.serve({ access: await createFileAccess({ file: file.path, report: () => {} }) });
});
afterEach(() => file[Symbol.dispose]());

/** Async, since `inject` sends only what somebody waits for. */
const ask = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT', url: string, body?: object, as = token) =>
  await app.inject({ method, url, headers: bearer(as), ...(body && { payload: JSON.stringify(body) }) });
const MINE = 'ci-42-a@x.test';
const OTHER = 'secret@y.test';
const arrive = (subject: string, ...to: string[]) =>
  deliver(server.store, mail(`From: s@z.test\nSubject: ${subject}\n\nHello ${subject}\n`), { to });

describe('credentials for some inboxes', () => {
  it('list only those', async () => {
    await arrive('mine', MINE);
    await arrive('other', OTHER);
    const { inboxes } = (await ask('GET', '/api/inboxes')).json();
    expect(inboxes.map(({ inbox }: { inbox: string }) => inbox)).toEqual([MINE]);
    expect((await ask('GET', '/api/inboxes?query=secret')).json()).toEqual({ inboxes: [], next: null });
    expect((await ask('GET', `/api/inboxes/${OTHER}/messages`)).json()).toMatchObject({
      status: 403,
      parameter: 'inbox',
    });
    expect((await ask('GET', `/api/inboxes/${OTHER}/wait?timeout=0`)).statusCode).toBe(403);
    expect((await ask('DELETE', `/api/inboxes/${OTHER}`)).statusCode).toBe(403);
    expect((await ask('GET', `/api/events?inbox=${OTHER}`)).statusCode).toBe(403);
    expect((await ask('GET', '/api/info')).json()).toMatchObject({
      messages: 1,
      unread: 1,
      inboxes: 1,
      rights: ['read', 'delete'],
      scope: ['ci-42-*@*'],
    });
  });

  it('find only there, whatever they search for', async () => {
    const id = await arrive('mine', MINE);
    await arrive('other', OTHER);
    for (const q of [
      '',
      'hello',
      'other',
      'inbox:secret@y.test',
      'mine OR other',
      '-mine',
      `(inbox:${OTHER})`,
      'is:unread',
      'addressed:secret',
    ]) {
      const { messages, matches } = (await ask('GET', `/api/search?q=${encodeURIComponent(q)}`)).json();
      for (const message of messages) expect(message.id).toBe(id);
      expect(matches ?? messages.length).toBe(messages.length);
    }
  });

  it('see no message of others by its id, in any form', async () => {
    const id = await arrive('other', OTHER);
    for (const rest of ['', '/raw', '/eml', '/html', '/text', '/headers', '/parts/1']) {
      const [theirs, nobodys] = [
        await ask('GET', `/api/messages/${id}${rest}`),
        await ask('GET', `/api/messages/nonesuch${rest}`),
      ];
      expect(theirs.statusCode).toBe(404);
      expect(theirs.body).toBe(nobodys.body);
    }
    expect((await ask('PATCH', `/api/messages/${id}`, { read: true })).statusCode).toBe(404);
    expect((await ask('DELETE', `/api/messages/${id}`)).statusCode).toBe(404);
    expect((await ask('POST', '/api/messages/change', { ids: [id], read: true })).json()).toEqual({
      changed: 0,
      ids: [],
    });
    expect((await ask('POST', '/api/messages/change', { query: 'other', read: true })).json()).toEqual({
      changed: 0,
      ids: [],
    });
    expect((await ask('POST', '/api/messages/delete', { ids: [id] })).json()).toEqual({ deleted: 0 });
    expect((await ask('POST', '/api/messages/delete', { query: 'hello' })).json()).toEqual({ deleted: 0 });
    expect((await ask('POST', '/api/messages/delete', { all: true })).json()).toEqual({ deleted: 0 });
    expect(await server.store.get(id)).toMatchObject({ id, read: false });
  });

  it('are not told who else got a message, and take it only from their own inbox', async () => {
    const id = await arrive('both', MINE, OTHER);
    for (const url of [`/api/messages/${id}`, '/api/search?q=both', `/api/inboxes/${MINE}/messages`]) {
      const reply = await ask('GET', url);
      expect(reply.body).toContain(MINE);
      expect(reply.body).not.toContain('secret');
    }
    expect((await ask('PATCH', `/api/messages/${id}`, { read: true })).body).not.toContain('secret');
    expect((await ask('DELETE', `/api/messages/${id}`)).statusCode).toBe(204);
    expect((await server.store.get(id))?.inboxes).toEqual([OTHER]);
  });

  it('find no message by somebody else who got it', async () => {
    const id = await arrive('both', MINE, OTHER);
    await deliver(server.store, mail(`From: s@z.test\nTo: ${OTHER}\nSubject: told\n\nHello\n`), { to: [MINE, OTHER] });
    const found = async (q: string) =>
      (await ask('GET', `/api/search?q=${encodeURIComponent(q)}`))
        .json()
        .messages.map(({ subject }: { subject: string }) => subject);
    expect(await found('both')).toEqual(['both']);
    expect(await found('hello')).toEqual(['told', 'both']);
    // what the header says may be found, as it may be read
    for (const q of ['secret', 'secret*', 'y.test', '"secret@y.test"', 'addressed:secret', 'addressed:secret*']) {
      expect([q, await found(q)]).toEqual([q, ['told']]);
    }
    for (const q of [
      'bcc:secret',
      'inbox:secret@y.test',
      'inbox:*y.test',
      'inbox:secret*',
      'both secret',
      'subject:both addressed:secret',
    ]) {
      expect([q, await found(q)]).toEqual([q, []]);
    }
    for (const q of [
      'both -inbox:secret@y.test',
      'both -inbox:secret*',
      'both -secret',
      'subject:both -(secret OR nothing)',
    ]) {
      expect([q, await found(q)]).toEqual([q, ['both']]);
    }
    expect(await found('inbox:ci-42-*')).toEqual(['told', 'both']);
    expect(await found(`inbox:${MINE}`)).toEqual(['told', 'both']);
    // and by themselves, also where only the envelope names them
    for (const q of [`bcc:${MINE}`, `both addressed:${MINE}`, 'both ci-42-a'])
      expect([q, await found(q)]).toEqual([q, expect.arrayContaining(['both'])]);
    expect((await ask('GET', '/api/search?q=secret')).json()).not.toHaveProperty('matches');
    expect((await ask('GET', '/api/search?q=secret&counts=true')).json()).toMatchObject({ matches: 1 });
    expect((await ask('POST', '/api/messages/delete', { query: 'both secret' })).json()).toEqual({ deleted: 0 });
    expect(
      (await ask('GET', `/api/inboxes/${MINE}/wait?timeout=0&q=${encodeURIComponent('both secret')}`)).statusCode,
    ).toBe(204);
    expect((await ask('GET', `/api/inboxes/${MINE}/wait?timeout=0&q=both`)).json().id).toBe(id);
  });

  it.each([
    'bcc:secret',
    'bcc:secret*',
    'addressed:secret',
    'addressed:secret@y.test',
    'secret',
    'header:To=secret',
    'header:Bcc=secret',
    'to:secret',
    'cc:secret',
  ])('learn nothing of who else got a message from pages and cursors of %s', async (q) => {
    for (const n of [1, 2, 3]) await arrive(`both ${n}`, MINE, OTHER);
    const nobody = q.replace('secret', 'nobody');
    for (const limit of [1, 50]) {
      for (const sign of ['', '-']) {
        const page = async (text: string) =>
          (await ask('GET', `/api/search?limit=${limit}&q=${encodeURIComponent(sign + text)}`)).json();
        expect(await page(q)).toEqual(await page(nobody));
      }
    }
  });

  it('page through what they may find, whatever lies between', async () => {
    const mine: string[] = [];
    for (const n of [1, 2, 3, 4, 5]) {
      mine.unshift(await arrive(`secret ${n}`, MINE));
      await arrive(`dull ${n}`, MINE, OTHER); // is found by its other inbox, and dropped
    }
    const found: string[] = [];
    let cursor = '';
    for (let pages = 0; cursor !== undefined && pages < 9; pages++) {
      const page = (await ask('GET', `/api/search?q=secret&limit=2${cursor && `&cursor=${cursor}`}`)).json();
      found.push(...page.messages.map(({ id }: { id: string }) => id));
      cursor = page.next ?? undefined;
    }
    expect(found).toEqual(mine);
  });

  it('delete all of theirs and nothing else', async () => {
    await arrive('mine', MINE);
    const [both, other] = [await arrive('both', MINE, OTHER), await arrive('other', OTHER)];
    expect((await ask('POST', '/api/messages/delete', { all: true })).statusCode).toBe(200);
    expect((await server.store.list({})).messages.map(({ id }) => id).sort()).toEqual([both, other].sort());
    expect((await server.store.get(both))?.inboxes).toEqual([OTHER]);
  });

  it('wait for and hear of theirs only', async () => {
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const start = server.store.feed.latest();
    const stream = await new EventClient(port, '/api/events', bearer(token)).open();
    const waiting = ask('GET', `/api/inboxes/${MINE}/wait`);
    await arrive('other', OTHER);
    const both = await arrive('both', MINE, OTHER);
    const mine = await arrive('mine', MINE);
    await server.store.remove({ all: true });
    expect((await waiting).body).not.toContain('secret');
    const events = await stream.take(4);
    expect(events.map(({ event, data }) => [event, data.id, data.inboxes])).toEqual([
      ['received', both, [MINE]],
      ['received', mine, [MINE]],
      ['deleted', expect.any(String), [MINE]],
      ['deleted', expect.any(String), [MINE]],
    ]);
    expect(JSON.stringify(events)).not.toContain('secret');
    const replay = await new EventClient(port, `/api/events?since=${start}`, bearer(token)).open();
    await replay.take(4);
    expect(JSON.stringify(replay.events)).not.toContain('secret');
    stream.close();
    replay.close();
  });

  it("see no more of Mailpit's API", async () => {
    const other = await arrive('other', OTHER);
    const both = await arrive('both', MINE, OTHER);
    await server.store.change({ ids: [other] }, { tags: ['theirs'] });
    const list = (await ask('GET', '/api/v1/messages')).json();
    expect(list).toMatchObject({ total: 1, messages_count: 1, tags: [], messages: [{ ID: both }] });
    expect((await ask('GET', '/api/v1/search?query=Hello')).json()).toMatchObject({
      messages_count: 1,
      messages: [{ ID: both }],
    });
    expect((await ask('GET', '/api/v1/search?query=secret')).json()).toMatchObject({ messages_count: 0, messages: [] });
    expect((await ask('GET', '/api/v1/info')).json()).toMatchObject({ Messages: 1, Tags: {} });
    for (const rest of ['', '/raw', '/headers', '/part/1', '/html-check', '/link-check']) {
      const url = `/api/v1/message/${other}${rest}`;
      expect([url, (await ask('GET', url)).statusCode]).toEqual([url, 404]);
    }
    expect((await ask('GET', `/view/${other}.txt`)).statusCode).toBe(404);
    const seen = await ask('GET', '/api/v1/message/latest');
    expect(seen.json().ID).toBe(both);
    for (const { body } of [list, seen]) expect(String(body ?? JSON.stringify(list))).not.toContain('secret');
    await ask('PUT', '/api/v1/tags', { IDs: [other, both], Tags: ['mine'] });
    await ask('PUT', '/api/v1/messages', { Read: true });
    expect(await server.store.get(other)).toMatchObject({ tags: ['theirs'], read: false });
    expect(await server.store.get(both)).toMatchObject({ tags: ['mine'], read: true });
    await ask('DELETE', '/api/v1/messages');
    expect((await server.store.get(other))?.inboxes).toEqual([OTHER]);
    expect((await server.store.get(both))?.inboxes).toEqual([OTHER]);
    expect((await ask('GET', '/api/v1/messages', undefined, admin)).json()).toMatchObject({ total: 2 });
    // what changes the daemon itself, or mail for anybody, is not for them
    expect((await ask('POST', '/api/v1/send', {})).statusCode).toBe(403);
    expect((await ask('GET', '/api/v1/chaos')).statusCode).toBe(403);
  });

  it('end with their token: open streams too', async () => {
    const short = await file.addToken({ rights: ['read'], scope: ['ci-42-*@*'] });
    const access = await createFileAccess({ file: file.path, report: () => {}, limits: { fileCheckMs: 0 } });
    const live = server.serve({ access, limits: { heartbeatMs: 5 } });
    await live.listen({ host: '127.0.0.1', port: 0 });
    const { port } = live.server.address() as AddressInfo;
    const stream = await new EventClient(port, '/api/events', bearer(short)).open();
    file.remove(short.split('_')[1]!);
    expect((await live.inject({ url: '/api/info', headers: bearer(short) })).statusCode).toBe(401);
    await until(() => stream.isClosed);
  });
});
