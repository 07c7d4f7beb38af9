import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../src/http/server.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { deliver, mail } from './support.ts';

const MAILS = new URL('../mails/', import.meta.url);
const mails = readdirSync(MAILS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.eml'));

let store: Store;
let app: FastifyInstance;
const reports: Report[] = [];

const openStore = () =>
  createSqliteStore({
    directory: ':memory:',
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 0,
    report: (report) => report.type === 'crash' && reports.push(report),
  });

const serve = (of: Store) =>
  createHttpServer({
    store: of,
    version: '1.2.3',
    hostname: 'mail.example.org',
    report: (report) => reports.push(report),
    counters: () => ({ smtpAccepted: 1, smtpAcceptedBytes: 2, smtpRejected: 3, smtpIgnored: 4 }),
    listeners: () => ['smtp://127.0.0.1:1025', 'http://127.0.0.1:8025'],
  });

beforeAll(async () => {
  store = await openStore();
  app = serve(store);
});

afterEach(async () => {
  await store.remove({ all: true });
  expect(reports).toEqual([]);
});

afterAll(async () => {
  await app.close();
  await store.close();
});

const get = (url: string) => app.inject({ url });
const send = (method: 'PUT' | 'DELETE', url: string, body?: unknown) =>
  app.inject({
    method,
    url,
    ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

const HELLO = mail(`Message-ID: <1@example.org>
From: "Ann <3" <ann@example.org>
To: Bob <bob@example.org>, carl@example.org
Cc: dan@example.org
Reply-To: eve@example.org
Subject: =?utf-8?q?Fr=C3=B6sche?= & <b>
Date: Fri, 20 Nov 2026 10:00:00 +0100
List-Unsubscribe: <mailto:out@example.org>, <https://example.org/out>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/related; boundary=c

--c
Content-Type: text/html; charset=utf-8

<p>Hello
<b>world</b> <img src="cid:pic@x"></p>
--c
Content-Type: image/png; name="p.png"
Content-ID: <pic@x>
Content-Disposition: inline
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--c--
--b
Content-Type: text/html
Content-Disposition: attachment; filename*=utf-8''evil%22%0D%0AX-Injected:%201%20%C3%BC.html

<script>alert(1)</script>
--b
Content-Type: application/x-no-name
Content-Disposition: attachment

unnamed
--b--
`);
const PNG = Buffer.from('iVBORw0KGgo=', 'base64');
const digest = (name: string) => createHash(name).update(PNG).digest('hex');

describe('GET /api/v1/messages', () => {
  it('answers the envelope of the list exactly, also when there is nothing', async () => {
    const reply = await get('/api/v1/messages');
    expect(reply.statusCode).toBe(200);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.body).toBe(
      '{"total":0,"unread":0,"count":0,"messages_count":0,"messages_unread":0,"start":0,"tags":[],"messages":[]}\n',
    );
  });

  it('answers the summary of a message exactly', async () => {
    const at = new Date('2026-11-20T12:34:56.789Z');
    const id = await deliver(store, HELLO, { to: ['bob@example.org', 'blind@example.org'], at });
    // the text of a message is read in the background
    await expect.poll(async () => (await store.get(id))?.snippet, { timeout: 15_000 }).not.toBe('');
    const { messages, ...counts } = (await get('/api/v1/messages')).json();
    expect(counts).toEqual({
      total: 1,
      unread: 1,
      count: 1,
      messages_count: 1,
      messages_unread: 1,
      start: 0,
      tags: [],
    });
    expect(messages).toEqual([
      {
        ID: id,
        MessageID: '1@example.org',
        Read: false,
        From: { Name: 'Ann <3', Address: 'ann@example.org' },
        To: [
          { Name: 'Bob', Address: 'bob@example.org' },
          { Name: '', Address: 'carl@example.org' },
        ],
        Cc: [{ Name: '', Address: 'dan@example.org' }],
        Bcc: [{ Name: '', Address: 'blind@example.org' }],
        ReplyTo: [{ Name: '', Address: 'eve@example.org' }],
        Subject: 'Frösche & <b>',
        Created: '2026-11-20T12:34:56.789Z',
        Username: '',
        Tags: [],
        Size: HELLO.length,
        Attachments: 2,
        Snippet: 'Hello world',
      },
    ]);
  });

  it('escapes < > & as Go does', async () => {
    await deliver(store, HELLO);
    const { body } = await get('/api/v1/messages');
    expect(body).toContain('\\u0026 \\u003cb\\u003e');
    expect(body).not.toMatch(/[<>&]/);
  });

  it('lists newest first, by start, limit and before; limit 0 is all', async () => {
    for (let day = 1; day <= 4; day++) {
      await deliver(store, mail(`Subject: ${day}\n\n`), { at: new Date(Date.UTC(2026, 0, day)) });
    }
    const subjects = async (query: string) =>
      (await get(`/api/v1/messages${query}`)).json().messages.map((one: { Subject: string }) => one.Subject);
    expect(await subjects('')).toEqual(['4', '3', '2', '1']);
    expect(await subjects('?limit=2')).toEqual(['4', '3']);
    expect(await subjects('?start=1&limit=2')).toEqual(['3', '2']);
    expect(await subjects('?start=1&limit=0')).toEqual(['4', '3', '2', '1']);
    expect(await subjects('?start=-1&limit=-1')).toEqual(['4', '3', '2', '1']);
    expect(await subjects('?start=x&limit=y&before=nonsense')).toEqual(['4', '3', '2', '1']);
    expect(await subjects('?before=2026-01-03T00:00:00Z')).toEqual(['2', '1']);
    expect(await subjects(`?before=${Date.UTC(2026, 0, 3) / 1000}`)).toEqual(['2', '1']);
    const { start, count, total, messages_count } = (await get('/api/v1/messages?start=3&limit=5')).json();
    expect([start, count, total, messages_count]).toEqual([3, 1, 4, 4]);
  });
});

describe('GET /api/v1/search', () => {
  beforeEach(async () => {
    await deliver(store, HELLO, { to: ['bob@example.org', 'blind@example.org'], at: new Date(1_000) });
    await deliver(store, mail('From: x@example.org\nSubject: other\n\nplain words\n'), {
      to: ['bob@example.org'],
      at: new Date(2_000),
    });
  });
  const found = async (query: string) =>
    (await get(`/api/v1/search?query=${encodeURIComponent(query)}`))
      .json()
      .messages.map((one: { Subject: string }) => one.Subject);

  it.each([
    ['from:ann', ['Frösche & <b>']],
    ['subject:FRÖSCHE', ['Frösche & <b>']],
    ['to:carl', ['Frösche & <b>']],
    ['addressed:blind@example.org', ['Frösche & <b>']],
    ['addressed:bob@example.org', ['other', 'Frösche & <b>']],
    ['-from:ann', ['other']],
    ['words', ['other']],
    ['"plain words"', ['other']],
    ['world', ['Frösche & <b>']],
    ['p.png', ['Frösche & <b>']],
    ['is:read', []],
    ['is:unread other', ['other']],
    ['nothing-has-this', []],
  ])('finds %s', async (query, subjects) => {
    expect(await found(query)).toEqual(subjects);
  });

  it('counts matches beside the counts of the whole store; limit 0 is an empty page', async () => {
    const page = (await get('/api/v1/search?query=from:ann&limit=0')).json();
    expect(page).toEqual({
      total: 2,
      unread: 2,
      count: 0,
      messages_count: 1,
      messages_unread: 1,
      start: 0,
      tags: [],
      messages: [],
    });
  });

  it.each([
    ['', 'Error: no search query'],
    ['?query=%20', 'Error: no search query'],
    ['?query=is:x', 'Error: is: can be read, unread, tagged'],
    ['?query=%3Cscript%3E%20to:', 'Error: to: needs a value'],
  ])('answers 400 to %j', async (query, text) => {
    const reply = await get(`/api/v1/search${query}`);
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([400, 'text/plain', text]);
  });

  it('is deleted by DELETE, and only what matches', async () => {
    const reply = await send('DELETE', '/api/v1/search?query=from:ann');
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([200, 'text/plain', 'ok']);
    expect(await found('bob')).toEqual(['other']);
    for (const query of ['', '?query=', '?query=%22%22', '?query=is:nothing']) {
      expect((await send('DELETE', `/api/v1/search${query}`)).statusCode).toBe(400);
    }
    expect((await store.stats()).messages).toBe(1);
  });
});

describe('GET /api/v1/message/{id}', () => {
  it('answers the message exactly and marks it read', async () => {
    const id = await deliver(store, HELLO, { to: ['blind@example.org'] });
    const reply = await get(`/api/v1/message/${id}`);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'application/json']);
    const { Attachments, Inline, ...message } = reply.json();
    expect(message).toEqual({
      ID: id,
      MessageID: '1@example.org',
      From: { Name: 'Ann <3', Address: 'ann@example.org' },
      To: [
        { Name: 'Bob', Address: 'bob@example.org' },
        { Name: '', Address: 'carl@example.org' },
      ],
      Cc: [{ Name: '', Address: 'dan@example.org' }],
      Bcc: [{ Name: '', Address: 'blind@example.org' }],
      ReplyTo: [{ Name: '', Address: 'eve@example.org' }],
      ReturnPath: 'ann@example.org',
      Subject: 'Frösche & <b>',
      ListUnsubscribe: {
        Header: '<mailto:out@example.org>, <https://example.org/out>',
        Links: ['mailto:out@example.org', 'https://example.org/out'],
        Errors: '',
        HeaderPost: 'List-Unsubscribe=One-Click',
      },
      Date: '2026-11-20T09:00:00.000Z',
      Tags: [],
      Username: '',
      Text: 'Hello world',
      HTML: '<p>Hello\n<b>world</b> <img src="cid:pic@x"></p>',
      Size: HELLO.length,
    });
    expect(Inline).toEqual([
      {
        PartID: '1.2',
        FileName: 'p.png',
        ContentType: 'image/png',
        ContentID: 'pic@x',
        Size: 8,
        Checksums: { MD5: digest('md5'), SHA1: digest('sha1'), SHA256: digest('sha256') },
      },
    ]);
    // the part with neither name nor content id is left out
    expect(Attachments.map((part: { PartID: string }) => part.PartID)).toEqual(['2']);
    expect((await store.get(id))?.read).toBe(true);
  });

  it('takes the time of receipt and empty values for what a mail lacks', async () => {
    const at = new Date('2026-01-02T03:04:05.006Z');
    const id = await deliver(store, mail('\nhello\n'), { to: [], at });
    expect((await get(`/api/v1/message/${id}`)).json()).toEqual({
      ID: id,
      MessageID: '',
      From: null,
      To: [],
      Cc: [],
      Bcc: [],
      ReplyTo: [],
      ReturnPath: '',
      Subject: '',
      ListUnsubscribe: { Header: '', Links: [], Errors: '', HeaderPost: '' },
      Date: '2026-01-02T03:04:05.006Z',
      Tags: [],
      Username: '',
      Text: 'hello\n',
      HTML: '',
      Size: 9,
      Inline: [],
      Attachments: [],
    });
  });

  it('means the newest by latest, or the newest that a query finds', async () => {
    const first = await deliver(store, mail('Subject: first\n\n'), { at: new Date(1_000) });
    const second = await deliver(store, mail('Subject: second\n\n'), { at: new Date(2_000) });
    expect((await get('/api/v1/message/latest')).json().ID).toBe(second);
    expect((await get('/api/v1/message/latest?query=subject:first')).json().ID).toBe(first);
    expect((await get('/api/v1/message/latest/raw?query=first')).body).toContain('Subject: first');
    expect((await get('/api/v1/message/latest?query=is:x')).statusCode).toBe(400);
  });

  it.each(['', '/headers', '/raw', '/part/1'])('answers 404 in its two forms (%s)', async (rest) => {
    const latest = await get(`/api/v1/message/latest${rest}`);
    expect([latest.statusCode, latest.headers['content-type'], latest.body]).toEqual([
      404,
      'text/plain',
      'Message not found',
    ]);
    for (const id of [
      '0000000000000000000000000x',
      'nope',
      '..%2f..%2fetc%2fpasswd',
      "'%20OR%201=1",
      'x'.repeat(2_000),
    ]) {
      const unknown = await get(`/api/v1/message/${id}${rest}`);
      expect([unknown.statusCode, unknown.headers['content-type'], unknown.body]).toEqual([
        404,
        'text/plain',
        '404 page not found',
      ]);
    }
  });
});

