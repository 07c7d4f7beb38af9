import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addPageRoutes, PAGE_POLICY } from '../../src/http/page.ts';
import { readPageFiles } from '../../src/http/page-files.ts';

const FRONT = { version: '1.2.3', hostname: 'mail.example', listeners: () => ['smtp://127.0.0.1:1025'] };
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
const INDEX = `<!doctype html><title>inboxd</title>${'<p>page</p>'.repeat(50)}`;

async function serve(places: readonly string[]): Promise<FastifyInstance> {
  const app = Fastify({ exposeHeadRoutes: false });
  addPageRoutes(app, { ...FRONT, files: readPageFiles(places) });
  await app.ready();
  return app;
}

describe('the page at /', () => {
  let folder: string;
  let app: FastifyInstance;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'inboxd-page-'));
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), INDEX);
    writeFileSync(join(folder, 'assets', 'index-abc.js'), 'go()');
    writeFileSync(join(folder, 'assets', 'notes.txt'), 'not part of a page');
    app = await serve([join(folder, 'elsewhere'), folder]);
  });

  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is HTML under a policy that runs and loads nothing foreign', async () => {
    const reply = await app.inject({ url: '/', headers: BROWSER });
    expect(reply.statusCode).toBe(200);
    expect(reply.body).toBe(INDEX);
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(reply.headers['content-security-policy']).toBe(PAGE_POLICY);
    expect(PAGE_POLICY).not.toMatch(/unsafe|https?:|\*/);
  });

  it('is never kept, and answered with 304 to those who kept it nevertheless', async () => {
    const first = await app.inject({ url: '/', headers: BROWSER });
    expect(first.headers['cache-control']).toBe('no-store');
    const again = await app.inject({
      url: '/',
      headers: { ...BROWSER, 'if-none-match': `"other", W/${first.headers.etag}` },
    });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    const other = await app.inject({ url: '/', headers: { ...BROWSER, 'if-none-match': '"other"' } });
    expect(other.statusCode).toBe(200);
  });

  it('is compressed for those who take that', async () => {
    const reply = await app.inject({ url: '/', headers: { ...BROWSER, 'accept-encoding': 'br, gzip' } });
    expect(reply.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(reply.rawPayload).toString()).toBe(INDEX);
    const plain = await app.inject({ url: '/', headers: { ...BROWSER, 'accept-encoding': 'gzip;q=0' } });
    expect(plain.headers['content-encoding']).toBeUndefined();
  });

  it('is HTML for curl, and a text for programs that ask for text or for nothing', async () => {
    const type = async (accept?: string) =>
      (await app.inject({ url: '/', headers: accept ? { accept } : {} })).headers['content-type'];
    expect(await type('*/*')).toMatch(/html/);
    expect(await type('text/plain')).toMatch(/plain/);
    expect(await type()).toMatch(/plain/);
  });

  it('answers HEAD', async () => {
    const reply = await app.inject({ method: 'HEAD', url: '/', headers: BROWSER });
    expect([reply.statusCode, reply.body]).toEqual([200, '']);
  });

  it('lets its files be kept for ever, since their names change with their content', async () => {
    const reply = await app.inject({ url: '/assets/index-abc.js' });
    expect(reply.body).toBe('go()');
    expect(reply.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(reply.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  it.each([
    '/assets/notes.txt',
    '/assets/absent.js',
    '/assets/..%2findex.html',
    '/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  ])('has no file %s', async (url) => expect((await app.inject({ url })).statusCode).toBe(404));

  it('is a text that says what to do where it has not been built', async () => {
    const bare = await serve([join(folder, 'elsewhere')]);
    const reply = await bare.inject({ url: '/', headers: BROWSER });
    expect(reply.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(reply.body).toContain('swaks --to anyone@anything.example --server 127.0.0.1:1025');
    await bare.close();
  });
});

describe('the frame of a mail', () => {
  let app: FastifyInstance;
  beforeAll(async () => {
    app = await serve([]);
  });
  afterAll(() => app.close());

  const post = (payload: string, origin: string | undefined, query = '') =>
    app.inject({
      method: 'POST',
      url: `/frame${query}`,
      headers: { host: 'localhost:8025', 'content-type': 'text/plain', ...(origin && { origin }) },
      payload,
    });

  it('gives back what the page posts, under a policy of its own', async () => {
    const reply = await post('html=<p>a=b\r\nGrüße</p>\r\n', 'http://localhost:8025');
    expect(reply.body).toBe('<p>a=b\r\nGrüße</p>');
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = String(reply.headers['content-security-policy']);
    expect(policy).toMatch(/^sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:;/);
    expect(policy).not.toMatch(/script|same-origin|http/);
  });

  it('lets pictures be loaded, and nothing else, for a reader who asked for them', async () => {
    const reply = await post('html=<p>', 'http://localhost:8025', '?images=remote');
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'; img-src data: https: http:;");
  });

  it.each([undefined, 'null', 'http://evil.example', 'http://localhost:9999'])(
    'refuses the origin %s',
    async (origin) => {
      const reply = await post('html=<p>', origin);
      expect(reply.statusCode).toBe(403);
      expect(reply.body).not.toContain('<p>');
    },
  );

  it('has a blank document to take mails apart in, which may hold styles and nothing else', async () => {
    const reply = await app.inject('/frame');
    expect(reply.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'unsafe-inline'; base-uri/,
    );
  });

  it('shows nothing of what is no form', async () => {
    expect((await post('<p>x</p>', 'http://localhost:8025')).body).toBe('');
  });
});
