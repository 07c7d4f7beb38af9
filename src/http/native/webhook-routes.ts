import type { AttemptFacts, DeadLetter } from '../../mail/deliveries.ts';
import type { WebhookFacts } from '../../mail/webhook-desk.ts';
import type { Context } from '../context.ts';
import { sendProblem } from '../problem.ts';
import { sendJson } from '../replies.ts';
import type { Route } from './route.ts';
import { REPLAY_BODY, schemaOf } from './schemas.ts';

/** Looking after webhooks: they are told of all mail, so only who may do everything may do that. */
export function webhookRoutes({ webhooks }: Context): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/webhooks',
      right: 'admin',
      isScoped: false,
      name: 'listWebhooks',
      summary: 'Webhooks, with what waits for them and what was given up',
      replies: { 200: { description: 'All of them', schema: schemaOf('WebhookList') } },
      async handle(_request, reply) {
        return sendJson(reply, { webhooks: (await webhooks.list()).map(toWebhook) });
      },
    },
    {
      method: 'GET',
      path: '/api/webhooks/{webhook}/dead',
      right: 'admin',
      isScoped: false,
      name: 'listDeadLetters',
      summary: 'Deliveries of a webhook that were given up, the latest first',
      query: {
        limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 100, description: 'At most so many' },
      },
      replies: { 200: { description: 'Dead letters', schema: schemaOf('DeadLetterList') } },
      problems: ['not-found'],
      async handle(request, reply) {
        const { limit } = request.query as { limit: number };
        const dead = await webhooks.dead(nameOf(request), limit);
        if (dead === undefined) return sendNoWebhook(reply);
        return sendJson(reply, { dead: dead.map(toDeadLetter) });
      },
    },
    {
      method: 'POST',
      path: '/api/webhooks/{webhook}/replay',
      right: 'admin',
      isScoped: false,
      name: 'replayDeadLetters',
      summary: 'Have what was given up delivered again, behind all that waits',
      body: REPLAY_BODY,
      wantsBody: false,
      replies: { 200: { description: 'How many there was room for', schema: schemaOf('Replayed') } },
      problems: ['bad-request', 'not-found'],
      async handle(request, reply) {
        const { ids } = request.body as { ids?: readonly string[] };
        const replayed = await webhooks.replay(nameOf(request), ids);
        return replayed === undefined ? sendNoWebhook(reply) : sendJson(reply, { replayed });
      },
    },
    {
      method: 'POST',
      path: '/api/webhooks/{webhook}/test',
      right: 'admin',
      isScoped: false,
      name: 'testWebhook',
      summary: 'Send an event that is no message to a webhook, at once, and tell how it went',
      replies: { 200: { description: 'How it went', schema: schemaOf('WebhookAttempt') } },
      problems: ['not-found'],
      isHeld: true,
      async handle(request, reply) {
        const attempt = await webhooks.test(nameOf(request));
        return attempt === undefined ? sendNoWebhook(reply) : sendJson(reply, toAttempt(attempt));
      },
    },
  ];
}

function nameOf({ params }: { readonly params: unknown }): string {
  return (params as { webhook: string }).webhook;
}

function sendNoWebhook(reply: Parameters<Route['handle']>[1]) {
  return sendProblem(reply, 'not-found', 'There is no such webhook', { parameter: 'webhook' });
}

function toWebhook({ name, host, inboxes, query, isSigned, state, waiting, dead, oldest, last }: WebhookFacts): object {
  const times = { oldest: oldest?.toISOString() ?? null, last: last && toAttempt(last) };
  return { name, host, inboxes, query, signed: isSigned, state, waiting, dead, ...times };
}

function toAttempt({ at, status, why, milliseconds }: AttemptFacts): object {
  return { at: new Date(at).toISOString(), status, why, milliseconds };
}

function toDeadLetter({ id, message, inboxes, subject, attempts, diedAt, why }: DeadLetter): object {
  return { id, message, inboxes, subject, attempts, diedAt: diedAt.toISOString(), why };
}
