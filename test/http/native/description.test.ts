import { describe, expect, it } from 'vitest';
import { useServer } from './support.ts';

const server = useServer();

interface Document {
  readonly openapi: string;
  readonly paths: Record<
    string,
    Record<
      string,
      { operationId: string; responses: Record<string, unknown>; parameters: { name: string; in: string }[] }
    >
  >;
  readonly components: { readonly schemas: Record<string, unknown> };
}

describe('the description of the API', () => {
  it('names every route once, with what it takes and answers', async () => {
    const reply = await server.app.inject('/api/openapi.json');
    expect(reply.headers['content-type']).toBe('application/json');
    const document = reply.json() as Document;
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
    );
    expect(operations.map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining([
        'get /api/inboxes',
        'delete /api/inboxes/{inbox}',
        'get /api/inboxes/{inbox}/messages',
        'get /api/inboxes/{inbox}/wait',
        'get /api/search',
        'get /api/messages/{id}',
        'patch /api/messages/{id}',
        'delete /api/messages/{id}',
        'get /api/messages/{id}/raw',
        'get /api/messages/{id}/eml',
        'get /api/messages/{id}/html',
        'get /api/messages/{id}/text',
        'get /api/messages/{id}/headers',
        'get /api/messages/{id}/parts/{part}',
        'post /api/messages/change',
        'post /api/messages/delete',
        'get /api/events',
        'get /api/info',
        'post /api/session',
        'delete /api/session',
        'get /api/openapi.json',
        'get /api/docs',
      ]),
    );
    const names = operations.map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, parameters, responses } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(inPath);
      expect(Object.keys(responses).some((status) => status.startsWith('2'))).toBe(true);
    }
  });

  it('refers only to what it has', async () => {
    const text = (await server.app.inject('/api/openapi.json')).body;
    const { schemas } = (JSON.parse(text) as Document).components;
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(Object.keys(schemas)).toContain(name);
  });

  it('is a page for people that loads nothing and runs nothing', async () => {
    const reply = await server.app.inject('/api/docs');
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(reply.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; /);
    expect(reply.body).not.toMatch(/<script|<link|<img|\bon\w+=|https?:\/\//);
    expect(reply.body).toContain('/api/inboxes/{inbox}/wait');
    for (const [, target] of reply.body.matchAll(/href="#([\w-]+)"/g)) expect(reply.body).toContain(`id="${target}"`);
  });
});

describe('GET /api/info', () => {
  it('says what the daemon is and holds', async () => {
    expect((await server.app.inject('/api/info')).json()).toEqual({
      version: '1.2.3',
      hostname: 'mail.example.org',
      listeners: [
        { protocol: 'smtp', url: 'smtp://127.0.0.1:1025' },
        { protocol: 'http', url: 'http://127.0.0.1:8025' },
      ],
      messages: 0,
      unread: 0,
      inboxes: 0,
      bytes: 0,
      feed: expect.any(Number),
      auth: 'none',
      rights: ['read', 'delete', 'metrics', 'admin'],
    });
  });
});
