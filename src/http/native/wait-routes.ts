import type { FastifyReply, FastifyRequest } from 'fastify';
import { idTime } from '../../mail/message.ts';
import type { Query } from '../../mail/query.ts';
import { toMessage } from '../../mail/shapes.ts';
import type { Store, Summary } from '../../mail/store.ts';
import type { Context } from '../context.ts';
import { sendProblem } from '../problem.ts';
import { sendJsonText } from '../replies.ts';
import { storeFor } from '../store-for.ts';
import { inboxOfPath } from './api.ts';
import { readQuery } from './list-routes.ts';
import type { Route } from './route.ts';
import { SEARCH, schemaOf } from './schemas.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** Waiting for a message to come. */
export function waitRoutes(context: Context, room: WaitingRoom): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/inboxes/{inbox}/wait',
      right: 'read',
      name: 'waitForMessage',
      summary: 'The first message that fits: the oldest that came after `since`, else the next one to come',
      query: {
        q: SEARCH,
        since: {
          type: 'string',
          maxLength: 64,
          description:
            'Only what came after this: a time as in RFC 3339, the id of a message, or the number of an event',
        },
        timeout: {
          type: 'number',
          minimum: 0,
          maximum: context.limits.waitSeconds,
          default: 30,
          description: 'Seconds to wait',
        },
      },
      replies: {
        200: { description: 'The message', schema: schemaOf('Message') },
        204: { description: 'None came in time' },
      },
      problems: ['bad-query', 'gone', 'too-many', 'unavailable'],
      isHeld: true,
      handle: (request, reply) => wait(request, reply, context, room),
    },
  ];
}

async function wait(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  room: WaitingRoom,
): Promise<FastifyReply> {
  const { q, since: text, timeout } = request.query as { q?: string; since?: string; timeout: number };
  const inbox = inboxOfPath(request, reply, context);
  if (inbox === undefined) return reply;
  const query = readQuery(reply, q, 'q');
  if (query === undefined) return reply;
  const since = parseSince(text);
  if (since === undefined) {
    return sendProblem(reply, 'bad-parameter', 'It is a time, the id of a message or the number of an event', {
      parameter: 'since',
    });
  }
  const store = storeFor(request, context);
  // first wait, then look: what comes in between is then seen at least once
  const place = room.enter({ inbox, query, grant: request.grant, timeoutMs: timeout * 1000 });
  if (place === undefined) return sendProblem(reply, 'unavailable', 'Too many wait already');
  context.reader.expect();
  const leave = (): void => place.leave();
  reply.raw.once('close', leave);
  try {
    const there = await findOldest(store, inbox, query, since);
    if (there === 'gone') return sendProblem(reply, 'gone', 'That event is no longer kept', { parameter: 'since' });
    const id = there?.id ?? (await place.arrival);
    if (id === 'closing')
      return sendProblem(reply.header('connection', 'close'), 'unavailable', 'The daemon is stopping');
    if (id === undefined) return reply.code(204).send();
    const message = await store.get(id);
    const parsed = message && (await context.reader.parsed(id));
    // whoever deletes what another waits for has made it as if it had never come
    if (message === undefined || parsed === undefined) return reply.code(204).send();
    const edits = await context.reader.edits(message);
    return sendJsonText(reply, JSON.stringify(toMessage(message, parsed, edits)));
  } finally {
    reply.raw.off('close', leave);
    place.leave();
  }
}

type Since =
  | { readonly kind: 'start' }
  | { readonly kind: 'time'; readonly at: Date }
  | { readonly kind: 'message'; readonly id: string }
  | { readonly kind: 'event'; readonly id: number };

/** Reads `since`; undefined if it is none of the three. */
export function parseSince(text: string | undefined): Since | undefined {
  if (text === undefined || text === '') return { kind: 'start' };
  if (/^\d{1,15}$/.test(text)) return { kind: 'event', id: Number(text) };
  if (/^[0-9a-hjkmnp-tv-z]{26}$/.test(text)) return { kind: 'message', id: text };
  if (!/^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/i.test(text)) return undefined;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? undefined : { kind: 'time', at };
}

/** Finds the oldest message of an inbox that fits and came after a point in time. */
async function findOldest(
  store: Store,
  inbox: string,
  query: Query,
  since: Since,
): Promise<Summary | 'gone' | undefined> {
  switch (since.kind) {
    case 'start':
      return oldestOf(store, inbox, query);
    case 'time':
      return oldestOf(store, inbox, and(query, { kind: 'after', at: new Date(since.at.getTime() + 1) }));
    case 'message': {
      // ids sort by time, and so tell apart what came in the same millisecond
      const at = new Date(idTime(since.id) - 1);
      return oldestOf(store, inbox, and(query, { kind: 'after', at }), ({ id }) => id > since.id);
    }
    case 'event':
      return oldestSinceEvent(store, inbox, query, since.id);
  }
}

function and(query: Query, other: Query): Query {
  return query.kind === 'all' ? other : { kind: 'and', parts: [query, other] };
}

const PAGE = 200;
/** Those that do not fit are few: of the same millisecond, or of the same moment. */
const OLDEST_PAGE = 20;

async function oldestOf(
  store: Store,
  inbox: string,
  query: Query,
  fits: (message: Summary) => boolean = () => true,
): Promise<Summary | undefined> {
  let cursor: string | undefined;
  do {
    const limit = cursor === undefined ? 1 : OLDEST_PAGE;
    const page = await store.list({ inbox, query, limit, oldestFirst: true, ...(cursor !== undefined && { cursor }) });
    const found = page.messages.find(fits);
    if (found !== undefined) return found;
    cursor = page.next;
  } while (cursor !== undefined);
  return undefined;
}

async function oldestSinceEvent(
  store: Store,
  inbox: string,
  query: Query,
  event: number,
): Promise<Summary | 'gone' | undefined> {
  const ids = new Set<string>();
  let first = Number.POSITIVE_INFINITY;
  let at = event;
  for (;;) {
    const events = await store.feed.since(at, PAGE);
    if (events === 'gone') return 'gone';
    for (const { id, type, message, inboxes, summary } of events) {
      at = id;
      // one without a summary is gone
      if (type !== 'received' || summary === undefined || !inboxes.includes(inbox)) continue;
      ids.add(message);
      first = Math.min(first, summary.receivedAt.getTime());
    }
    if (events.length === 0) break;
  }
  if (ids.size === 0) return undefined;
  return oldestOf(store, inbox, and(query, { kind: 'after', at: new Date(first) }), ({ id }) => ids.has(id));
}
