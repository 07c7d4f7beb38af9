/** Holes that viewers of mail had, as far as no other test has their names. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { deliver, mail, useServer } from './native/support.ts';

const server = useServer();

const MIME = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n';

describe('every path that takes a body', () => {
  /** Of the API's own description, and what Mailpit's clients use. */
  async function paths(app: FastifyInstance): Promise<[method: string, path: string][]> {
    const description = (await app.inject('/api/openapi.json')).json() as {
      paths: Record<string, Record<string, { requestBody?: object }>>;
    };
    const native = Object.entries(description.paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([, { requestBody }]) => requestBody !== undefined)
        .map(([method]): [string, string] => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x')]),
    );
    expect(native.length).toBeGreaterThan(2);
    return [
      ...native,
      ['PUT', '/api/v1/messages'], ['DELETE', '/api/v1/messages'], ['POST', '/api/v1/send'], ['PUT', '/api/v1/tags'],
      ['PUT', '/api/v1/tags/x'], ['PUT', '/api/v1/chaos'], ['POST', '/frame'],
    ]; // biome-ignore format: a list of paths
  }

  it('Unbounded input: refuses one that is larger than it takes', async () => {
    const app = server.serve({ limits: { bodyBytes: 1_000, frameBytes: 1_000 }, sendBytes: 1_000 } as object);
    for (const [method, url] of await paths(app)) {
      const reply = await app.inject({ method: method as 'POST', url, payload: 'x'.repeat(100_000) });
      expect([method, url, reply.statusCode].join(' ')).toMatch(/ (413|404|403)$/);
      if (method !== 'PUT' || !url.startsWith('/api/v1/')) expect([url, reply.statusCode]).not.toEqual([url, 200]);
    }
  });

  it('Unbounded input: takes nothing that is compressed', async () => {
    for (const [method, url] of await paths(server.app)) {
      const headers = { 'content-encoding': 'gzip', 'content-type': 'application/json', origin: 'http://localhost' };
      const reply = await server.app.inject({
        method: method as 'POST',
        url,
        headers,
        payload: Buffer.from([0x1f, 0x8b, 8, 0]),
      });
      expect([url, reply.statusCode >= 400 && reply.statusCode < 500]).toEqual([url, true]);
    }
  });

  it('Prototype keys: may name any property', async () => {
    const id = await deliver(server.store, mail('Subject: x\n\nx\n'));
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      const payload = `{"read":true,"${key}":{"polluted":1}}`;
      const reply = await server.app.inject({ method: 'PATCH', url: `/api/messages/${id}`, payload });
      expect([200, 400]).toContain(reply.statusCode);
      await server.app.inject({ method: 'POST', url: '/api/v1/send', payload });
      await server.app.inject(`/api/search?${key}=x&q=header:${key}`);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    }
  });
});

describe('live events and waiting', () => {
  it.each(['/api/events', '/api/inboxes/a@b.test/wait?timeout=0', '/api/v1/events'])(
    'Viewer: %s is for no page of another origin, nor under a name that is not ours',
    async (url) => {
      const app = server.serve({ hostCheck: 'always' });
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { host: 'rebound.example' },
      ]) {
        expect([headers, (await app.inject({ url, headers })).statusCode]).toEqual([headers, 403]);
      }
    },
  );
});

describe('what a mail may name', () => {
  it.each([
    '../../../../etc/passwd',
    '/etc/passwd',
    '..\\..\\boot.ini',
    'C:\\x',
    'a\0b',
    '%2e%2e%2fx',
    '$(id)',
    '`id`',
    '|id',
    '-rf',
  ])('Shell and path: a file called %j is a part with a number', async (name) => {
    const raw = `${MIME}--b\nContent-Type: text/plain; name="${name}"\nContent-Disposition: attachment; filename="${name}"\nContent-ID: <${name}>\n\nroot\n--b--\n`;
    const id = await deliver(server.store, mail(raw));
    const shown = (await server.app.inject(`/api/messages/${id}`)).json() as { attachments: { part: string }[] };
    expect(shown.attachments).toHaveLength(1);
    const part = await server.app.inject(`/api/messages/${id}/parts/${shown.attachments[0]!.part}`);
    expect([part.statusCode, part.body.trim()]).toEqual([200, 'root']);
    const [, sent = ''] = /filename="([^"]*)"/.exec(String(part.headers['content-disposition'])) ?? [];
    expect(sent).not.toMatch(/[/\\\0]/);
    for (const path of [`parts/${encodeURIComponent(name)}`, `../${encodeURIComponent(name)}`]) {
      expect((await server.app.inject(`/api/messages/${id}/${path}`)).statusCode).toBe(404);
    }
  });

  it('Metadata injection: no header of a reply', async () => {
    const evil = '=?utf-8?q?x=0D=0ASet-Cookie:_a=3Db=0D=0A=0D=0A<script>?=';
    const raw = `Subject: ${evil}\n${MIME}--b\nContent-Type: text/html; name="${evil}"\nContent-Disposition: attachment; filename*=utf-8''x%0D%0ASet-Cookie:%20a\n\nx\n--b--\n`;
    const id = await deliver(server.store, mail(raw));
    for (const path of ['', '/eml', '/raw', '/text', '/headers', '/parts/1', '/parts/2']) {
      const { headers } = await server.app.inject(`/api/messages/${id}${path}`);
      expect(headers['set-cookie']).toBeUndefined();
      expect(JSON.stringify(headers)).not.toMatch(/\\[rn]/);
    }
  });
});

describe('MIME and regex bombs: a mail that', () => {
  const DEEP = Array.from(
    { length: 2_000 },
    (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\n\n--b${n}\n`,
  ).join('');
  it.each([
    ['has 20 000 parts', `${MIME}${'--b\nContent-Type: text/plain\n\nx\n'.repeat(20_000)}--b--\n`],
    ['has parts 2 000 deep', `MIME-Version: 1.0\n${DEEP}`],
    ['has 100 000 header fields', `${'A: b\n'.repeat(100_000)}\nx\n`],
    ['has one header field of 5 MB', `Subject: ${'=?utf-8?q?a?= '.repeat(350_000)}\n\nx\n`],
    ['has 50 000 addresses', `To: ${'"a" <a@b.test>, '.repeat(50_000)}\n\nx\n`],
    ['has a Content-Type without end', `Content-Type: text/plain; ${'a*0*=b; '.repeat(50_000)}\n\nx\n`],
    ['has HTML that is all brackets', `Content-Type: text/html\n\n${'<'.repeat(300_000)}`],
  ])(
    '%s is opened or given up, and the daemon answers others meanwhile',
    async (_name, raw) => {
      const app = server.serve({ limits: { parseMs: 3_000 } });
      await app.listen({ host: '127.0.0.1', port: 0 });
      const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
      const id = await deliver(server.store, mail(raw));
      let isDone = false;
      const opened = fetch(`${url}/api/messages/${id}`).then(async (reply) => {
        isDone = true;
        return [reply.status, (await reply.arrayBuffer()).byteLength > 0];
      });
      let answered = 0;
      while (!isDone) {
        expect((await fetch(`${url}/livez`)).status).toBe(200);
        answered++;
      }
      expect(await opened).toEqual([200, true]);
      expect(answered).toBeGreaterThan(0);
      server.reports.splice(0); // that one was given up
    },
    60_000,
  );
});
