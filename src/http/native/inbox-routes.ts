import { toInbox } from '../../mail/shapes.ts';
import type { Context } from '../context.ts';
import { storeFor } from '../store-for.ts';
import { inboxOfPath, pageOf } from './api.ts';
import { sendTagged } from './etag.ts';
import type { Route } from './route.ts';
import { CURSOR, LIMIT, schemaOf } from './schemas.ts';

/** The inboxes themselves. */
export function inboxRoutes(context: Context): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/inboxes',
      right: 'read',
      name: 'listInboxes',
      summary: 'Inboxes that hold mail, the one with the newest first',
      query: {
        query: { type: 'string', maxLength: 1_024, description: 'Only those whose name contains this' },
        limit: LIMIT,
        cursor: CURSOR,
      },
      replies: { 200: { description: 'A page of inboxes', schema: schemaOf('InboxList') } },
      async handle(request, reply) {
        const { query, limit, cursor } = request.query as { query?: string; limit: number; cursor?: string };
        const found = storeFor(request, context).inboxes({
          limit,
          ...(query !== undefined && { contains: query }),
          ...(cursor !== undefined && { cursor }),
        });
        const page = await pageOf(reply, found);
        if (page === undefined) return reply;
        return sendTagged(request, reply, { inboxes: page.inboxes.map(toInbox), next: page.next ?? null });
      },
    },
    {
      method: 'DELETE',
      path: '/api/inboxes/{inbox}',
      right: 'delete',
      name: 'emptyInbox',
      summary: 'Empty an inbox; a message that lies in another one too stays there',
      replies: { 204: { description: 'It is empty. Every address has an inbox: no name is unknown' } },
      async handle(request, reply) {
        const inbox = inboxOfPath(request, reply, context);
        if (inbox === undefined) return reply;
        await storeFor(request, context).remove({ inbox });
        return reply.code(204).send();
      },
    },
  ];
}
