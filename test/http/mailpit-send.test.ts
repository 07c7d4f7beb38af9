import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpOptions } from '../../src/http/server.ts';
import type { Message } from '../../src/mail/message.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';

let directory: string;
let store: Store;
let app: FastifyInstance;
let reports: Report[] = [];
const others: FastifyInstance[] = [];

const serve = (options: Partial<HttpOptions> = {}) =>
  createHttpServer({
    store,
    version: '0',
    hostname: 'mail.example.org',
    report: (report) => reports.push(report),
    ...options,
  });

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'inboxd-send-'));
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  store = await createSqliteStore({ directory, ...limits, report: () => {} });
  app = serve();
});
afterEach(async () => {
  for (const one of others.splice(0)) await one.close();
  await store.remove({ all: true });
  reports = [];
});
afterAll(async () => {
  await app.close();
  await store.close();
  rmSync(directory, { recursive: true });
});

const post = (body: unknown, headers: Record<string, string> = {}, to = app) =>
  to.inject({
    method: 'POST',
    url: '/api/v1/send',
    headers,
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
const get = async (url: string) => (await app.inject(url)).json();
const raw = async (id: string) => (await app.inject(`/api/v1/message/${id}/raw`)).body;

const LEAST = { From: { Email: 'a@example.org' }, To: [{ Email: 'b@example.org' }] };
const PNG = 'iVBORw0KGgo=';

describe('POST /api/v1/send', () => {
  it('stores a mail with exactly the headers that were asked for', async () => {
    const reply = await post({
      From: { Name: 'Ann Ä "x"', Email: 'ann@example.org' },
      To: [{ Name: 'Bob', Email: 'bob@example.org' }, { Email: 'carl@example.org' }],
      Cc: [{ Email: 'dan@example.org' }],
      Bcc: ['eve@example.org'],
      ReplyTo: [{ Name: 'Desk', Email: 'desk@example.org' }],
      Subject: 'Grüße & <b>',
      Text: 'text\nof two lines\n',
      HTML: '<p>Hello\n<b>world</b> é</p>',
      Attachments: [
        { Content: `data:image/png;base64,${PNG}`, Filename: 'ä "1".png' },
        { Content: PNG, Filename: 'inline.png', ContentType: 'image/x-own', ContentID: 'pic@x' },
        { Content: Buffer.from('a,b\n').toString('base64'), Filename: 'list.csv' },
      ],
      Headers: { 'List-Unsubscribe': '<mailto:out@example.org>', 'X-Own': 'value' },
    });
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'application/json']);
    const { ID } = reply.json();
    expect(Object.keys(await get(`/api/v1/message/${ID}/headers`))).toEqual([
      'Bcc',
      'Cc',
      'Content-Type',
      'Date',
      'From',
      'List-Unsubscribe',
      'Message-Id',
      'Mime-Version',
      'Reply-To',
      'Return-Path',
      'Subject',
      'To',
      'X-Own',
    ]);
    const message = await get(`/api/v1/message/${ID}`);
    expect(message).toMatchObject({
      From: { Name: 'Ann Ä "x"', Address: 'ann@example.org' },
      To: [
        { Name: 'Bob', Address: 'bob@example.org' },
        { Name: '', Address: 'carl@example.org' },
      ],
      Cc: [{ Name: '', Address: 'dan@example.org' }],
      Bcc: [{ Name: '', Address: 'eve@example.org' }],
      ReplyTo: [{ Name: 'Desk', Address: 'desk@example.org' }],
      ReturnPath: 'ann@example.org',
      Subject: 'Grüße & <b>',
      HTML: expect.stringContaining('<p>Hello\n<b>world</b> é</p>'),
      Text: expect.stringContaining('text\nof two lines'),
      Username: '',
      Attachments: [
        { FileName: 'ä "1".png', ContentType: 'image/png', Size: 8 },
        { FileName: 'list.csv', ContentType: 'text/plain', Size: 4 },
      ],
      Inline: [{ FileName: 'inline.png', ContentType: 'image/x-own', ContentID: 'pic@x', Size: 8 }],
    });
    expect(await raw(ID)).not.toMatch(/[^\r]\n|\r[^\n]/);
    const inboxes = (await store.inboxes()).inboxes.map(({ inbox }) => inbox);
    expect(inboxes.sort()).toEqual(['bob', 'carl', 'dan', 'eve'].map((name) => `${name}@example.org`));
  });

  it('keeps how the mail came beside it, and reports it as a message', async () => {
    const { ID } = (await post(LEAST)).json();
    expect(await store.get(ID)).toMatchObject({
      id: ID,
      protocol: 'HTTP',
      envelope: { from: 'a@example.org', to: [{ address: 'b@example.org' }] },
      client: { address: '127.0.0.1' },
      login: '',
    });
    expect(reports).toMatchObject([{ type: 'message', protocol: 'HTTP', code: 250, message: { id: ID } }]);
  });

  it('names the user of Basic authentication', async () => {
    const authorization = `Basic ${Buffer.from('jane:secret:x').toString('base64')}`;
    const { ID } = (await post(LEAST, { authorization })).json();
    expect((await get(`/api/v1/message/${ID}`)).Username).toBe('jane');
    expect((await get('/api/v1/messages')).messages[0].Username).toBe('jane');
    expect((await get('/api/v1/search?query=from:a')).messages[0].Username).toBe('jane');
  });

  it('reads names of keys in any case, and takes any type of request', async () => {
    const body = {
      from: { EMAIL: 'a@example.org' },
      TO: [{ email: 'b@example.org', name: 'B' }],
      subject: 's',
      text: 't',
    };
    const reply = await post(body, { 'content-type': 'text/plain' });
    expect((await get(`/api/v1/message/${reply.json().ID}`)).To).toEqual([{ Name: 'B', Address: 'b@example.org' }]);
  });

  it('writes tags as X-Tags, and tags the message', async () => {
    const { ID } = (await post({ ...LEAST, Tags: ['one', 'two words'] })).json();
    expect((await store.get(ID))?.tags).toEqual(['one', 'two words']);
    expect((await get(`/api/v1/message/${ID}/headers`))['X-Tags']).toEqual(['one, two words']);
  });

  it('Metadata injection: lets nothing of a request start a header of its own', async () => {
    const evil = 'x\r\nX-Injected: yes\r\n\r\nbody';
    const { ID } = (
      await post({
        From: { Name: evil, Email: 'a@example.org' },
        To: [{ Name: evil, Email: 'b@example.org' }],
        Subject: evil,
        Tags: [evil],
        Headers: { 'X-Own': evil },
        Attachments: [{ Content: PNG, Filename: evil, ContentID: evil }],
      })
    ).json();
    expect(Object.keys(await get(`/api/v1/message/${ID}/headers`))).not.toContain('X-Injected');
    expect(await raw(ID)).not.toMatch(/^X-Injected/m);
  });

  it('Viewer: reads no file and asks no server, whatever it is told', async () => {
    const { ID } = (
      await post({
        ...LEAST,
        Text: '/etc/passwd',
        HTML: '<img src="file:///etc/passwd">',
        Attachments: [{ Path: '/etc/passwd', Href: 'http://127.0.0.1/', Filename: '/etc/passwd', Content: PNG }],
      })
    ).json();
    expect(await raw(ID)).not.toContain('root:');
  });

  it.each([
    ['', 'the body must be a JSON object'],
    ['[]', 'the body must be a JSON object'],
    ['{', 'the body must be a JSON object'],
    [{}, 'From is missing'],
    [{ From: {} }, 'invalid From address: '],
    [{ From: { Email: 'no address' } }, 'invalid From address: no address'],
    [{ ...LEAST, To: [{ Email: 'x' }] }, 'invalid To address: x'],
    [{ ...LEAST, Cc: [{ Email: 'x@' }] }, 'invalid Cc address: x@'],
    [{ ...LEAST, Bcc: ['@x'] }, 'invalid Bcc address: @x'],
    [{ ...LEAST, Bcc: [1] }, 'Bcc Email must be a string'],
    [{ ...LEAST, ReplyTo: [{ Email: 'a@b\r\nX: y' }] }, 'invalid Reply-To address: a@b\r\nX: y'],
    [{ From: LEAST.From }, 'no recipients (To, Cc, Bcc) set'],
    [{ ...LEAST, To: 'b@example.org' }, 'to must be an array'],
    [{ ...LEAST, Subject: 1 }, 'subject must be a string'],
    [{ ...LEAST, Headers: [] }, 'Headers must be an object'],
    [{ ...LEAST, Headers: { subject: 'x' } }, 'cannot overwrite header: "subject"'],
    [{ ...LEAST, Headers: { 'CONTENT-type': 'x' } }, 'cannot overwrite header: "CONTENT-type"'],
    [{ ...LEAST, Tags: ['x'], Headers: { 'x-tags': 'x' } }, 'cannot overwrite header: "x-tags"'],
    [{ ...LEAST, Headers: { 'a b': 'x' } }, 'invalid header name: "a b"'],
    [{ ...LEAST, Headers: { 'a:\r\nb': 'x' } }, 'invalid header name: "a:\r\nb"'],
    [{ ...LEAST, Attachments: [{ Content: '!', Filename: 'f' }] }, 'error decoding base64 attachment "f"'],
    [
      { ...LEAST, Attachments: [{ Content: '', Filename: 'f', ContentType: 'a/b\r\nX: y' }] },
      'invalid content type of attachment "f"',
    ],
  ])('answers 400 to %j', async (body, why) => {
    const reply = await post(body);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([400, 'application/json']);
    expect(reply.json()).toEqual({ Error: why });
    expect((await store.stats()).messages).toBe(0);
  });

  it('takes large mails, and answers 413 to larger ones', async () => {
    const content = Buffer.alloc(3_000_000, 'abc').toString('base64');
    const { ID } = (await post({ ...LEAST, Attachments: [{ Content: content, Filename: 'f.bin' }] })).json();
    expect((await get(`/api/v1/message/${ID}`)).Attachments[0].Size).toBe(3_000_000);
    const small = serve({ sendBytes: 1_000 });
    others.push(small);
    const reply = await post({ ...LEAST, Text: 'x'.repeat(1_000) }, {}, small);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([413, 'application/json']);
    expect(reply.json()).toEqual({ Error: 'http: request body too large' });
  });

  it('goes the way of every other message: the sink that was given disposes of it', async () => {
    const seen: Message[] = [];
    const own = serve({
      submit: (message) => {
        seen.push(message);
        if (message.envelope.to.length > 1) return { code: 550, enhanced: '5.1.1', text: 'No such mailbox' };
        return undefined;
      },
    });
    others.push(own);
    expect((await post(LEAST, {}, own)).json()).toEqual({ ID: seen[0]?.id });
    const refused = await post({ ...LEAST, Bcc: ['c@example.org'] }, {}, own);
    expect([refused.statusCode, refused.json()]).toEqual([400, { Error: 'No such mailbox' }]);
    expect(reports).toMatchObject([{ code: 250 }, { code: 550, text: 'No such mailbox' }]);
    expect((await store.stats()).messages).toBe(0);
  });

  it('accepts what any recipient got, and says no when none did', async () => {
    const no = { code: 450, enhanced: '4.2.2', text: 'Full' };
    const own = serve({
      submit: (message) => message.envelope.to.map(({ path }) => (path.local === 'b' ? undefined : no)) as never,
    });
    others.push(own);
    expect((await post({ ...LEAST, Bcc: ['c@example.org'] }, {}, own)).statusCode).toBe(200);
    expect((await post({ ...LEAST, To: [], Bcc: ['c@example.org'] }, {}, own)).json()).toEqual({ Error: 'Full' });
  });

  it('tells nothing of a sink that fails, but reports it', async () => {
    const own = serve({ submit: () => Promise.reject(new Error('SELECT secret')) });
    others.push(own);
    const reply = await post(LEAST, {}, own);
    expect([reply.statusCode, reply.json()]).toEqual([500, { Error: 'Internal server error' }]);
    expect(reports).toMatchObject([{ type: 'crash', where: 'http', error: { message: 'SELECT secret' } }]);
  });
});
