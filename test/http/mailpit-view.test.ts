import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpOptions } from '../../src/http/server.ts';
import { Chaos } from '../../src/mail/chaos.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { deliver, mail } from './support.ts';

let store: Store;
let app: FastifyInstance;
const reports: Report[] = [];
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
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  store = await createSqliteStore({ directory: ':memory:', ...limits, report: () => {} });
  app = serve();
});
afterEach(async () => {
  for (const one of others.splice(0)) await one.close();
  await store.remove({ all: true });
  expect(reports).toEqual([]);
});
afterAll(async () => {
  await app.close();
  await store.close();
});
const get = (url: string) => app.inject({ url });
const html = (body: string) => mail(`Subject: page\nContent-Type: text/html; charset=utf-8\n\n${body}`);

describe('GET /view/{id}.html', () => {
  const PAGE =
    '<p>Hello\n  <b onclick="x()">world</b> <a href="https://x.example/?a=1&amp;b=2">link</a></p><script>x()</script>';

  it('answers the HTML as it was sent, in which nothing may run or load, and marks it read', async () => {
    const id = await deliver(store, html(PAGE));
    const reply = await get(`/view/${id}.html`);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(reply.body).toBe(PAGE);
    const policy = String(reply.headers['content-security-policy']);
    for (const rule of ["default-src 'none'", "script-src 'none'", "img-src 'self' data:", "frame-ancestors 'none'"]) {
      expect(policy).toContain(rule);
    }
    expect(policy).toMatch(/^sandbox (?!.*allow-(scripts|forms|top))/);
    expect((await store.get(id))?.read).toBe(true);
  });

  it('puts the pictures of the mail in their places', async () => {
    const id = await deliver(
      store,
      mail(`Content-Type: multipart/related; boundary=c

--c
Content-Type: text/html

<img src="cid:pic@x"><img src=CID:pic%40x><b style="background:url(cid:pic@x)">cid:pic@x <img src="cid:other">
--c
Content-Type: image/png
Content-ID: <pic@x>

x
--c--
`),
    );
    const part = `/api/v1/message/${id}/part/2`;
    expect((await get(`/view/${id}.html`)).body.trim()).toBe(
      `<img src="${part}"><img src=${part}><b style="background:url(${part})">cid:pic@x <img src="cid:other">`,
    );
  });

  it('has links open elsewhere, and tells its height, when it is embedded', async () => {
    const id = await deliver(
      store,
      html(`<body>${PAGE}<a target="_self" href="x">y</a><!-- <a> --><area href=z></body><!-- end -->`),
    );
    const reply = await get(`/view/${id}.html?embed=1`);
    expect(reply.body).not.toContain(PAGE);
    const set = ' target="_blank" rel="noreferrer noopener"';
    expect(reply.body).toContain(`<a${set} href="https://x.example/?a=1&amp;b=2">link</a>`);
    expect(reply.body).toContain(`<a${set} target="_self" href="x">y</a><!-- <a> --><area${set} href=z><script>`);
    expect(reply.body).toMatch(/<\/script><\/body><!-- end -->$/);
    const script = /<script>(add[^<]*)<\/script>/.exec(reply.body)?.[1] ?? '';
    const digest = createHash('sha256').update(script).digest('base64');
    const policy = String(reply.headers['content-security-policy']);
    expect(policy).toContain(`script-src 'sha256-${digest}';`);
    expect(policy).toContain("frame-ancestors 'self'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  });

  it('adds the script at the end of HTML that is no whole document', async () => {
    const id = await deliver(store, html('<a>x'));
    expect((await get(`/view/${id}.html?embed=1`)).body).toMatch(
      /^<a target=\S+ rel="noreferrer noopener">x<script>.*<\/script>$/,
    );
  });

  it('answers latest, and the newest that a query finds', async () => {
    await deliver(store, html('<p>first'), { from: 'one@example.org', at: new Date(1_000) });
    await deliver(store, mail('Subject: second\n\ntext\n'), { at: new Date(2_000) });
    expect((await get('/view/latest.html?query=subject:page')).body).toBe('<p>first');
    const none = await get('/view/latest.html');
    expect([none.statusCode, none.headers['content-type'], none.body]).toEqual([
      404,
      'text/plain',
      'This message does not contain a HTML part',
    ]);
  });

  it.each(['/view/latest.html', '/view/latest.txt', '/view/latest', '/view/..%2fx', '/view/a.b.html'])(
    'answers 404 to %s when there is nothing',
    async (url) => {
      const reply = await get(url);
      expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([
        404,
        'text/plain',
        'Message not found',
      ]);
    },
  );

  it('answers 404 to an id that is none', async () => {
    for (const url of ['/view/unknown.html', '/view/unknown.txt']) {
      expect([(await get(url)).statusCode, (await get(url)).body]).toEqual([404, 'Message not found']);
    }
  });
});

describe('GET /view/{id}.txt and /view/latest', () => {
  it('answers the text and marks the message read', async () => {
    const id = await deliver(store, mail('Subject: x\n\n<script>text</script>\n'));
    const reply = await get(`/view/${id}.txt`);
    expect([reply.headers['content-type'], reply.body]).toEqual([
      'text/plain; charset=utf-8',
      '<script>text</script>\n',
    ]);
    expect((await store.get(id))?.read).toBe(true);
  });

  it('is found behind two slashes too', async () => {
    const id = await deliver(store, mail('Subject: x\n\ntext\n'));
    const reply = await get(`//view/${id}.txt?a=b`);
    expect([reply.statusCode, reply.headers.location]).toEqual([301, `/view/${id}.txt?a=b`]);
    expect((await get('//view/%2f%2fevil.example')).headers.location).toBe('/view/%2F%2Fevil.example');
  });

  it('leads to the newest message', async () => {
    const id = await deliver(store, mail('Subject: x\n\n'));
    const reply = await get('/view/latest');
    expect([reply.statusCode, reply.headers.location]).toEqual([302, `/view/${id}`]);
    expect((await get(`/view/${id}`)).headers.location).toBe(`/#/?m=${id}`);
  });
});

describe('GET /api/v1/webui', () => {
  it('answers every key', async () => {
    expect((await get('/api/v1/webui')).json()).toEqual({
      Label: '',
      MessageRelay: {
        Enabled: false,
        SMTPServer: '',
        ReturnPath: '',
        AllowedRecipients: '',
        BlockedRecipients: '',
        OverrideFrom: '',
        PreserveMessageIDs: false,
        RecipientAllowlist: '',
      },
      SpamAssassin: false,
      ChaosEnabled: false,
      DuplicatesIgnored: false,
      HideDeleteAllButton: false,
    });
  });
});

describe('/api/v1/chaos', () => {
  const CALM = { ErrorCode: 451, Probability: 0 };
  const put = (to: FastifyInstance, body: unknown) =>
    to.inject({ method: 'PUT', url: '/api/v1/chaos', payload: typeof body === 'string' ? body : JSON.stringify(body) });

  it('is not there unless it is enabled', async () => {
    for (const reply of [await get('/api/v1/chaos'), await put(app, {})]) {
      expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([
        400,
        'text/plain',
        'Chaos is not enabled',
      ]);
    }
  });

  it('tells and sets what receivers refuse', async () => {
    const chaos = new Chaos();
    const one = serve({ chaos });
    others.push(one);
    const calm = { Sender: CALM, Recipient: CALM, Authentication: { ErrorCode: 535, Probability: 0 } };
    expect((await one.inject('/api/v1/chaos')).json()).toEqual(calm);
    const set = {
      Sender: { ErrorCode: 453, Probability: 100 },
      Recipient: { ErrorCode: 452, Probability: 10 },
      Authentication: { ErrorCode: 451, Probability: 5 },
    };
    expect((await put(one, set)).json()).toEqual(set);
    expect(chaos.strike('sender')?.code).toBe(453);
    expect((await one.inject('/api/v1/webui')).json().ChaosEnabled).toBe(true);
    expect((await put(one, { recipient: { probability: 7 } })).json()).toEqual({
      ...calm,
      Recipient: { ErrorCode: 451, Probability: 7 },
    });
    expect((await put(one, {})).json()).toEqual(calm);
  });

  it.each([
    [{ Sender: { ErrorCode: 399 } }, 'error code must be between 400 and 599'],
    [{ Sender: { ErrorCode: 600, Probability: 1 } }, 'error code must be between 400 and 599'],
    [{ Recipient: { Probability: 101 } }, 'probability must be between 0 and 100'],
    [{ Authentication: { Probability: -1 } }, 'probability must be between 0 and 100'],
    [{ Sender: { ErrorCode: '451' } }, 'Sender must be like {"ErrorCode": 451, "Probability": 5}'],
    [{ Sender: [] }, 'Sender must be like {"ErrorCode": 451, "Probability": 5}'],
    ['{', 'the body must be a JSON object'],
  ])('answers 400 to %j and changes nothing', async (body, why) => {
    const chaos = new Chaos();
    const one = serve({ chaos });
    others.push(one);
    const reply = await put(one, body);
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([400, 'text/plain', why]);
    expect(chaos.strike('sender')).toBeUndefined();
  });
});

describe('GET /api/v1/message/{id}/sa-check', () => {
  const RULES = `SPAMD/1.1 0 EX_OK\r\nContent-length: 500\r\nSpam: True ; 6.13 / 5.0\r\n\r
Content analysis details:   (6.1 points, 5.0 required)\r
\r
 pts rule name              description\r
---- ---------------------- --------------------------------------------------\r
 5.0 GTUBE                  BODY: Generic Test for Unsolicited Bulk Email\r
-0.1 DKIM_VALID             Message has at least one valid DKIM or DK\r
                            signature\r
 1.2 __NO_TEXT\r
\r
The original message was not completely plain text.\r
`;
  let spamd: Server;
  let answer: (text: string) => string | undefined;
  let asked = '';

  beforeAll(async () => {
    spamd = createServer({ allowHalfOpen: true }, (socket) => {
      asked = '';
      socket.on('data', (view) => (asked += view.toString('latin1')));
      socket.on('end', () => {
        const reply = answer(asked);
        if (reply === undefined) socket.destroy();
        else socket.end(reply);
      });
      socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => spamd.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => spamd.close(resolve)));

  const check = async (raw: Buffer) => {
    const one = serve({ spamd: { host: '127.0.0.1', port: (spamd.address() as AddressInfo).port } });
    others.push(one);
    const id = await deliver(store, raw);
    return one.inject(`/api/v1/message/${id}/sa-check`);
  };

  it('is not there unless it is configured', async () => {
    const id = await deliver(store, mail('Subject: x\n\n'));
    expect((await get(`/api/v1/message/${id}/sa-check`)).statusCode).toBe(404);
  });

  it('asks SpamAssassin and answers what it says', async () => {
    answer = () => RULES;
    const raw = mail(`Subject: x\n\n${'long\n'.repeat(100_000)}`);
    expect((await check(raw)).json()).toEqual({
      IsSpam: true,
      Error: '',
      Score: 6.1,
      Rules: [
        { Score: 5, Name: 'GTUBE', Description: 'BODY: Generic Test for Unsolicited Bulk Email' },
        { Score: -0.1, Name: 'DKIM_VALID', Description: 'Message has at least one valid DKIM or DK signature' },
        { Score: 1.2, Name: '__NO_TEXT', Description: '' },
      ],
    });
    expect(asked).toBe(`REPORT SPAMC/1.5\r\nContent-length: ${raw.length}\r\n\r\n${raw.toString('latin1')}`);
  });

  it.each([
    ['SPAMD/1.1 0 EX_OK\r\nSpam: False ; -1.0 / 5.0\r\n\r\n', { IsSpam: false, Error: '', Score: -1, Rules: [] }],
    [
      'SPAMD/1.5 76 Bad header line\r\n',
      { IsSpam: false, Error: 'SpamAssassin says Bad header line', Score: 0, Rules: null },
    ],
    ['SPAMD/1.5 0 EX_OK\r\n\r\n', { IsSpam: false, Error: 'SpamAssassin gave no score', Score: 0, Rules: null }],
    ['', { IsSpam: false, Error: 'SpamAssassin gave no answer', Score: 0, Rules: null }],
    [undefined, { IsSpam: false, Error: 'SpamAssassin gave no answer', Score: 0, Rules: null }],
  ])('answers 200 to what SpamAssassin says, whatever it is: %j', async (said, result) => {
    answer = () => said;
    const reply = await check(mail('Subject: x\n\n'));
    expect([reply.statusCode, reply.json()]).toEqual([200, result]);
  });

  it('answers 200 with the error when nobody is there', async () => {
    const one = serve({ spamd: { path: '/nowhere/spamd.sock' } });
    others.push(one);
    const id = await deliver(store, mail('Subject: x\n\n'));
    const reply = await one.inject(`/api/v1/message/${id}/sa-check`);
    expect([reply.statusCode, reply.json().Rules]).toEqual([200, null]);
    expect(reply.json().Error).toContain('ENOENT');
  });
});
