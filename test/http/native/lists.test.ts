import { describe, expect, it } from 'vitest';
import { deliver, expectSchema, mail, useServer } from './support.ts';

const server = useServer();
const get = (url: string, headers: Record<string, string> = {}) => server.app.inject({ url, headers });
const put = (method: 'POST' | 'PATCH' | 'DELETE', url: string, body?: unknown) =>
  server.app.inject({
    method,
    url,
    ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
const arrive = (subject: string, to: string[], at?: Date) =>
  deliver(server.store, mail(`From: Ann <ann@example.org>\nSubject: ${subject}\n\nHello ${subject}\n`), {
    to,
    ...(at && { at }),
  });

describe('GET /api/inboxes', () => {
  it('lists inboxes with what they hold', async () => {
    const at = new Date('2026-11-21T10:00:00.000Z');
    await arrive('one', ['a@x.test'], at);
    await arrive('two', ['a@x.test', 'b@x.test'], new Date('2026-11-21T11:00:00.000Z'));
    const reply = await get('/api/inboxes');
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'application/json']);
    const body = reply.json();
    await expectSchema('InboxList', body);
    expect(body.next).toBeNull();
    expect(body.inboxes).toContainEqual({
      inbox: 'a@x.test',
      messages: 2,
      unread: 2,
      bytes: expect.any(Number),
      newest: '2026-11-21T11:00:00.000Z',
    });
    expect(body.inboxes).toHaveLength(2);
  });

  it('finds them by a part of their name, and pages by cursor', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await arrive('x', [`${name}@x.test`]);
    await arrive('x', ['other@y.test']);
    const seen: string[] = [];
    let next: string | null = '';
    do {
      const page: { inboxes: { inbox: string }[]; next: string | null } = (
        await get(`/api/inboxes?query=x.test&limit=2${next && `&cursor=${encodeURIComponent(next)}`}`)
      ).json();
      expect(page.inboxes.length).toBeLessThanOrEqual(2);
      seen.push(...page.inboxes.map(({ inbox }) => inbox));
      next = page.next;
    } while (next !== null);
    expect(seen.sort()).toEqual(['a@x.test', 'b@x.test', 'c@x.test', 'd@x.test', 'e@x.test']);
  });
});

