import { describe, expect, it } from 'vitest';
import type { Access } from '../../../src/http/auth/access.ts';
import { OPEN_ACCESS } from '../../../src/http/auth/access.ts';
import type { Grant } from '../../../src/http/auth/grant.ts';
import type { WebhookDesk } from '../../../src/mail/webhook-desk.ts';
import { expectSchema, useServer } from './support.ts';

const server = useServer();
const attempt = { at: Date.UTC(2026, 0, 31), status: 503, why: 'answered 503', milliseconds: 12 };
const at = '2026-01-31T00:00:00.000Z';

function deskOf(asked: unknown[] = []): WebhookDesk {
  const isKnown = (name: string): boolean => name === 'ci';
  return {
    list: async () => [
      {
        name: 'ci',
        host: 'ci.example',
        inboxes: ['a*'],
        query: 'x',
        isSigned: true,
        state: 'failing',
        isConfigured: true,
        waiting: 2,
        dead: 1,
        oldest: new Date(at),
        last: attempt,
      },
    ],
    async dead(name, limit) {
      asked.push(limit);
      const letter = {
        id: 'm.ci',
        message: 'm',
        inboxes: ['a'],
        subject: 's',
        attempts: 20,
        diedAt: new Date(at),
        why: 'w',
      };
      return isKnown(name) ? [letter] : undefined;
    },
    async replay(name, ids) {
      asked.push(ids);
      return isKnown(name) ? 1 : undefined;
    },
    test: async (name) => (isKnown(name) ? attempt : undefined),
  };
}

describe('/api/webhooks', () => {
  it('lists them as its description says', async () => {
    const reply = await server.serve({ webhooks: deskOf() }).inject('/api/webhooks');
    expect(reply.json()).toMatchObject({
      webhooks: [{ name: 'ci', signed: true, oldest: at, last: { at, status: 503 } }],
    });
    await expectSchema('WebhookList', reply.json());
  });

  it('lists, replays and tries', async () => {
    const asked: unknown[] = [];
    const app = server.serve({ webhooks: deskOf(asked) });
    const dead = await app.inject('/api/webhooks/ci/dead?limit=7');
    await expectSchema('DeadLetterList', dead.json());
    const replay = await app.inject({ method: 'POST', url: '/api/webhooks/ci/replay', payload: { ids: ['m.ci'] } });
    expect(replay.json()).toEqual({ replayed: 1 });
    expect((await app.inject({ method: 'POST', url: '/api/webhooks/ci/replay' })).json()).toEqual({ replayed: 1 });
    expect(asked).toEqual([7, ['m.ci'], undefined]);
    const test = await app.inject({ method: 'POST', url: '/api/webhooks/ci/test' });
    expect(test.json()).toEqual({ ...attempt, at });
    await expectSchema('WebhookAttempt', test.json());
  });

  it.each(['GET /dead', 'POST /replay', 'POST /test'])('knows no other: %s', async (what) => {
    const [method = '', path] = what.split(' ');
    const app = server.serve({ webhooks: deskOf() });
    const reply = await app.inject({ method: method as 'GET', url: `/api/webhooks/nix${path}` });
    expect(reply.statusCode).toBe(404);
    expect(reply.json()).toMatchObject({ detail: 'There is no such webhook', parameter: 'webhook' });
  });

  it.each<[string, Grant, number]>([
    ['reads mail', { name: 'r', rights: ['read', 'delete', 'metrics'] }, 403],
    ['may do everything, in some inboxes', { name: 's', rights: ['admin'], scope: ['a*'] }, 403],
    ['may do everything', { name: 'a', rights: ['admin'] }, 200],
  ])('answers who %s with its due', async (_who, grant, status) => {
    const access: Access = { ...OPEN_ACCESS, isRequired: true, identify: async () => ({ ok: true, grant }) };
    const app = server.serve({ webhooks: deskOf(), access });
    expect((await app.inject('/api/webhooks')).statusCode).toBe(status);
    expect((await app.inject({ method: 'POST', url: '/api/webhooks/ci/test' })).statusCode).toBe(status);
  });
});
