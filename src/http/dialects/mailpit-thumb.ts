import type { FastifyInstance } from 'fastify';
import { inlineDisposition } from '../content-disposition.ts';
import type { Context } from '../context.ts';
import { Thumbnailer } from '../images/thumbnailer.ts';
import { sendBadRequest, sendFailure } from '../replies.ts';
import { messageId } from './mailpit-id.ts';

/** Small pictures of the pictures in a mail; a blank one for every other part. */
export function addThumbRoutes(app: FastifyInstance, context: Context): void {
  const { reader, report } = context;
  const thumbnailer = new Thumbnailer(report);
  app.addHook('onClose', () => thumbnailer.close());

  app.get('/api/v1/message/:id/part/:part/thumb', async (request, reply) => {
    const id = await messageId(request, reply, context);
    if (id === undefined) return reply;
    const { part: wanted } = request.params as { part: string };
    const part = (await reader.parsed(id))?.parts.find(({ partId }) => partId === wanted);
    if (part === undefined) return sendBadRequest(reply, 'part not found');
    const thumb = part.contentType.startsWith('image/')
      ? await thumbnailer.thumbnail(part.checksums.sha256, part.content)
      : await thumbnailer.blank();
    if (thumb === undefined) return sendFailure(reply);
    reply.headers({
      'content-type': 'image/jpeg',
      'content-disposition': inlineDisposition(part.fileName || part.contentId),
    });
    return reply.send(thumb);
  });
}