describe('lists of messages', () => {
  it('show summaries, newest first', async () => {
    const at = new Date('2026-11-21T10:00:00.000Z');
    const id = await deliver(
      server.store,
      mail(
        'Message-ID: <1@x>\nFrom: Ann <ann@x.test>\nTo: Bob <bob@x.test>\nCc: cc@x.test\nReply-To: r@x.test\nSubject: Hi <b>\n\nHello\n',
      ),
      { to: ['bob+tag@x.test', 'blind@x.test'], at },
    );
    await get('/api/search?q=hello'); // by then the text has been read
    const reply = await get('/api/inboxes/bob%40x.test/messages');
    const body = reply.json();
    await expectSchema('MessageList', body);
    expect(body).toEqual({
      messages: [
        {
          id,
          inboxes: expect.arrayContaining(['bob@x.test', 'blind@x.test']),
          from: { name: 'Ann', address: 'ann@x.test' },
          to: [{ name: 'Bob', address: 'bob@x.test' }],
          cc: [{ name: '', address: 'cc@x.test' }],
          bcc: expect.arrayContaining([{ name: '', address: 'blind@x.test' }]),
          replyTo: [{ name: '', address: 'r@x.test' }],
          subject: 'Hi <b>',
          messageId: '1@x',
          receivedAt: '2026-11-21T10:00:00.000Z',
          bytes: expect.any(Number),
          attachments: 0,
          snippet: 'Hello',
          read: false,
          pinned: false,
          tags: ['tag'],
          bareNewlines: false,
          quarantine: null,
        },
      ],
      next: null,
      matches: 1,
    });
    // no markup, even for a reader that ignores the type
    expect(reply.body).toContain('Hi \\u003cb\\u003e');
  });

  it('name their inbox as people write it', async () => {
    await arrive('x', ['ann@bücher.test']);
    for (const name of ['ann@xn--bcher-kva.test', 'Ann+tag@B%C3%BCcher.TEST']) {
      expect((await get(`/api/inboxes/${encodeURIComponent(decodeURIComponent(name))}/messages`)).json().matches).toBe(
        1,
      );
    }
    for (const q of ['', '?q=hello', '?q=subject:x']) {
      const nobodys = await get(`/api/inboxes/nobody@x.test/messages${q}`);
      expect(nobodys.json()).toEqual({ messages: [], next: null, matches: 0 });
    }
    const bad = await get('/api/inboxes/%20/messages');
    expect([bad.statusCode, bad.json()]).toMatchObject([400, { parameter: 'inbox', status: 400 }]);
  });

  it('page by cursor and neither lose nor repeat what is there while more arrives', async () => {
    const before = new Set<string>();
    for (let n = 0; n < 25; n++) before.add(await arrive(`n${n}`, ['a@x.test']));
    const seen: string[] = [];
    let next: string | null = '';
    do {
      const page: { messages: { id: string }[]; next: string | null; matches?: number } = (
        await get(`/api/inboxes/a@x.test/messages?limit=10${next && `&cursor=${encodeURIComponent(next)}`}`)
      ).json();
      expect(page.matches === undefined).toBe(next !== '');
      seen.push(...page.messages.map(({ id }) => id));
      next = page.next;
      await arrive('new', ['a@x.test']);
    } while (next !== null);
    expect(seen).toHaveLength(25);
    expect(new Set(seen)).toEqual(before);
  });

  it('can be looked into at a place, in an inbox and by search', async () => {
    for (let at = 0; at < 12; at++) await arrive(`m${at}`, [at % 3 === 0 ? 'a@x.test' : 'b@x.test']);
    const subjects = async (url: string): Promise<string[]> => {
      const { messages } = (await get(url)).json() as { messages: { subject: string }[] };
      return messages.map(({ subject }) => subject);
    };
    expect(await subjects('/api/search?start=9&limit=2')).toEqual(['m2', 'm1']);
    expect(await subjects('/api/search?start=11&limit=5')).toEqual(['m0']);
    expect(await subjects('/api/search?start=12')).toEqual([]);
    expect(await subjects('/api/inboxes/a%40x.test/messages?start=2')).toEqual(['m3', 'm0']);
    expect(await subjects('/api/search?q=hello&start=10')).toEqual(['m1', 'm0']);
    expect((await get('/api/search?start=1')).json()).not.toHaveProperty('matches');
    expect((await get('/api/search?start=-1')).statusCode).toBe(400);
  });

  it('search all inboxes, and say where a search cannot be read', async () => {
    await arrive('apple', ['a@x.test']);
    await arrive('pear', ['b@x.test']);
    const subjects = async (q: string) =>
      (await get(`/api/search?q=${encodeURIComponent(q)}`))
        .json()
        .messages.map(({ subject }: { subject: string }) => subject);
    expect(await subjects('subject:apple')).toEqual(['apple']);
    expect(await subjects('apple OR pear')).toEqual(['pear', 'apple']);
    expect(await subjects('')).toEqual(['pear', 'apple']);
    const bad = await get(`/api/search?q=${encodeURIComponent('apple (pear')}`);
    expect([bad.statusCode, bad.headers['content-type']]).toEqual([400, 'application/problem+json']);
    await expectSchema('Problem', bad.json());
    expect(bad.json()).toMatchObject({ type: '/api/docs#bad-query', parameter: 'q', at: expect.any(Number) });
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=many', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=!', 'cursor'],
    ['cursor=a&cursor=b', 'cursor'],
    ['counts=maybe', 'counts'],
    ['colour=red', 'colour'],
    ['__proto__=x', '__proto__'],
    [`q=${'x'.repeat(5000)}`, 'q'],
  ])('refuse ?%s and name the parameter', async (query, parameter) => {
    const reply = await get(`/api/search?${query}`);
    expect([reply.statusCode, reply.json().parameter, reply.json().type]).toEqual([
      400,
      parameter,
      '/api/docs#bad-parameter',
    ]);
  });

  it('carry entity tags: a client that has it already gets 304', async () => {
    await arrive('one', ['a@x.test']);
    await get('/api/search?q=hello');
    for (const url of ['/api/inboxes', '/api/inboxes/a@x.test/messages', '/api/search?q=one', '/api/info']) {
      const first = await get(url);
      const etag = String(first.headers.etag);
      expect(etag).toMatch(/^"[\w-]{27}"$/);
      expect(first.headers['cache-control']).toBe('private, no-cache');
      const again = await get(url, { 'if-none-match': `"x", W/${etag}` });
      expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', etag]);
    }
    const { etag } = (await get('/api/inboxes')).headers;
    await arrive('two', ['a@x.test']);
    expect((await get('/api/inboxes', { 'if-none-match': String(etag) })).statusCode).toBe(200);
  });

  it('change nothing', async () => {
    const id = await arrive('one', ['a@x.test']);
    for (const url of ['', '/raw', '/text', '/headers', '/eml']) await get(`/api/messages/${id}${url}`);
    await get('/api/search');
    expect(await server.store.get(id)).toMatchObject({ read: false });
  });
});

