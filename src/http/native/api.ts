import type { FastifyReply, FastifyRequest } from 'fastify';
import { inboxNameFromText } from '../../mail/inbox.ts';
import type { OpenedMail } from '../../mail/opened-mail.ts';
import type { StoredMessage } from '../../mail/store.ts';
import { covers } from '../auth/grant.ts';
import type { Context } from '../context.ts';
import { sendProblem } from '../problem.ts';
import { storeFor } from '../store-for.ts';

/** Names the inbox that a path means; undefined if the client may not, or cannot, look into it and has been told so. */
export function inboxOfPath(request: FastifyRequest, reply: FastifyReply, { naming }: Context): string | undefined {
  const { inbox: text } = request.params as { inbox: string };
  const inbox = inboxNameFromText(text, naming);
  if (inbox === undefined) {
    sendProblem(reply, 'bad-parameter', 'This is no name of an inbox', { parameter: 'inbox' });
    return undefined;
  }
  if (!covers(request.grant, inbox)) {
    sendProblem(reply, 'forbidden', 'The credentials are for other inboxes', { parameter: 'inbox' });
    return undefined;
  }
  return inbox;
}

/**
 * Finds the message that a path means; undefined if there is none, which the client has then been told. One that he may
 * not see is told just so.
 */
export async function messageOfPath(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
): Promise<StoredMessage | undefined> {
  const { id } = request.params as { id: string };
  const message = /^[0-9A-Za-z]{1,64}$/.test(id) ? await storeFor(request, context).get(id) : undefined;
  if (message === undefined) sendNoMessage(reply);
  return message;
}

/** Finds the message that a path means and takes it apart; undefined if there is none, which the client has then been told. */
export async function openedOfPath(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
): Promise<{ readonly message: StoredMessage; readonly opened: OpenedMail } | undefined> {
  const message = await messageOfPath(request, reply, context);
  if (message === undefined) return undefined;
  const opened = await context.reader.parsed(message.id);
  if (opened !== undefined) return { message, opened };
  sendNoMessage(reply); // deleted since
  return undefined;
}

export function sendNoMessage(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, 'not-found', 'There is no such message', { parameter: 'id' });
}

/** Takes a page of a list; undefined if its cursor was never given out, which the client has then been told. */
export async function pageOf<T>(reply: FastifyReply, page: Promise<T>): Promise<T | undefined> {
  try {
    return await page;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'STORE_BAD_CURSOR') throw error;
    sendProblem(reply, 'bad-parameter', 'It is the `next` of no page of this list', { parameter: 'cursor' });
    return undefined;
  }
}
