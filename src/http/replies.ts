import type { FastifyReply } from 'fastify';

/**
 * Sends one line of plain text. Whatever of the client's words is in it stays text: the type is never HTML, and
 * `nosniff` is on every reply.
 */
export function sendText(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).header('content-type', 'text/plain').send(text);
}

export const sendOk = (reply: FastifyReply): FastifyReply => sendText(reply, 200, 'ok');
export const sendBadRequest = (reply: FastifyReply, why: string): FastifyReply => sendText(reply, 400, why);
export const sendForbidden = (reply: FastifyReply, why: string): FastifyReply => sendText(reply, 403, why);
export const sendNotFound = (reply: FastifyReply): FastifyReply => sendText(reply, 404, '404 page not found');
export const sendNoMessage = (reply: FastifyReply): FastifyReply => sendText(reply, 404, 'Message not found');
export const sendTooLarge = (reply: FastifyReply): FastifyReply => sendText(reply, 413, 'Request body too large');
export const sendFailure = (reply: FastifyReply): FastifyReply => sendText(reply, 500, 'Internal server error');
export const sendUnready = (reply: FastifyReply): FastifyReply => sendText(reply, 503, 'Service Unavailable');

/** Sends a value as JSON. */
export function sendJson(reply: FastifyReply, value: unknown, type?: string): FastifyReply {
  return sendJsonText(reply, JSON.stringify(value), type);
}

/**
 * Sends JSON text, one value and a line end. `<`, `>` and `&` go out as escapes, as Go writes them: the same value,
 * but no markup even for a reader that ignores the content type.
 */
export function sendJsonText(reply: FastifyReply, json: string, type = 'application/json'): FastifyReply {
  // as bytes: to text Fastify would add a charset, which this type does not have
  return reply.header('content-type', type).send(Buffer.from(`${escapeMarkup(json)}\n`));
}

/** Writes JSON text so that there is no markup in it. */
export function escapeMarkup(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
