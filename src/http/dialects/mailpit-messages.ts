import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Term } from '../../mail/store.ts';
import { sendBadRequest, sendJson, sendOk } from '../replies.ts';
import type { MailpitContext } from './mailpit-context.ts';
import { parseMailpitQuery } from './mailpit-query.ts';
import { decodeBody, paging, parameter, strings } from './mailpit-request.ts';
import { toPage } from './mailpit-shapes.ts';

/** Lists of messages, and what is done to many at once. */
export function addMessagesRoutes(app: FastifyInstance, { store, senders }: MailpitContext): void {
  app.get('/api/v1/messages', async (request, reply) => {
    const { start, limit, before } = paging(request);
    // a limit of 0 is the whole list, from its beginning wherever the client says it starts
    const stretch = limit === 0 ? {} : { start, limit };
    const page = await store.list({ ...stretch, ...(before && { before }) });
    const stats = await store.stats();
    const counts = { matches: stats.messages, unreadMatches: stats.unread };
    return sendJson(reply, toPage(stats, { messages: page.messages, ...counts }, start, senders));
  });

  app.get('/api/v1/search', async (request, reply) => {
    const terms = searchTerms(request, reply);
    if (terms === undefined) return reply;
    const { start, limit, before } = paging(request);
    const page = await store.list({ terms, start, limit, ...(before && { before }) });
    return sendJson(reply, toPage(await store.stats(), page, start, senders));
  });

  app.delete('/api/v1/search', async (request, reply) => {
    const terms = searchTerms(request, reply);
    if (terms === undefined) return reply;
    await store.remove({ terms });
    return sendOk(reply);
  });

  app.delete('/api/v1/messages', async (request, reply) => {
    const body = decodeBody(request);
    const ids = body === undefined ? undefined : strings(body, 'ids');
    // Mailpit's rule, and its clients rely on it: no ids, or a body that says nothing, is all messages
    await store.remove(ids === undefined || ids.length === 0 ? { all: true } : { ids });
    return sendOk(reply);
  });

  app.put('/api/v1/messages', async (request, reply) => {
    const body = decodeBody(request);
    const ids = body && strings(body, 'ids');
    const read = body?.get('read') ?? false;
    const search = body?.get('search') ?? '';
    if (ids === undefined || typeof read !== 'boolean' || typeof search !== 'string') {
      return sendBadRequest(reply, 'Error: the body must be JSON like {"Read": true, "IDs": ["..."], "Search": ""}');
    }
    if (ids.length > 0 && search !== '') {
      return sendBadRequest(reply, 'You may specify either IDs or a search query, not both');
    }
    if (search !== '') {
      const query = parseMailpitQuery(search);
      if (!query.ok) return sendBadRequest(reply, query.why);
      await store.markRead({ terms: query.terms }, read);
    } else await store.markRead(ids.length > 0 ? { ids } : { all: true }, read);
    return sendOk(reply);
  });
}

/** Reads the search of a request; undefined if it is none, which the client has then been told. */
function searchTerms(request: FastifyRequest, reply: FastifyReply): readonly Term[] | undefined {
  const query = parseMailpitQuery(parameter(request, 'query'));
  if (query.ok) return query.terms;
  sendBadRequest(reply, query.why);
  return undefined;
}
