import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { sendJson, sendText, sendUnready } from '../replies.ts';
import { storeFor } from '../store-for.ts';

/** The daemon itself: what it is, whether it lives and takes mail. */
export function addInfoRoutes(app: FastifyInstance, context: Context): void {
  const { version, counters, startedAt } = context;
  app.get('/api/v1/info', async (request, reply) => {
    const store = storeFor(request, context);
    const stats = await store.stats();
    const counted = counters();
    return sendJson(reply, {
      Version: version,
      LatestVersion: 'disabled', // nobody is asked
      Database: stats.location,
      DatabaseSize: stats.diskBytes,
      Messages: stats.messages,
      Unread: stats.unread,
      Tags: Object.fromEntries(await store.tags()),
      RuntimeStats: {
        Uptime: Math.floor((Date.now() - startedAt.getTime()) / 1000),
        Memory: process.memoryUsage.rss(),
        MessagesDeleted: stats.deleted,
        SMTPAccepted: counted.smtpAccepted,
        SMTPAcceptedSize: counted.smtpAcceptedBytes,
        SMTPRejected: counted.smtpRejected,
        SMTPIgnored: counted.smtpIgnored,
      },
    });
  });

  app.route({ method: ['GET', 'HEAD'], url: '/livez', handler: (_request, reply) => sendText(reply, 200, '') });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/readyz',
    handler: async (_request, reply) => ((await context.store.ready()) ? sendText(reply, 200, '') : sendUnready(reply)),
  });
}
