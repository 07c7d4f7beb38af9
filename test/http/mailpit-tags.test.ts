import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../src/http/server.ts';
import type { Store } from '../../src/mail/store.ts';
import { cleanTags } from '../../src/mail/tags.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { deliver, mail } from './support.ts';

let store: Store;
let app: FastifyInstance;
let ids: string[];

beforeAll(async () => {
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  store = await createSqliteStore({ directory: ':memory:', ...limits, report: () => {} });
  app = createHttpServer({ store, version: '0', hostname: 'mail.example.org', report: () => {} });
});
beforeEach(async () => {
  ids = [];
  for (const name of ['a', 'b', 'c']) ids.push(await deliver(store, mail(`Subject: ${name}\n\n`)));
});
afterEach(async () => {
  await store.remove({ all: true });
});
afterAll(async () => {
  await app.close();
  await store.close();
});

const get = async (url: string) => (await app.inject(url)).json();
const send = (method: 'PUT' | 'DELETE', url: string, body?: unknown) =>
  app.inject({ method, url, ...(body !== undefined && { payload: JSON.stringify(body) }) });
const found = async (query: string) =>
  (await get(`/api/v1/search?query=${encodeURIComponent(query)}`)).messages.map(
    (one: { Subject: string }) => one.Subject,
  );

describe('/api/v1/tags', () => {
  it('sets the tags of messages, in place of those they had', async () => {
    expect(await get('/api/v1/tags')).toEqual([]);
    const reply = await send('PUT', '/api/v1/tags', { IDs: [ids[0], ids[1]], Tags: ['one', 'Two Words'] });
    expect([reply.statusCode, reply.body]).toEqual([200, 'ok']);
    expect(await get('/api/v1/tags')).toEqual(['one', 'Two Words']);
    expect((await get('/api/v1/info')).Tags).toEqual({ one: 2, 'Two Words': 2 });
    expect((await get('/api/v1/messages')).tags).toEqual(['one', 'Two Words']);
    expect((await get(`/api/v1/message/${ids[0]}`)).Tags).toEqual(['one', 'Two Words']);
    await send('PUT', '/api/v1/tags', { IDs: [ids[0]], Tags: ['three'] });
    expect((await store.get(ids[0]!))?.tags).toEqual(['three']);
    await send('PUT', '/api/v1/tags', { IDs: ids });
    expect(await get('/api/v1/tags')).toEqual([]);
    expect((await send('PUT', '/api/v1/tags', { Tags: ['x'] })).body).toBe('ok');
    expect(await get('/api/v1/tags')).toEqual([]);
  });

  it.each([
    ['X-Tags: one, Two  Words,,one', [], ['one', 'Two Words']],
    ['X-Tags: =?utf-8?q?gr=C3=BCn?=, a/b', [], ['a b', 'grün']],
    ['To: c+one+two@example.org\nCc: d+Three@example.org', [], ['one', 'Three', 'two']],
    ['To: c@example.org', ['blind+copy@example.org'], ['copy']],
    ['From: news+sender@example.org', [], ['sender']],
    ['To: +x@example.org, c@example.org', [], []],
    ['X-Tags: x\nTo: c+X@example.org', [], ['x']],
  ])('gives a mail that has come those of its header: %j', async (header, to, tags) => {
    const id = await deliver(store, mail(`${header}\nSubject: tagged\n\n`), {
      to: to.length > 0 ? to : ['c@example.org'],
    });
    expect((await get(`/api/v1/message/${id}`)).Tags).toEqual(tags);
    const [listed] = (await get('/api/v1/messages')).messages;
    expect([listed.ID, listed.Tags]).toEqual([id, tags]);
    if (tags.length > 0) expect(await found(`tag:"${tags[0]}"`)).toEqual(['tagged']);
  });

  it('finds messages by them', async () => {
    await send('PUT', '/api/v1/tags', { IDs: [ids[0]], Tags: ['one', 'Two Words'] });
    expect(await found('tag:ONE')).toEqual(['a']);
    expect(await found('tag:"two words"')).toEqual(['a']);
    expect(await found('tag:on')).toEqual([]);
    expect(await found('is:tagged')).toEqual(['a']);
    expect(await found('-is:tagged')).toEqual(['c', 'b']);
  });

  it('renames a tag', async () => {
    await send('PUT', '/api/v1/tags', { IDs: ids, Tags: ['old', 'other'] });
    expect((await send('PUT', '/api/v1/tags/OLD', { Name: 'new!' })).body).toBe('ok');
    expect(await get('/api/v1/tags')).toEqual(['new', 'other']);
    expect((await send('PUT', '/api/v1/tags/new', { Name: 'New' })).body).toBe('ok');
    expect(await get('/api/v1/tags')).toEqual(['New', 'other']);
    for (const [tag, body, why] of [
      ['none', { Name: 'x' }, 'tag not found: none'],
      ['new', { Name: 'OTHER' }, 'tag already exists: OTHER'],
      ['new', { Name: '!!' }, 'invalid tag name: !!'],
      ['new', {}, 'Error: the body must be JSON like {"Name": "..."}'],
    ] as const) {
      const reply = await send('PUT', `/api/v1/tags/${tag}`, body);
      expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([400, 'text/plain', why]);
    }
  });

  it('deletes a tag and no message', async () => {
    await send('PUT', '/api/v1/tags', { IDs: ids, Tags: ['a b', 'c'] });
    expect((await send('DELETE', '/api/v1/tags/a%20b')).body).toBe('ok');
    expect(await get('/api/v1/tags')).toEqual(['c']);
    const unknown = await send('DELETE', '/api/v1/tags/a%20b');
    expect([unknown.statusCode, unknown.body]).toEqual([400, 'tag not found: a b']);
    expect((await store.stats()).messages).toBe(3);
  });

  it('refuses bodies that it cannot read', async () => {
    for (const body of [undefined, [], { Tags: 'x' }, { IDs: [1] }]) {
      expect((await send('PUT', '/api/v1/tags', body)).statusCode).toBe(400);
    }
  });
});

describe('a tag', () => {
  it("is brought to Mailpit's alphabet", () => {
    const long = 'x'.repeat(200);
    expect(cleanTags(['a-b_c.d@e', '  a   b ', '<x>/y', 'Grüße', '!!', '', long])).toEqual([
      'a-b_c.d@e',
      'a b',
      'x y',
      'Grüße',
      long.slice(0, 100),
    ]);
  });
});