describe('GET /api/v1/message/{id}/headers', () => {
  it('answers canonical names, sorted, with raw values in order, and leaves the message unread', async () => {
    const id = await deliver(
      store,
      mail(
        'subject: =?utf-8?q?x?=\nRECEIVED: one\nmime-version: 1.0\nReceived: two\n folded\nDKIM-signature: d\n__proto__: p\n1: n\nmessage-ID: <m>\n\n',
      ),
    );
    const reply = await get(`/api/v1/message/${id}/headers`);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.body).toBe(
      '{"1":["n"],"Dkim-Signature":["d"],"Message-Id":["\\u003cm\\u003e"],"Mime-Version":["1.0"],' +
        '"Received":["one","two folded"],"Subject":["=?utf-8?q?x?="],"__proto__":["p"]}\n',
    );
    expect((await store.get(id))?.read).toBe(false);
  });
});

describe('GET /api/v1/message/{id}/raw', () => {
  it('answers the stored bytes and leaves the message unread', async () => {
    const raw = Buffer.concat([mail('Subject: x\n\n'), Buffer.from([0, 255, 128, 13, 10, 46, 13, 10])]);
    const id = await deliver(store, raw);
    const reply = await get(`/api/v1/message/${id}/raw`);
    expect(reply.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(reply.headers['content-disposition']).toBeUndefined();
    expect(reply.rawPayload.equals(raw)).toBe(true);
    expect((await store.get(id))?.read).toBe(false);
  });

  it('offers a file with ?dl=1', async () => {
    const id = await deliver(store, HELLO);
    const reply = await get(`/api/v1/message/${id}/raw?dl=1`);
    expect(reply.headers['content-disposition']).toBe(`attachment; filename="${id}.eml"`);
  });

  it('answers large messages whole', async () => {
    const raw = Buffer.concat([mail('Subject: large\n\n'), Buffer.alloc(3_000_000, 'abc\r\n')]);
    const id = await deliver(store, raw);
    expect((await get(`/api/v1/message/${id}/raw`)).rawPayload.equals(raw)).toBe(true);
  });
});

describe('GET /api/v1/message/{id}/part/{n}', () => {
  it("answers decoded bytes under the part's own type", async () => {
    const id = await deliver(store, HELLO);
    const reply = await get(`/api/v1/message/${id}/part/1.2`);
    expect(reply.statusCode).toBe(200);
    expect(reply.headers['content-type']).toBe('image/png');
    expect(reply.headers['content-disposition']).toBe(`inline; filename="p.png"; filename*=UTF-8''p.png`);
    expect(reply.rawPayload.equals(PNG)).toBe(true);
    expect((await store.get(id))?.read).toBe(false);
  });

  it('answers 404 for a part that is not there', async () => {
    const id = await deliver(store, HELLO);
    for (const part of ['9', '1.1', '0', '__proto__', '1.2.3']) {
      const reply = await get(`/api/v1/message/${id}/part/${part}`);
      expect([reply.statusCode, reply.body]).toEqual([404, '404 page not found']);
    }
  });

  it('never lets a part run as a page of ours, nor its name write a header', async () => {
    const id = await deliver(store, HELLO);
    const reply = await get(`/api/v1/message/${id}/part/2`);
    expect(reply.headers['content-type']).toBe('text/html');
    expect(reply.headers['content-security-policy']).toBe("sandbox; default-src 'none'");
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
    expect(reply.headers['x-injected']).toBeUndefined();
    expect(reply.headers['content-disposition']).toMatch(/^inline; filename="[\w.%~-]+"; filename\*=UTF-8''[\w.%~-]+$/);
  });

  it('answers a type that is none as bytes', async () => {
    const id = await deliver(store, mail('Content-Type: te xt/(html); name=a\nContent-Disposition: attachment\n\nx\n'));
    const { Attachments } = (await get(`/api/v1/message/${id}`)).json();
    const reply = await get(`/api/v1/message/${id}/part/${Attachments[0].PartID}`);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'application/octet-stream']);
  });
});