describe('many messages at once', () => {
  it('are changed by ids or by search, and only those that were not so already are counted', async () => {
    const [one, two] = [await arrive('one', ['a@x.test']), await arrive('two', ['a@x.test'])];
    const change = async (body: object) => (await put('POST', '/api/messages/change', body)).json();
    expect(await change({ ids: [one, 'nonesuch'], read: true })).toEqual({ changed: 1, ids: [one] });
    const byQuery = { query: 'subject:one OR subject:two', read: true };
    expect(await change(byQuery)).toEqual({ changed: 1, ids: [two] });
    expect(await change({ ids: [two], pinned: true, tags: ['x', 'y'] })).toEqual({ changed: 1, ids: [two] });
    expect(await change({ ids: [one, two], addTags: ['y'] })).toEqual({ changed: 1, ids: [one] });
    expect(await server.store.get(two)).toMatchObject({ read: true, pinned: true, tags: ['x', 'y'] });
    expect(await change({ ids: [one, two], removeTags: ['X'] })).toEqual({ changed: 1, ids: [two] });
    expect((await put('PATCH', `/api/messages/${one}`, { addTags: ['z'] })).json()).toMatchObject({ tags: ['y', 'z'] });
  });

  it('are deleted by ids, by search, or all', async () => {
    const ids = [
      await arrive('one', ['a@x.test']),
      await arrive('two', ['a@x.test']),
      await arrive('three', ['b@x.test']),
    ];
    const remove = async (body: object) => (await put('POST', '/api/messages/delete', body)).json();
    expect(await remove({ ids: [ids[0], ids[0], 'nonesuch'] })).toEqual({ deleted: 1 });
    expect(await remove({ query: 'subject:two' })).toEqual({ deleted: 1 });
    expect(await remove({ all: true })).toEqual({ deleted: 1 });
    expect((await server.store.stats()).messages).toBe(0);
  });

  it.each([
    ['/api/messages/delete', undefined],
    ['/api/messages/delete', {}],
    ['/api/messages/delete', { ids: [] }],
    ['/api/messages/delete', { ids: 'x' }],
    ['/api/messages/delete', { ids: ['../x'] }],
    ['/api/messages/delete', { query: '' }],
    ['/api/messages/delete', { query: '  ' }],
    ['/api/messages/delete', { query: '(' }],
    ['/api/messages/delete', { all: false }],
    ['/api/messages/delete', { all: true, ids: ['x'] }],
    ['/api/messages/delete', { everything: true }],
    ['/api/messages/delete', []],
    ['/api/messages/delete', 'not json'],
    ['/api/messages/change', { ids: ['x'] }],
    ['/api/messages/change', { read: true }],
    ['/api/messages/change', { ids: ['x'], read: 'true' }],
    ['/api/messages/change', { ids: ['x'], read: null }],
    ['/api/messages/change', { ids: ['x'], query: 'x', read: true }],
    ['/api/messages/change', { ids: ['x'], tags: ['a\r\nb'] }],
    ['/api/messages/change', { ids: ['x'], tags: ['a', 'a'] }],
  ])('POST %s refuses %j and touches nothing', async (url, body) => {
    await arrive('one', ['a@x.test']);
    const reply = await put('POST', url, body);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([400, 'application/problem+json']);
    await expectSchema('Problem', reply.json());
    expect((await server.store.stats()).messages).toBe(1);
  });

  it('refuses a body that is too long', async () => {
    const app = server.serve({ limits: { bodyBytes: 100 } });
    const reply = await app.inject({
      method: 'POST',
      url: '/api/messages/delete',
      payload: JSON.stringify({ ids: ['x'.repeat(200)] }),
    });
    expect([reply.statusCode, reply.json().type]).toEqual([413, '/api/docs#too-large']);
  });
});

describe('DELETE /api/inboxes/{inbox}', () => {
  it('empties it; what lies elsewhere too stays there', async () => {
    const [only, both] = [await arrive('one', ['a/b@x.test']), await arrive('two', ['a/b@x.test', 'c@x.test'])];
    const reply = await put('DELETE', `/api/inboxes/${encodeURIComponent('A/b@x.test')}`);
    expect([reply.statusCode, reply.body]).toEqual([204, '']);
    expect(await server.store.get(only)).toBeUndefined();
    expect((await server.store.get(both))?.inboxes).toEqual(['c@x.test']);
    expect((await put('DELETE', '/api/inboxes/nobody@x.test')).statusCode).toBe(204);
  });
});

describe('paths that are none', () => {
  it.each(['/api', '/api/', '/api/nothing', '/api/messages', '/api/inboxes/a/b/c'])('%s is a problem', async (url) => {
    const reply = await get(url);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([404, 'application/problem+json']);
  });
});
