import type { FastifyInstance, InjectOptions } from 'fastify';
import { createHttpServer } from '../../../src/http/server.ts';
import type { Report } from '../../../src/mail/report.ts';
import type { Store } from '../../../src/mail/store.ts';
import { createSqliteStore } from '../../../src/store/sqlite/store.ts';
import { deliver } from '../../http/support.ts';
import { pick, randomText } from '../../support/random.ts';
import { mails, mutate, small, text } from '../generate.ts';
import { Finding, type Target } from '../target.ts';

interface Stage {
  readonly app: FastifyInstance;
  readonly store: Store;
  readonly reports: Report[];
  readonly ids: readonly string[];
}

let staged: Promise<Stage> | undefined;

/** A server over a store in memory that holds some mails, one of them broken. */
async function raise(): Promise<Stage> {
  const reports: Report[] = [];
  const report = (one: Report): void => {
    if (one.type === 'crash') reports.push(one);
  };
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  const store = await createSqliteStore({ directory: ':memory:', ...limits, report });
  const ids: string[] = [];
  const some = mails();
  for (let number = 0; number < 12; number++)
    ids.push(await deliver(store, some[(number * 17) % some.length]!, { to: [`box${number % 3}@a.test`] }));
  const app = createHttpServer({ store, version: '0', hostname: 'mx.test', report, listeners: () => [] });
  await app.ready();
  return { app, store, reports, ids };
}

const METHODS = ['GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;
// biome-ignore format: a list
const PATHS = [
  '/api/info', '/api/inboxes', '/api/inboxes/{inbox}', '/api/inboxes/{inbox}/messages', '/api/search', '/api/messages/{id}',
  '/api/messages/{id}/text', '/api/messages/{id}/html', '/api/messages/{id}/headers', '/api/messages/{id}/raw', '/api/messages/{id}/eml',
  '/api/messages/{id}/parts/{part}', '/api/messages/change', '/api/session', '/api/openapi.json', '/', '/view/{id}.html', '/view/latest.txt',
  '/api/v1/info', '/api/v1/messages', '/api/v1/search', '/api/v1/tags', '/api/v1/webui', '/api/v1/message/{id}', '/api/v1/message/{id}/raw',
  '/api/v1/message/{id}/headers', '/api/v1/message/{id}/html-check', '/api/v1/message/{id}/part/{part}', '/api/v1/message/{id}/part/{part}/thumb',
  '/api/v1/send', '/api/v1/chaos', '/frame', '/readyz', '/livez',
];
const QUERY_KEYS = [
  'q',
  'query',
  'limit',
  'start',
  'cursor',
  'inbox',
  'since',
  'sort',
  'tz',
  'after',
  'images',
  '__proto__',
  'constructor',
];
const HEADERS = [
  'range',
  'if-none-match',
  'accept',
  'content-type',
  'origin',
  'cookie',
  'authorization',
  'last-event-id',
  'x-forwarded-for',
  'host',
];

function request(random: () => number, ids: readonly string[]): InjectOptions {
  const value = (): string =>
    random() < 0.5
      ? pick(random, ['1', '0', '-1', '50', 'latest', 'true', '*', 'box1@a.test', ...ids])
      : random() < 0.5
        ? randomText(random, 4)
        : text(random, 3);
  const path = pick(random, PATHS)
    .replace('{id}', () => (random() < 0.6 ? pick(random, ids) : encode(value())))
    .replace('{part}', () => (random() < 0.6 ? String(small(random, 5)) : encode(value())))
    .replace('{inbox}', () => (random() < 0.6 ? 'box1@a.test' : encode(value())));
  const query = Array.from(
    { length: small(random, 4) },
    () => `${pick(random, QUERY_KEYS)}=${random() < 0.9 ? encode(value()) : raw(value())}`,
  ).join('&');
  const headers: Record<string, string> = {};
  for (let count = small(random, 4); count > 0; count--) headers[pick(random, HEADERS)] = field(value());
  const method = pick(random, METHODS);
  const url = `${random() < 0.03 ? raw(`/${text(random, 3)}`) : path}${query === '' ? '' : `?${query}`}`;
  if (method === 'GET' || method === 'HEAD' || random() < 0.2) return { method, url, headers };
  const body =
    random() < 0.5
      ? mutate(random, Buffer.from(pick(random, BODIES)), [Buffer.from('{"IDs":[]}')])
      : pick(random, BODIES).replace('ID', () => pick(random, ids));
  return { method, url, headers: { 'content-type': 'application/json', ...headers }, payload: body };
}

// biome-ignore format: a list
const BODIES = [
  '{"ids":["ID"],"read":true}', '{"IDs":["ID"],"Read":true}', '{"tags":["a","b"]}', '{"query":"is:unread","addTags":["x"]}', '{"token":"x"}', '[]', 'null', '0',
  '{"__proto__":{"a":1}}', '{"ids":[[["ID"]]]}', '{"From":{"Email":"a@b.test"},"To":[{"Email":"c@d.test"}],"Subject":"x","Text":"y","HTML":"<b>z</b>"}',
  '{"html":"<p>x</p>"}', '<p>x</p>', '{"Sender":{"ErrorCode":451,"Probability":0}}',
];

const encode = (value: string): string => encodeURIComponent(value.toWellFormed());
const field = (value: string): string => value.replace(/[^\t -~\u00a0-\u00ff]/g, '');
/** What a request line can carry at all. */
const raw = (value: string): string => value.replace(/[^!-~]/g, '').replace(/^\/*/, '/');

/** Requests to the API, the dialects and the page. */
export const http: Target = {
  name: 'http',
  share: 0.8,
  deadlineMs: 5_000,
  async run(random) {
    staged ??= raise();
    const { app, store, reports, ids } = await staged;
    const asked = request(random, ids);
    const shown = JSON.stringify(asked, (_, value) => (Buffer.isBuffer(value) ? value.toString('latin1') : value));
    let reply: Awaited<ReturnType<typeof app.inject>>;
    try {
      reply = await app.inject(asked);
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_INVALID_URL') return; // the client's own, of what is no request line
      throw new Finding(`threw ${(error as Error).stack}`, shown, { cause: error });
    }
    if (reports.length > 0)
      throw new Finding(
        `reported ${JSON.stringify(reports.splice(0).map((one) => (one.type === 'crash' ? String((one.error as Error).stack) : one)))}`,
        shown,
      );
    if (reply.statusCode >= 500 && reply.statusCode !== 503 && reply.statusCode !== 501)
      throw new Finding(`answered ${reply.statusCode} ${reply.body.slice(0, 500)}`, shown);
    if (reply.statusCode === 200 && asked.method === 'DELETE') await refill(store, ids);
  },
  async close() {
    const stage = await staged;
    await stage?.app.close();
    await stage?.store.close();
    staged = undefined;
  },
};

/** Puts back what a request has deleted, so that there is always something to ask for. */
async function refill(store: Store, ids: readonly string[]): Promise<void> {
  if ((await store.list({ limit: 1 })).messages.length > 0) return;
  const some = mails();
  for (const [number, id] of ids.entries()) {
    await deliver({ save: (message) => store.save({ ...message, id }) } as Store, some[number]!, {
      to: ['box1@a.test'],
    });
  }
}