describe('PUT /api/v1/messages', () => {
  let ids: string[];
  beforeEach(async () => {
    ids = [];
    for (const name of ['a', 'b', 'c']) ids.push(await deliver(store, mail(`Subject: ${name}\n\n`)));
  });
  const unread = async () => (await store.stats()).unread;

  it('marks those named, those found, or all', async () => {
    const reply = await send('PUT', '/api/v1/messages', { Read: true, IDs: [ids[0]] });
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([200, 'text/plain', 'ok']);
    expect(await unread()).toBe(2);
    await send('PUT', '/api/v1/messages', { read: true, search: 'subject:b' });
    expect(await unread()).toBe(1);
    await send('PUT', '/api/v1/messages', { READ: true, Unknown: 1 });
    expect(await unread()).toBe(0);
    await send('PUT', '/api/v1/messages', { IDs: null });
    expect(await unread()).toBe(3);
  });

  it('refuses ids together with a search, and bodies that it cannot read', async () => {
    const both = await send('PUT', '/api/v1/messages', { Read: true, IDs: ids, Search: 'x' });
    expect([both.statusCode, both.body]).toEqual([400, 'You may specify either IDs or a search query, not both']);
    for (const body of [
      undefined,
      '',
      '{',
      '[]',
      'null',
      { IDs: 'x' },
      { IDs: [1] },
      { Read: 'yes' },
      { Search: 'to:' },
    ]) {
      const reply = await send('PUT', '/api/v1/messages', body);
      expect([reply.statusCode, reply.headers['content-type']]).toEqual([400, 'text/plain']);
    }
    expect(await unread()).toBe(3);
  });
});

