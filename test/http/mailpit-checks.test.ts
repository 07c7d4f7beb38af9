import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../src/http/server.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { deliver, mail } from './support.ts';

let store: Store;
let app: FastifyInstance;
let shop: Server;
let port: number;
const reports: Report[] = [];

beforeAll(async () => {
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  store = await createSqliteStore({ directory: ':memory:', ...limits, report: () => {} });
  shop = createServer((request, response) =>
    request.url === '/moved' ? response.writeHead(302, { location: '/gone' }).end() : response.writeHead(410).end(),
  );
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
  port = (shop.address() as AddressInfo).port;
  app = createHttpServer({
    store,
    version: '1.2.3',
    hostname: 'mail.example.org',
    report: (report) => reports.push(report),
    linkCheck: {
      reach: { allows: (address) => address === '127.0.0.1', resolve: async () => ['127.0.0.1'] },
    },
  });
});
afterEach(async () => {
  await store.remove({ all: true });
  expect(reports).toEqual([]);
});
afterAll(async () => {
  await app.close();
  await store.close();
  shop.closeAllConnections();
  await new Promise((resolve) => shop.close(resolve));
});

const HTML = (html: string) => mail(`Subject: x\nContent-Type: text/html; charset=utf-8\n\n${html}\n`);
const get = (url: string) => app.inject({ url });

describe('GET /api/v1/message/{id}/html-check', () => {
  it('answers warnings, platforms and totals in the shapes of Mailpit', async () => {
    const id = await deliver(store, HTML('<html><body><p style="display:flex">x</p><video></video></body></html>'));
    const reply = await get(`/api/v1/message/${id}/html-check`);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'application/json']);
    const { Warnings, Platforms, Total } = reply.json();
    expect(Total).toEqual({
      Tests: expect.any(Number),
      Nodes: 3,
      Supported: expect.any(Number),
      Partial: expect.any(Number),
      Unsupported: expect.any(Number),
    });
    expect(Platforms.ios).toContain('Apple Mail');
    expect(Warnings.find((warning: { Slug: string }) => warning.Slug === 'html-video')).toEqual({
      Slug: 'html-video',
      Title: '<video> element',
      Description: expect.any(String),
      URL: 'https://www.caniemail.com/features/html-video/',
      Category: 'html',
      Tags: expect.any(Array),
      Keywords: '',
      Results: expect.arrayContaining([
        {
          Name: expect.stringMatching(/^Gmail iOS \(\S+\)$/),
          Platform: 'ios',
          Family: 'gmail',
          Version: expect.any(String),
          Support: expect.stringMatching(/^(yes|no|partial)$/),
          NoteNumber: expect.any(String),
        },
      ]),
      NotesByNumber: expect.any(Object),
      Score: {
        Found: 1,
        Supported: expect.any(Number),
        Partial: expect.any(Number),
        Unsupported: expect.any(Number),
      },
    });
    expect((await store.get(id))?.read).toBe(false);
    expect((await get('/api/v1/message/latest/html-check')).json().Total).toEqual(Total);
  });

  it('answers 400 to a mail without HTML and 404 to none', async () => {
    const id = await deliver(store, mail('Subject: x\n\ntext\n'));
    const reply = await get(`/api/v1/message/${id}/html-check`);
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([
      400,
      'text/plain',
      'message does not contain HTML',
    ]);
    expect((await get('/api/v1/message/unknown/html-check')).statusCode).toBe(404);
  });
});

describe('GET /api/v1/message/{id}/link-check', () => {
  it('tries the links, follows redirects when asked to, and marks the message read', async () => {
    const [moved, blocked] = [`http://shop.example:${port}/moved`, 'http://169.254.169.254/'];
    const id = await deliver(store, HTML(`<a href="${moved}">x</a><img src="${blocked}">`));
    const reply = await get(`/api/v1/message/${id}/link-check`);
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'application/json']);
    const refused = { URL: blocked, StatusCode: 451, Status: 'Blocked private/reserved address' };
    expect(reply.json()).toEqual({ Errors: 1, Links: [{ URL: moved, StatusCode: 302, Status: 'Found' }, refused] });
    expect((await store.get(id))?.read).toBe(true);
    expect((await get('/api/v1/message/latest/link-check?follow=true')).json()).toEqual({
      Errors: 2,
      Links: [{ URL: moved, StatusCode: 410, Status: 'Gone' }, refused],
    });
  });

  it('answers an empty list where there are no links', async () => {
    const id = await deliver(store, mail('Subject: x\n\ntext\n'));
    expect((await get(`/api/v1/message/${id}/link-check`)).json()).toEqual({ Errors: 0, Links: [] });
    expect((await get('/api/v1/message/unknown/link-check')).statusCode).toBe(404);
  });
});
