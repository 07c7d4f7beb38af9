import type { FastifyReply, FastifyRequest } from 'fastify';
import type { MailPart } from '../../mail/mime.ts';
import { toMessage, toSummary } from '../../mail/shapes.ts';
import type { ContentForm, StoredMessage } from '../../mail/store.ts';
import type { Context } from '../context.ts';
import { framePolicy } from '../frame-policy.ts';
import { sendProblem } from '../problem.ts';
import { SANDBOX_POLICY } from '../security.ts';
import { storeFor } from '../store-for.ts';
import { messageOfPath, openedOfPath, sendNoMessage } from './api.ts';
import { attachmentDisposition, disposition, isPicture } from './disposition.ts';
import { etagOf, isKnown, sendTagged } from './etag.ts';
import { filterHtml } from './html-filter.ts';
import { partOf } from './parts.ts';
import type { Route } from './route.ts';
import { CHANGE_BODY, formOf, schemaOf } from './schemas.ts';
import { type ServedContent, sendContent } from './send-content.ts';

/** One message: its view, what is done to it, and what is in it. */
export function messageRoutes(context: Context): Route[] {
  const { reader, report } = context;
  return [
    {
      method: 'GET',
      path: '/api/messages/{id}',
      right: 'read',
      name: 'getMessage',
      summary:
        'One message taken apart as filters left it, with its envelope, transcript, codes, links and their changes',
      replies: { 200: { description: 'The message', schema: schemaOf('Message') } },
      problems: ['not-found'],
      async handle(request, reply) {
        const found = await openedOfPath(request, reply, context);
        if (found === undefined) return reply;
        const edits = await reader.edits(found.message);
        return sendTagged(request, reply, toMessage(found.message, found.opened, edits));
      },
    },
    {
      method: 'PATCH',
      path: '/api/messages/{id}',
      right: 'delete',
      name: 'changeMessage',
      summary: 'Mark a message read or unread, pin it, give it tags, release it from quarantine',
      body: CHANGE_BODY,
      replies: { 200: { description: 'The message as it is now', schema: schemaOf('Summary') } },
      problems: ['not-found', 'bad-request'],
      async handle(request, reply) {
        const message = await messageOfPath(request, reply, context);
        if (message === undefined) return reply;
        const store = storeFor(request, context);
        await store.change({ ids: [message.id] }, request.body as { read?: boolean });
        const changed = await store.get(message.id);
        return changed === undefined ? sendNoMessage(reply) : sendTagged(request, reply, toSummary(changed));
      },
    },
    {
      method: 'DELETE',
      path: '/api/messages/{id}',
      right: 'delete',
      name: 'deleteMessage',
      summary: 'Delete a message; with credentials for some inboxes, out of those',
      replies: { 204: { description: 'It is gone' } },
      problems: ['not-found'],
      async handle(request, reply) {
        const message = await messageOfPath(request, reply, context);
        if (message === undefined) return reply;
        await storeFor(request, context).remove({ ids: [message.id] });
        return reply.code(204).send();
      },
    },
    {
      method: 'GET',
      path: '/api/messages/{id}/text',
      right: 'read',
      name: 'getText',
      summary: 'The text of a message; of one that has only HTML, what can be read of it',
      replies: { 200: { description: 'The text', type: 'text/plain' } },
      problems: ['not-found'],
      async handle(request, reply) {
        const found = await openedOfPath(request, reply, context);
        if (found === undefined) return reply;
        const text = Buffer.from(found.opened.shownText);
        if (isKnown(request, reply, etagOf(text))) return reply;
        return reply
          .headers({ 'content-type': 'text/plain; charset=utf-8', 'content-security-policy': SANDBOX_POLICY })
          .send(text);
      },
    },
    {
      method: 'GET',
      path: '/api/messages/{id}/headers',
      right: 'read',
      name: 'getHeaders',
      summary: 'All header fields in the order of the mail',
      replies: { 200: { description: 'The fields', schema: schemaOf('Headers') } },
      problems: ['not-found'],
      async handle(request, reply) {
        const message = await messageOfPath(request, reply, context);
        const fields = message && (await reader.headerFields(message.id));
        if (fields === undefined) return reply.sent ? reply : sendNoMessage(reply);
        return sendTagged(request, reply, { headers: fields.map(({ name, text }) => ({ name, value: text })) });
      },
    },
    {
      method: 'GET',
      path: '/api/messages/{id}/html',
      right: 'read',
      name: 'getHtml',
      summary: 'The HTML of a message, safe to show: without what could act, under a policy that loads nothing',
      query: {
        images: {
          enum: ['held', 'remote'],
          default: 'held',
          description: 'remote: load pictures from where the sender keeps them',
        },
      },
      replies: { 200: { description: 'A whole document', type: 'text/html' } },
      problems: ['not-found'],
      async handle(request, reply) {
        const found = await openedOfPath(request, reply, context);
        if (found === undefined) return reply;
        const { html: given, parts } = found.opened;
        if (given === '') return sendProblem(reply, 'not-found', 'This message has no HTML');
        const { images } = request.query as { images: 'held' | 'remote' };
        const html = Buffer.from(await filterHtml(given, { picture: pictures(parts) }));
        if (isKnown(request, reply, etagOf(html))) return reply;
        return reply
          .headers({
            'content-type': 'text/html; charset=utf-8',
            'content-security-policy': framePolicy(images === 'remote' ? 'data: https: http:' : 'data:'),
            'x-dns-prefetch-control': 'off',
          })
          .send(html);
      },
    },
    {
      method: 'GET',
      path: '/api/messages/{id}/raw',
      right: 'read',
      name: 'getRaw',
      summary: 'The source, byte for byte as it was sent or as filters left it; ranges are answered',
      query: { form: formOf('received') },
      replies: { 200: { description: 'The source', type: 'text/plain' } },
      problems: ['not-found', 'range'],
      isFile: true,
      handle: (request, reply) => sendSource(request, reply, context, () => ({ type: 'text/plain; charset=utf-8' })),
    },
    {
      method: 'GET',
      path: '/api/messages/{id}/eml',
      right: 'read',
      name: 'downloadMessage',
      summary: 'The source as a file to save, as filters left it or as it was sent; ranges are answered',
      query: { form: formOf('edited') },
      replies: { 200: { description: 'The source', type: 'message/rfc822' } },
      problems: ['not-found', 'range'],
      isFile: true,
      handle: (request, reply) =>
        sendSource(request, reply, context, ({ id, subject }) => ({
          type: 'message/rfc822',
          disposition: attachmentDisposition(subject, id, '.eml'),
        })),
    },
    {
      method: 'GET',
      path: '/api/messages/{id}/parts/{part}',
      right: 'read',
      name: 'getPart',
      summary: 'One part, decoded; ranges are answered. What a browser could run is for saving only',
      replies: { 200: { description: 'The part, with its own type', type: '*/*' } },
      problems: ['not-found', 'range'],
      isFile: true,
      async handle(request, reply) {
        const found = await openedOfPath(request, reply, context);
        if (found === undefined) return reply;
        const { part: wanted } = request.params as { part: string };
        const part = partOf(found.opened, wanted);
        if (part === undefined) return sendProblem(reply, 'not-found', 'There is no such part', { parameter: 'part' });
        const { content, contentType, type, name, etag } = part;
        const served = {
          bytes: content.length,
          type,
          disposition: disposition(contentType, name, `part-${wanted}`),
          etag,
          async *stream() {
            yield content;
          },
        };
        return sendContent(request, reply, served, report);
      },
    },
  ];
}

