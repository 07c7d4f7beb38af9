import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { SCHEMAS } from '../../../src/http/native/schemas.ts';
import { createHttpServer, type HttpOptions } from '../../../src/http/server.ts';
import type { Report } from '../../../src/mail/report.ts';
import type { Store } from '../../../src/mail/store.ts';
import { createSqliteStore } from '../../../src/store/sqlite/store.ts';

export { deliver, mail } from '../support.ts';

/** A store in memory for all tests of a file, emptied after each; and servers over it, closed after each. */
export function useServer() {
  const reports: Report[] = [];
  const apps: FastifyInstance[] = [];
  let plain: FastifyInstance | undefined;
  const state = {
    store: undefined as unknown as Store,
    /** What went wrong inside; a test that expects something takes it out. */
    reports,
    /** One without options of its own, for all tests of the file. */
    get app(): FastifyInstance {
      if (plain === undefined) {
        plain = state.serve();
        apps.pop();
      }
      return plain;
    },
    serve(options: Partial<HttpOptions> = {}): FastifyInstance {
      const app = createHttpServer({
        store: state.store,
        version: '1.2.3',
        hostname: 'mail.example.org',
        report: (report) => reports.push(report),
        listeners: () => ['smtp://127.0.0.1:1025', 'http://127.0.0.1:8025'],
        ...options,
      });
      apps.push(app);
      return app;
    },
  };
  beforeAll(async () => {
    state.store = await openStore(':memory:', reports);
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await state.store.remove({ all: true });
    expect(reports.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await plain?.close();
    await state.store.close();
  });
  return state;
}

export function openStore(directory: string, reports: Report[] = []): Promise<Store> {
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  return createSqliteStore({
    directory,
    ...limits,
    report: (report) => report.type === 'crash' && reports.push(report),
  });
}

/** Fails unless a value is what the API's description says an object of that name is. */
export async function expectSchema(name: string, value: unknown): Promise<void> {
  const defs = JSON.parse(JSON.stringify(SCHEMAS).replaceAll('#/components/schemas/', '#/$defs/')) as object;
  const app = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false } } });
  app.post('/', { schema: { body: { $ref: `#/$defs/${name}`, $defs: defs } } }, async () => 'ok');
  const reply = await app.inject({ method: 'POST', url: '/', payload: { ...(value as object) } });
  await app.close();
  expect(reply.body).toBe('ok');
}
