import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer } from 'ws';
import type { Context } from '../context.ts';
import { sendNotFound, sendUnready } from '../replies.ts';
import type { MailpitHubs } from './mailpit-hubs.ts';

/** Where clients ask for the upgrade; without one the same path is the native API's. */
const PUBLIC_PATH = '/api/events';
/** Where such a request goes inside, so that it passes the same checks of host, origin and rights as all others. */
const ROUTE = '/api/v1/events';
const FRAME_BYTES = 65_536; // clients have nothing to say

/** True for a request that wants a WebSocket; others that offer an upgrade, such as `h2c`, are plain requests. */
export function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Live events by WebSocket. */
export function addEventRoutes(app: FastifyInstance, context: Context, hubs: MailpitHubs): void {
  const upgrading = new WeakMap<IncomingMessage, { readonly head: Buffer; readonly response: ServerResponse }>();
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: FRAME_BYTES,
    perMessageDeflate: false,
  });
  // before the server waits for its connections to end
  app.addHook('preClose', async () => hubs.close());

  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy()); // the client is gone
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.on('finish', () => socket.end());
    const isOurs = request.url?.split('?', 1)[0] === PUBLIC_PATH && wantsWebSocket(request);
    if (isOurs) {
      upgrading.set(request, { head, response });
      request.url = ROUTE;
    }
    app.routing(request, response);
  });

  app.get(ROUTE, { config: { right: 'read', scoped: true, held: true } }, (request, reply) => {
    const { raw, grant } = request;
    const asked = upgrading.get(raw);
    if (asked === undefined) return sendNotFound(reply);
    if (hubs.isFull) return sendUnready(reply);
    reply.hijack();
    asked.response.detachSocket(raw.socket);
    sockets.handleUpgrade(raw, raw.socket, asked.head, (socket) =>
      hubs.for(grant).add(socket, () => context.access.isGood(grant)),
    );
    return reply;
  });
}
