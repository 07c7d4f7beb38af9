import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deliver, expectSchema, mail, useServer } from './support.ts';

const server = useServer();
const get = (url: string, headers: Record<string, string> = {}) => server.app.inject({ url, headers });
const PNG = Buffer.from('iVBORw0KGgo=', 'base64');

const RICH = mail(`Message-ID: <1@example.org>
From: "Ann <3" <ann@example.org>
To: Bob <bob@example.org>
Subject: Your code is 482913
Date: Fri, 20 Nov 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/related; boundary=c

--c
Content-Type: text/html; charset=utf-8

<p onclick="x()">Your verification code is <b>482913</b>. <a href="https://app.example.org/verify?t=1">Verify your address</a></p>
<script>alert(1)</script><img src="cid:pic@x"><img src="https://tracker.example/x.gif">
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

describe('GET /api/messages/{id}', () => {
  it('shows a message with all that is known of it', async () => {
    const at = new Date('2026-11-20T12:34:56.789Z');
    const id = await deliver(server.store, RICH, { from: 'bounce@example.org', to: ['bob+news@example.org'], at });
    const reply = await get(`/api/messages/${id}`);
    expect(reply.statusCode).toBe(200);
    const body = reply.json();
    await expectSchema('Message', body);
    expect(body).toMatchObject({
      id,
      inboxes: ['bob@example.org'],
      from: { name: 'Ann <3', address: 'ann@example.org' },
      subject: 'Your code is 482913',
      receivedAt: '2026-11-20T12:34:56.789Z',
      date: '2026-11-20T09:00:00.000Z',
      html: expect.stringContaining('<p onclick="x()">'),
      envelope: {
        from: 'bounce@example.org',
        fromParams: {},
        to: [{ address: 'bob+news@example.org', inbox: 'bob@example.org', tag: 'news', params: {} }],
      },
      client: { address: '127.0.0.1', port: 40_000, hello: 'client.example.org' },
      protocol: 'ESMTP',
      session: 'session',
      transcript: [],
    });
    expect(body.headers[0]).toEqual({ name: 'Message-ID', value: '<1@example.org>' });
    expect(body.codes[0]).toMatchObject({ code: '482913' });
    expect(body.links[0]).toMatchObject({ url: 'https://app.example.org/verify?t=1', kind: 'verify' });
    expect(body.structure).toMatchObject({ part: '', contentType: 'multipart/mixed', disposition: null });
    expect(body.structure.children[0].children[0]).toEqual({
      part: '1.1',
      contentType: 'text/html',
      charset: 'utf-8',
      encoding: '',
      fileName: '',
      contentId: '',
      disposition: 'inline',
      bytes: Buffer.byteLength(body.html),
      children: [],
    });
    const digest = (name: string) => createHash(name).update(PNG).digest('hex');
    expect(body.inline).toEqual([
      {
        part: expect.any(String),
        fileName: 'p.png',
        contentType: 'image/png',
        contentId: 'pic@x',
        bytes: PNG.length,
        checksums: { md5: digest('md5'), sha1: digest('sha1'), sha256: digest('sha256') },
        disposition: 'inline',
      },
    ]);
    expect(body.attachments).toHaveLength(2);
  });

  it('shows one that nobody can parse', async () => {
    const id = await deliver(server.store, Buffer.from('\0\xff\r\nno header at all', 'latin1'));
    const body = (await get(`/api/messages/${id}`)).json();
    await expectSchema('Message', body);
    expect(body).toMatchObject({ id, from: null, subject: '', html: null, date: null });
  });

  it.each(['nonesuch', '00000000000000000000000000', '..%2f..%2fetc', 'a'.repeat(200), '%00'])(
    'answers 404 for %s, everywhere',
    async (id) => {
      for (const rest of ['', '/raw', '/eml', '/html', '/text', '/headers', '/parts/1']) {
        const reply = await get(`/api/messages/${id}${rest}`);
        expect([reply.statusCode, reply.json().type]).toEqual([404, '/api/docs#not-found']);
      }
    },
  );
});

describe('the octets of a message', () => {
  it('come back as they were sent, whole and in ranges', async () => {
    const id = await deliver(server.store, RICH);
    const whole = await get(`/api/messages/${id}/raw`);
    expect(whole.rawPayload.equals(RICH)).toBe(true);
    expect(whole.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(RICH.length),
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
    });
    const part = await get(`/api/messages/${id}/raw`, { range: 'bytes=10-19' });
    expect([part.statusCode, part.headers['content-range'], part.headers['content-length']]).toEqual([
      206,
      `bytes 10-19/${RICH.length}`,
      '10',
    ]);
    expect(part.rawPayload.equals(RICH.subarray(10, 20))).toBe(true);
    const beyond = await get(`/api/messages/${id}/raw`, { range: `bytes=${RICH.length}-` });
    expect([beyond.statusCode, beyond.headers['content-range']]).toEqual([416, `bytes */${RICH.length}`]);
    const etag = String(whole.headers.etag);
    expect((await get(`/api/messages/${id}/raw`, { 'if-none-match': etag })).statusCode).toBe(304);
    expect((await get(`/api/messages/${id}/raw`, { range: 'bytes=0-1', 'if-range': etag })).statusCode).toBe(206);
    expect((await get(`/api/messages/${id}/raw`, { range: 'bytes=0-1', 'if-range': '"other"' })).statusCode).toBe(200);
  });

  it('answer HEAD with their length and nothing else', async () => {
    const id = await deliver(server.store, RICH);
    for (const rest of ['raw', 'eml']) {
      const reply = await server.app.inject({ method: 'HEAD', url: `/api/messages/${id}/${rest}` });
      expect([reply.statusCode, reply.body, reply.headers['content-length']]).toEqual([200, '', String(RICH.length)]);
    }
  });

  it('Metadata injection: are saved under the subject, which no mail can break out of', async () => {
    const id = await deliver(server.store, mail('Subject: =?utf-8?q?a=0D=0AX-Injected:_1/../=22?=\n\nx\n'));
    const { headers } = await get(`/api/messages/${id}/eml`);
    expect(headers['x-injected']).toBeUndefined();
    expect(headers['content-disposition']).toMatch(
      /^attachment; filename="[ -!#-~]*\.eml"; filename\*=UTF-8''[\w%.-]*\.eml$/,
    );
    const unnamed = await deliver(server.store, mail('\nx\n'));
    expect((await get(`/api/messages/${unnamed}/eml`)).headers['content-disposition']).toContain(`"${unnamed}.eml"`);
  });
});

describe('the parts of a message', () => {
  const parts = async () => {
    const id = await deliver(server.store, RICH);
    const { inline, attachments } = (await get(`/api/messages/${id}`)).json();
    return { id, picture: inline[0].part, page: attachments[0].part, unnamed: attachments[1].part };
  };

  it('keep their type, and only what nobody can run is shown', async () => {
    const { id, picture, page, unnamed } = await parts();
    const image = await get(`/api/messages/${id}/parts/${picture}`);
    expect(image.rawPayload.equals(PNG)).toBe(true);
    expect(image.headers).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': `inline; filename="p.png"; filename*=UTF-8''p.png`,
      'x-content-type-options': 'nosniff',
    });
    const html = await get(`/api/messages/${id}/parts/${page}`);
    expect(html.headers).toMatchObject({
      'content-type': 'text/html',
      'content-disposition': expect.stringMatching(/^attachment; filename="evilX-Injected 1 _\.html"; /),
      'content-security-policy': "sandbox; default-src 'none'",
    });
    expect(html.headers['x-injected']).toBeUndefined();
    expect((await get(`/api/messages/${id}/parts/${unnamed}`)).headers['content-disposition']).toContain(
      `part-${unnamed}`,
    );
  });

  it('are the texts of the mail too, each for itself', async () => {
    const id = await deliver(
      server.store,
      mail(`Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe
--b
Content-Type: text/html

<b>Hi</b>
--b--
`),
    );
    const [plain, html, none] = await Promise.all(
      ['1', '2', '3'].map((part) => get(`/api/messages/${id}/parts/${part}`)),
    );
    expect([plain!.body, plain!.headers['content-type']]).toEqual(['Grüße', 'text/plain; charset=utf-8']);
    expect(plain!.headers['content-disposition']).toMatch(/^inline; filename="part-1"/);
    expect([html!.body, html!.headers['content-type']]).toEqual(['<b>Hi</b>', 'text/html; charset=utf-8']);
    expect(html!.headers['content-disposition']).toMatch(/^attachment;/);
    expect(none!.statusCode).toBe(404);
  });

  it('come in ranges and with entity tags', async () => {
    const { id, picture } = await parts();
    const url = `/api/messages/${id}/parts/${picture}`;
    const range = await get(url, { range: 'bytes=-3' });
    expect([range.statusCode, range.rawPayload]).toEqual([206, PNG.subarray(-3)]);
    const etag = String(range.headers.etag);
    expect((await get(url, { 'if-none-match': etag })).statusCode).toBe(304);
  });

  it.each(['99', '..', '%2e%2e', '1.2.3.4', '__proto__'])('Shell and path: has no part %s', async (part) => {
    const { id } = await parts();
    expect((await get(`/api/messages/${id}/parts/${part}`)).statusCode).toBe(404);
  });
});

describe('what can be read of a message', () => {
  it('is its HTML without what could act, under a policy that loads nothing', async () => {
    const id = await deliver(server.store, RICH);
    const reply = await get(`/api/messages/${id}/html`);
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = String(reply.headers['content-security-policy']);
    expect(policy).toMatch(/^sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; /);
    expect(policy).toContain("frame-ancestors 'self'");
    expect(reply.body).not.toMatch(/script|onclick/);
    expect(reply.body).toContain(`<img src="data:image/png;base64,${PNG.toString('base64')}">`);
    expect(reply.body).toContain('href="https://app.example.org/verify?t=1" target="_blank" rel="noopener noreferrer"');
    const remote = await get(`/api/messages/${id}/html?images=remote`);
    expect(remote.headers['content-security-policy']).toContain('img-src data: https: http:');
    expect((await get(`/api/messages/${id}/html?images=yes`)).json()).toMatchObject({
      status: 400,
      parameter: 'images',
    });
  });

  it('is its text, of HTML alone too', async () => {
    const plain = await deliver(server.store, mail('Subject: x\n\n<b>not markup</b>\n'));
    const text = await get(`/api/messages/${plain}/text`);
    expect([text.headers['content-type'], text.body.trim()]).toEqual([
      'text/plain; charset=utf-8',
      '<b>not markup</b>',
    ]);
    expect((await get(`/api/messages/${plain}/html`)).json()).toMatchObject({ status: 404 });
    const rich = await deliver(server.store, RICH);
    expect((await get(`/api/messages/${rich}/text`)).body).toContain('Your verification code is 482913');
  });

  it('is its header, field for field', async () => {
    const id = await deliver(server.store, mail('X: 1\nx: 2\n__proto__: 3\nSubject: a\n b\n\n'));
    const body = (await get(`/api/messages/${id}/headers`)).json();
    await expectSchema('Headers', body);
    expect(body.headers).toEqual([
      { name: 'X', value: '1' },
      { name: 'x', value: '2' },
      { name: '__proto__', value: '3' },
      { name: 'Subject', value: 'a b' },
    ]);
  });
});

describe('what is done to a message', () => {
  const send = (method: 'PATCH' | 'DELETE', url: string, body?: object) =>
    server.app.inject({ method, url, ...(body && { payload: JSON.stringify(body) }) });

  it('PATCH changes its state, and answers with it', async () => {
    const id = await deliver(server.store, RICH);
    const reply = await send('PATCH', `/api/messages/${id}`, {
      read: true,
      pinned: true,
      tags: ['two words', 'Ünïcode'],
    });
    await expectSchema('Summary', reply.json());
    expect(reply.json()).toMatchObject({ id, read: true, pinned: true, tags: ['two words', 'Ünïcode'] });
    expect((await send('PATCH', `/api/messages/${id}`, { tags: [] })).json()).toMatchObject({ read: true, tags: [] });
    expect((await send('PATCH', '/api/messages/nonesuch', { read: true })).statusCode).toBe(404);
  });

  it.each([[{}], [{ read: 'yes' }], [{ subject: 'x' }], [{ tags: 'x' }], [{ tags: [''] }]])(
    'PATCH refuses %j',
    async (body) => {
      const id = await deliver(server.store, RICH);
      expect((await send('PATCH', `/api/messages/${id}`, body)).statusCode).toBe(400);
      expect(await server.store.get(id)).toMatchObject({ read: false, tags: [] });
    },
  );

  it('DELETE takes it away', async () => {
    const id = await deliver(server.store, RICH);
    expect((await send('DELETE', `/api/messages/${id}`)).statusCode).toBe(204);
    expect((await send('DELETE', `/api/messages/${id}`)).statusCode).toBe(404);
  });
});
