import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendJsonText } from '../replies.ts';

/** Makes an entity tag of what a reply depends on. */
export function etagOf(text: string | Buffer): string {
  return `"${hash('sha256', text, 'base64url').slice(0, 27)}"`;
}

/** True if the client has what the tag stands for; it has then been told so (RFC 9110 §13.1.2). */
export function isKnown(request: FastifyRequest, reply: FastifyReply, etag: string): boolean {
  // may be kept, but not used without asking; and what one may see another may not
  reply.headers({ etag, 'cache-control': 'private, no-cache', vary: 'Authorization, Cookie, Origin' });
  const asked = request.headers['if-none-match'];
  if (asked === undefined) return false;
  const tags = asked.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (!tags.includes(etag) && !tags.includes('*')) return false;
  reply.code(304).send();
  return true;
}

/** Sends a value as JSON with an entity tag; a client that has it already gets 304. */
export function sendTagged(request: FastifyRequest, reply: FastifyReply, value: unknown): FastifyReply {
  const json = JSON.stringify(value);
  return isKnown(request, reply, etagOf(json)) ? reply : sendJsonText(reply, json);
}
