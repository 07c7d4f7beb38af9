import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseQuery, type Query } from '../../mail/query.ts';
import { toSummary } from '../../mail/shapes.ts';
import type { Selection } from '../../mail/store.ts';
import type { Context } from '../context.ts';
import { sendProblem } from '../problem.ts';
import { sendJson } from '../replies.ts';
import { storeFor } from '../store-for.ts';
import { inboxOfPath, pageOf } from './api.ts';
import { sendTagged } from './etag.ts';
import type { Route } from './route.ts';
import { CHANGE_MANY_BODY, CHANGED_IDS, CURSOR, DELETE_MANY_BODY, LIMIT, SEARCH, START, schemaOf } from './schemas.ts';

const LIST_QUERY = {
  q: SEARCH,
  limit: LIMIT,
  cursor: CURSOR,
  start: START,
  counts: {
    type: 'boolean',
    description: 'Say how many match, however long that takes; by default the first page says it up to a bound',
  },
} as const;

/** How far matches are counted where nobody asks for all: a number that people read, and no search waits for. */
const COUNTED_MATCHES = 10_000;

/** Lists of messages, and what is done to many at once. */
export function listRoutes(context: Context): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/inboxes/{inbox}/messages',
      right: 'read',
      name: 'listMessages',
      summary: 'Messages of an inbox, newest first',
      query: LIST_QUERY,
      replies: { 200: { description: 'A page of messages', schema: schemaOf('MessageList') } },
      problems: ['bad-query'],
      handle(request, reply) {
        const inbox = inboxOfPath(request, reply, context);
        return inbox === undefined ? reply : sendList(request, reply, context, inbox);
      },
    },
    {
      method: 'GET',
      path: '/api/search',
      right: 'read',
      name: 'search',
      summary: 'Messages of all inboxes, newest first',
      query: LIST_QUERY,
      replies: { 200: { description: 'A page of messages', schema: schemaOf('MessageList') } },
      problems: ['bad-query'],
      handle: (request, reply) => sendList(request, reply, context),
    },
    {
      method: 'POST',
      path: '/api/messages/change',
      right: 'delete',
      name: 'changeMessages',
      summary: 'Change the state of many messages',
      body: CHANGE_MANY_BODY,
      replies: {
        200: {
          description: `How many are not what they were, and up to ${CHANGED_IDS} which`,
          schema: schemaOf('Changed'),
        },
      },
      problems: ['bad-query', 'bad-request', 'too-large'],
      async handle(request, reply) {
        const { ids, query, ...change } = request.body as { ids?: string[]; query?: string; read?: boolean };
        const selection = selectionOf(reply, ids, query);
        if (selection === undefined) return reply;
        const changed = await storeFor(request, context).change(selection, change);
        // so that whoever has changed all of a search can take just that back
        return sendJson(reply, { changed: changed.length, ...(changed.length <= CHANGED_IDS && { ids: changed }) });
      },
    },
    {
      method: 'POST',
      path: '/api/messages/delete',
      right: 'delete',
      name: 'deleteMessages',
      summary: 'Delete many messages; with credentials for some inboxes, out of those',
      body: DELETE_MANY_BODY,
      replies: { 200: { description: 'How many are gone', schema: schemaOf('Deleted') } },
      problems: ['bad-query', 'bad-request', 'too-large'],
      async handle(request, reply) {
        const { ids, query, all } = request.body as { ids?: string[]; query?: string; all?: true };
        const selection = all ? ({ all } as const) : selectionOf(reply, ids, query);
        if (selection === undefined) return reply;
        const deleted = await storeFor(request, context).remove(selection);
        return sendJson(reply, { deleted: deleted.length });
      },
    },
  ];
}

async function sendList(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  inbox?: string,
): Promise<FastifyReply> {
  const { q, limit, start, cursor, counts } = request.query as {
    q?: string;
    limit: number;
    start: number;
    cursor?: string;
    counts?: boolean;
  };
  const query = readQuery(reply, q, 'q');
  if (query === undefined) return reply;
  context.reader.expect();
  const isCounted = counts ?? (cursor === undefined && start === 0);
  const found = storeFor(request, context).list({
    query,
    limit,
    start,
    ...(counts ? { counts } : isCounted && { countTo: COUNTED_MATCHES }),
    ...(inbox !== undefined && { inbox }),
    ...(cursor !== undefined && { cursor }),
  });
  const page = await pageOf(reply, found);
  if (page === undefined) return reply;
  return sendTagged(request, reply, {
    messages: page.messages.map(toSummary),
    next: page.next ?? null,
    ...(page.matches !== undefined && { matches: page.matches }),
    ...(page.isMore && { isMore: true }),
  });
}

/** Reads a search, `all` where there is none; undefined if it cannot be read, which the client has then been told. */
export function readQuery(reply: FastifyReply, text: string | undefined, parameter: string): Query | undefined {
  if (text === undefined || text.trim() === '') return { kind: 'all' };
  const parsed = parseQuery(text);
  if (parsed.ok) return parsed.value;
  sendProblem(reply, 'bad-query', parsed.why, { parameter, at: parsed.at });
  return undefined;
}

function selectionOf(reply: FastifyReply, ids: string[] | undefined, text: string | undefined): Selection | undefined {
  if (ids !== undefined) return { ids };
  // a search for nothing must not mean everything: for that there is `all`
  if (text === undefined || text.trim() === '') {
    sendProblem(reply, 'bad-query', 'The search is empty', { parameter: 'query', at: 0 });
    return undefined;
  }
  const query = readQuery(reply, text, 'query');
  return query && { query };
}
