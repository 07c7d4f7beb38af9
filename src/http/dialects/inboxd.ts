import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { sendOk } from '../replies.ts';

/** What is ours and not Mailpit's: inboxes. */
export function addInboxRoutes(app: FastifyInstance, { store }: Context): void {
  // Empties an inbox; messages that lie in another one too stay there. Every address has an inbox: no name is unknown.
  app.delete('/api/inboxes/:inbox', async (request, reply) => {
    const { inbox } = request.params as { inbox: string };
    await store.remove({ inbox });
    return sendOk(reply);
  });
}
