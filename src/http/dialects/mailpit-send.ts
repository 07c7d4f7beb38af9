import { TLSSocket } from 'node:tls';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createMemorySpool, type Spool } from '../../mail/content.ts';
import { NO_PARAMS, type Recipient } from '../../mail/envelope.ts';
import { createId, type Message } from '../../mail/message.ts';
import type { Sink, Verdict } from '../../mail/sink.ts';
import type { Context } from '../context.ts';
import { sendJson } from '../replies.ts';
import { composeMail } from './mailpit-compose.ts';
import { decodeBody } from './mailpit-request.ts';
import { type Outgoing, readOutgoing } from './mailpit-send-request.ts';

/** Where messages go that come by HTTP. */
export interface SendOptions {
  /** Disposes of them; by default they are kept in the store. */
  readonly submit?: Sink;
  /** Holds their content on the way; by default memory. */
  readonly spool?: Spool;
  /** Largest request, in octets. */
  readonly sendBytes?: number;
  /** What the sink may take. */
  readonly sinkMs?: number;
}

const DEFAULTS = Object.freeze({ sendBytes: 50 * 1024 * 1024, sinkMs: 120_000 });

/** A mail handed over as JSON: it is written, and goes the way of every other message. */
export function addSendRoutes(app: FastifyInstance, context: Context, options: SendOptions): void {
  const { store, report } = context;
  const submit = options.submit ?? ((message: Message) => store.save(message));
  const spool = options.spool ?? createMemorySpool();
  const { sendBytes, sinkMs } = { ...DEFAULTS, ...options };

  app.route({
    method: 'POST',
    url: '/api/v1/send',
    bodyLimit: sendBytes,
    errorHandler: (error: FastifyError, _request, reply) => {
      if (error.statusCode === 413) return sendError(reply, 413, 'http: request body too large');
      report({ type: 'crash', where: 'http', error });
      return sendError(reply, 500, 'Internal server error');
    },
    handler: async (request, reply) => {
      const body = decodeBody(request);
      if (body === undefined) return sendError(reply, 400, 'the body must be a JSON object');
      const outgoing = readOutgoing(body);
      if (!outgoing.ok) return sendError(reply, 400, outgoing.why);
      const username = basicUser(request);
      const message = await toMessage(outgoing.value, request, username, spool);
      const startedAt = performance.now();
      try {
        const refused = refusal(await submit(message, AbortSignal.timeout(sinkMs)));
        const { code, text } = refused ?? { code: 250, text: `OK queued as ${message.id}` };
        const milliseconds = performance.now() - startedAt;
        report({ type: 'message', protocol: 'HTTP', session: message.session, message, code, text, milliseconds });
        if (refused !== undefined) return sendError(reply, 400, text);
        return sendJson(reply, { ID: message.id });
      } finally {
        message.content.release();
      }
    },
  });
}

function sendError(reply: FastifyReply, status: number, why: string): FastifyReply {
  return sendJson(reply.code(status), { Error: why });
}

/** What a sink says no with; undefined if it took the message for any recipient. */
function refusal(given: Awaited<ReturnType<Sink>>): Verdict | undefined {
  const verdicts: readonly (Verdict | undefined)[] = Array.isArray(given) ? given : [given as Verdict | undefined];
  return verdicts.every((verdict) => verdict !== undefined && verdict.code >= 300) ? verdicts[0] : undefined;
}

/** Makes a message such as a session would have brought. */
async function toMessage(
  outgoing: Outgoing,
  request: FastifyRequest,
  username: string,
  spool: Spool,
): Promise<Message> {
  const writer = spool();
  await writer.write(await composeMail(outgoing));
  const content = await writer.finish(false);
  const toRecipient = ({ path }: Outgoing['from']): Recipient => ({ path, params: NO_PARAMS });
  return {
    id: createId(),
    envelope: {
      from: { path: outgoing.from.path, params: NO_PARAMS },
      to: [...outgoing.to, ...outgoing.cc, ...outgoing.bcc].map(toRecipient),
    },
    content,
    receivedAt: new Date(),
    client: {
      address: request.ip,
      port: request.socket.remotePort ?? 0,
      hello: '',
      ...encryptionOf(request),
      ...(username !== '' && { login: { mechanism: 'Basic', user: username } }),
    },
    protocol: 'HTTP',
    session: createId(),
    transcript: [],
  };
}

function encryptionOf({ socket }: FastifyRequest): Pick<Message['client'], 'tls'> {
  if (!(socket instanceof TLSSocket)) return {};
  const { servername } = socket as { servername?: string | false };
  return {
    tls: {
      version: socket.getProtocol() ?? '',
      cipher: socket.getCipher().standardName,
      ...(servername && { serverName: servername }),
    },
  };
}

/** The user of Basic authentication; '' without one. Whether he may is not asked here. */
function basicUser({ headers }: FastifyRequest): string {
  const encoded = /^Basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  if (encoded === undefined) return '';
  const credentials = Buffer.from(encoded, 'base64').toString();
  return credentials
    .slice(0, Math.max(0, credentials.indexOf(':')))
    .replace(/[\x00-\x1f\x7f]/g, '')
    .slice(0, 255);
}