describe('DELETE /api/v1/messages', () => {
  let ids: string[];
  beforeEach(async () => {
    ids = [];
    for (const name of ['a', 'b', 'c']) ids.push(await deliver(store, mail(`Subject: ${name}\n\n`)));
  });
  const left = async () => (await store.stats()).messages;

  it('deletes those named; unknown ids do no harm', async () => {
    const reply = await send('DELETE', '/api/v1/messages', { IDs: [ids[0], 'unknown'] });
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([200, 'text/plain', 'ok']);
    expect(await left()).toBe(2);
    expect((await get(`/api/v1/message/${ids[0]}`)).statusCode).toBe(404);
  });

  it.each([[undefined], ['{}'], ['{"IDs":[]}'], ['{"ids":null}'], ['not json']])(
    'deletes all when the body is %j',
    async (body) => {
      expect((await send('DELETE', '/api/v1/messages', body)).body).toBe('ok');
      expect(await left()).toBe(0);
    },
  );

  it('refuses a body over 5 MiB and deletes nothing', async () => {
    const reply = await send('DELETE', '/api/v1/messages', { IDs: ['x'.repeat(5 * 1024 * 1024)] });
    expect([reply.statusCode, reply.body]).toEqual([413, 'Request body too large']);
    expect(await left()).toBe(3);
  });

  it('reads a body of whatever type', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'no type at all']) {
      const headers = { 'content-type': type };
      const payload = JSON.stringify({ IDs: [ids.pop()] });
      await app.inject({ method: 'DELETE', url: '/api/v1/messages', headers, payload });
      expect(await left()).toBe(ids.length);
    }
  });
});

