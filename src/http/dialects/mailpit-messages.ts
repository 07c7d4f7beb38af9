import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Query } from '../../mail/query.ts';
import type { Context } from '../context.ts';
import { sendBadRequest, sendJson, sendOk } from '../replies.ts';
import { storeFor } from '../store-for.ts';
import type { MailpitHubs } from './mailpit-hubs.ts';
import { parseMailpitQuery } from './mailpit-query.ts';
import { decodeBody, paging, parameter, strings } from './mailpit-request.ts';
import { toPage } from './mailpit-shapes.ts';
import { tagNames } from './mailpit-tags.ts';

/** Lists of messages, and what is done to many at once. */
export function addMessagesRoutes(app: FastifyInstance, context: Context, hubs: MailpitHubs): void {
  app.get('/api/v1/messages', async (request, reply) => {
    const { start, limit, before } = paging(request);
    // a limit of 0 is the whole list, from its beginning wherever the client says it starts
    const stretch = limit === 0 ? {} : { start, limit };
    const store = storeFor(request, context);
    context.reader.expect();
    const { messages } = await store.list({ ...stretch, ...(before && { before }) });
    return sendJson(reply, toPage(await store.stats(), { messages }, start, await tagNames(store)));
  });

  app.get('/api/v1/search', async (request, reply) => {
    const query = search(request, reply);
    if (query === undefined) return reply;
    const { start, limit, before } = paging(request);
    const store = storeFor(request, context);
    context.reader.expect();
    const page = await store.list({ query, start, limit, counts: true, ...(before && { before }) });
    return sendJson(reply, toPage(await store.stats(), page, start, await tagNames(store)));
  });

  app.delete('/api/v1/search', async (request, reply) => {
    const query = search(request, reply);
    if (query === undefined) return reply;
    await storeFor(request, context).remove({ query });
    return sendOk(reply);
  });

  app.delete('/api/v1/messages', async (request, reply) => {
    const body = decodeBody(request);
    const ids = body === undefined ? undefined : strings(body, 'ids');
    // Mailpit's rule, and its clients rely on it: no ids, or a body that says nothing, is all messages
    const store = storeFor(request, context);
    const isAll = ids === undefined || ids.length === 0;
    if (isAll && request.grant.scope === undefined) await hubs.truncate(() => store.remove({ all: true }));
    else await store.remove(isAll ? { all: true } : { ids });
    return sendOk(reply);
  });

  app.put('/api/v1/messages', async (request, reply) => {
    const body = decodeBody(request);
    const ids = body && strings(body, 'ids');
    const read = body?.get('read') ?? false;
    const wanted = body?.get('search') ?? '';
    if (ids === undefined || typeof read !== 'boolean' || typeof wanted !== 'string') {
      return sendBadRequest(reply, 'Error: the body must be JSON like {"Read": true, "IDs": ["..."], "Search": ""}');
    }
    if (ids.length > 0 && wanted !== '') {
      return sendBadRequest(reply, 'You may specify either IDs or a search query, not both');
    }
    const store = storeFor(request, context);
    if (wanted !== '') {
      const query = parseMailpitQuery(wanted, parameter(request, 'tz'));
      if (!query.ok) return sendBadRequest(reply, query.why);
      await store.change({ query: query.value }, { read });
    } else await store.change(ids.length > 0 ? { ids } : { all: true }, { read });
    return sendOk(reply);
  });
}

/** Reads the search of a request; undefined if it is none, which the client has then been told. */
function search(request: FastifyRequest, reply: FastifyReply): Query | undefined {
  const query = parseMailpitQuery(parameter(request, 'query'), parameter(request, 'tz'));
  if (query.ok) return query.value;
  sendBadRequest(reply, query.why);
  return undefined;
}
