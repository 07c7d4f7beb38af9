import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../context.ts';
import { sendBadRequest, sendNoMessage, sendNotFound } from '../replies.ts';
import { storeFor } from '../store-for.ts';
import { parseMailpitQuery } from './mailpit-query.ts';
import { parameter } from './mailpit-request.ts';

/** Finds the id that a request means; undefined if there is none, which the client has then been told. */
export function messageId(request: FastifyRequest, reply: FastifyReply, context: Context): Promise<string | undefined> {
  return findMessage((request.params as { id: string }).id, request, reply, context);
}

/** Finds the id that a name means: itself, or the newest for `latest`. */
export async function findMessage(
  id: string,
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
): Promise<string | undefined> {
  const store = storeFor(request, context);
  if (id !== 'latest') {
    const isSeen = request.grant.scope === undefined || (await store.get(id)) !== undefined;
    if (/^[0-9A-Za-z]{1,64}$/.test(id) && isSeen) return id;
    sendNotFound(reply); // no id of ours looks like that, or it is none for him
    return undefined;
  }
  const search = parameter(request, 'query').trim();
  const query = search === '' ? undefined : parseMailpitQuery(search, parameter(request, 'tz'));
  if (query?.ok === false) {
    sendBadRequest(reply, query.why);
    return undefined;
  }
  const { messages } = await store.list({ limit: 1, ...(query && { query: query.value }) });
  if (messages[0] === undefined) sendNoMessage(reply);
  return messages[0]?.id;
}