describe('the daemon itself', () => {
  it('answers GET /api/v1/info exactly', async () => {
    const before = (await store.stats()).deleted;
    const id = await deliver(store, HELLO);
    await deliver(store, HELLO);
    await send('DELETE', '/api/v1/messages', { IDs: [id] });
    const { RuntimeStats, DatabaseSize, ...info } = (await get('/api/v1/info')).json();
    expect(info).toEqual({
      Version: '1.2.3',
      LatestVersion: 'disabled',
      Database: ':memory:',
      Messages: 1,
      Unread: 1,
      Tags: {},
    });
    const { Uptime, Memory, ...counts } = RuntimeStats;
    expect(counts).toEqual({
      MessagesDeleted: before + 1,
      SMTPAccepted: 1,
      SMTPAcceptedSize: 2,
      SMTPRejected: 3,
      SMTPIgnored: 4,
    });
    for (const number of [Uptime, Memory, DatabaseSize]) expect(Number.isInteger(number)).toBe(true);
  });

  it('answers /livez and /readyz with an empty 200', async () => {
    for (const url of ['/livez', '/readyz']) {
      const reply = await get(url);
      expect([reply.statusCode, reply.body]).toEqual([200, '']);
      expect((await app.inject({ method: 'HEAD', url })).statusCode).toBe(200);
    }
  });

  it('answers /readyz with 503 when the store cannot take mail', async () => {
    const closed = await openStore();
    const unready = serve(closed);
    await closed.close();
    const reply = await unready.inject('/readyz');
    expect([reply.statusCode, reply.body]).toEqual([503, 'Service Unavailable']);
    expect((await unready.inject('/livez')).statusCode).toBe(200);
    await unready.close();
  });

  it('says at / what is here and how to try it', async () => {
    const reply = await get('/');
    expect(reply.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(reply.body).toContain('inboxd 1.2.3 on mail.example.org');
    expect(reply.body).toContain('smtp://127.0.0.1:1025');
    expect(reply.body).toContain('swaks --to anyone@anything.example --server 127.0.0.1:1025');
  });

  it('answers OPTIONS under the API with an empty 200, and 404 elsewhere', async () => {
    const options = await app.inject({ method: 'OPTIONS', url: '/api/v1/messages' });
    expect([options.statusCode, options.headers['content-type'], options.body]).toEqual([200, 'text/plain', '']);
    for (const url of ['/api/v1/nothing', '/nothing', '/api/v1/message/']) {
      const reply = await get(url);
      expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([
        404,
        'text/plain',
        '404 page not found',
      ]);
    }
  });
});

describe('the mails that others wrote', () => {
  it('are listed, shown and served byte for byte, parts and all', async () => {
    expect(mails).toHaveLength(107);
    for (const name of mails) {
      const raw = readFileSync(new URL(name, MAILS));
      const id = await deliver(store, raw);
      const reply = await get(`/api/v1/message/${id}`);
      expect(reply.statusCode, name).toBe(200);
      const message = reply.json();
      expect([typeof message.Text, typeof message.HTML, message.Size], name).toEqual(['string', 'string', raw.length]);
      expect((await get(`/api/v1/message/${id}/raw`)).rawPayload.equals(raw), name).toBe(true);
      expect((await get(`/api/v1/message/${id}/headers`)).statusCode, name).toBe(200);
      for (const part of [...message.Inline, ...message.Attachments]) {
        const content = await get(`/api/v1/message/${id}/part/${part.PartID}`);
        expect([content.statusCode, content.rawPayload.length], name).toEqual([200, part.Size]);
      }
    }
    expect((await get('/api/v1/messages?limit=0')).json().count).toBe(107);
  });
});

describe('GET /api/v1/swagger.json', () => {
  it('describes every operation that there is, and no other', async () => {
    const response = await app.inject('/api/v1/swagger.json');
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    const document = response.json() as {
      swagger: string;
      basePath: string;
      paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
    };
    expect([document.swagger, document.basePath]).toEqual(['2.0', '/api/v1']);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const sources = readdirSync(new URL('../../src/http/dialects/', import.meta.url))
      .map((name) => readFileSync(new URL(`../../src/http/dialects/${name}`, import.meta.url), 'utf8'))
      .join('\n');
    const routes = [...sources.matchAll(/app\.(get|put|post|delete)\(\s*'\/api\/v1(\/[^']*)'/g)].map(
      ([, method, path]) => `${method!.toUpperCase()} ${path!.replace(/:(\w+)/g, '{$1}')}`,
    );
    expect(described.toSorted()).toEqual([...routes, 'POST /send'].toSorted());
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const { parameters = [] } of Object.values(methods)) {
        const named = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
        expect(named).toEqual(path.match(/\{\w+\}/g) ?? []);
      }
    }
  });
});
