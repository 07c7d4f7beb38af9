import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { inlineDisposition } from '../content-disposition.ts';
import type { Context } from '../context.ts';
import { safeType } from '../media-type.ts';
import { sendJson, sendJsonText, sendNotFound } from '../replies.ts';
import { SANDBOX_POLICY } from '../security.ts';
import { storeFor } from '../store-for.ts';
import { messageId } from './mailpit-id.ts';
import { markRead } from './mailpit-read.ts';
import { parameter } from './mailpit-request.ts';
import { toHeadersJson, toMessage } from './mailpit-shapes.ts';

/** One message and what is in it. Everywhere `latest` stands for the newest, or the newest that `?query=` finds. */
export function addMessageRoutes(app: FastifyInstance, context: Context): void {
  const { reader, report } = context;

  app.get('/api/v1/message/:id', async (request, reply) => {
    const id = await messageId(request, reply, context);
    if (id === undefined) return reply;
    const [stored, parsed] = await Promise.all([storeFor(request, context).get(id), reader.parsed(id)]);
    if (stored === undefined || parsed === undefined) return sendNotFound(reply);
    await markRead(id, context);
    return sendJson(reply, toMessage(stored, parsed));
  });

  app.get('/api/v1/message/:id/headers', async (request, reply) => {
    const id = await messageId(request, reply, context);
    if (id === undefined) return reply;
    const fields = await reader.headerFields(id);
    return fields === undefined ? sendNotFound(reply) : sendJsonText(reply, toHeadersJson(fields));
  });

  app.get('/api/v1/message/:id/raw', async (request, reply) => {
    const id = await messageId(request, reply, context);
    if (id === undefined) return reply;
    const content = await storeFor(request, context).content(id);
    if (content === undefined) return sendNotFound(reply);
    reply.headers({ 'content-type': 'text/plain; charset=utf-8', 'content-length': content.bytes });
    if (parameter(request, 'dl') === '1') reply.header('content-disposition', `attachment; filename="${id}.eml"`);
    const stream = Readable.from(content.stream(), { objectMode: false });
    stream.on('error', (error) => {
      // before the first byte the error handler answers and reports; later the reply can only break off
      if (reply.raw.headersSent) report({ type: 'crash', where: 'http', error });
    });
    return reply.send(stream);
  });

  app.get('/api/v1/message/:id/part/:part', async (request, reply) => {
    const id = await messageId(request, reply, context);
    if (id === undefined) return reply;
    const { part: wanted } = request.params as { part: string };
    const part = (await reader.parsed(id))?.parts.find(({ partId }) => partId === wanted);
    if (part === undefined) return sendNotFound(reply);
    // the mail's own type is kept, and a page made of it must not become a page of ours
    return reply
      .headers({
        'content-type': safeType(part.contentType),
        'content-disposition': inlineDisposition(part.fileName || part.contentId),
        'content-security-policy': SANDBOX_POLICY,
      })
      .send(part.content);
  });
}