/** Sends the source of the message that a path means. @param as what it is sent as */
async function sendSource(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  as: (message: StoredMessage) => Pick<ServedContent, 'type' | 'disposition'>,
): Promise<FastifyReply> {
  const message = await messageOfPath(request, reply, context);
  if (message === undefined) return reply;
  const { form } = request.query as { form: ContentForm };
  const content = await context.store.content(message.id, form);
  if (content === undefined) return sendNoMessage(reply); // deleted since
  const { bytes } = content;
  const isEdited = form === 'edited' && typeof message.received?.bytes === 'number';
  const etag = isEdited ? `"${message.id}-edited"` : `"${message.id}"`;
  const source = { ...as(message), bytes, stream: () => content.stream(), etag };
  return sendContent(request, reply, source, context.report);
}

/** What inline pictures may take in one document. */
const PICTURE_BYTES = 16 * 1024 * 1024;

/** Finds inline pictures by Content-ID and gives them as `data:` URLs: a sandboxed document can ask us for nothing. */
function pictures(parts: readonly MailPart[]): (contentId: string) => string | undefined {
  let left = PICTURE_BYTES;
  return (contentId) => {
    const part = parts.find((one) => one.contentId === contentId && isPicture(one.contentType));
    if (part === undefined || part.bytes > left) return undefined;
    left -= part.bytes;
    return `data:${part.contentType};base64,${part.content.toString('base64')}`;
  };
}
