import type { FastifyRequest } from 'fastify';
import { allows, type Grant, RIGHTS } from '../auth/grant.ts';
import type { Context } from '../context.ts';
import { sendProblem } from '../problem.ts';
import { sendJson, sendJsonText } from '../replies.ts';
import { storeFor } from '../store-for.ts';
import { sendTagged } from './etag.ts';
import type { Route } from './route.ts';
import { LOGIN_BODY, schemaOf } from './schemas.ts';

/** The daemon itself: what it is, and who is let in. */
export function daemonRoutes(context: Context): Route[] {
  const { access, version, hostname, listeners, store } = context;
  return [
    {
      method: 'GET',
      path: '/api/info',
      right: 'read',
      name: 'getInfo',
      summary: 'What the daemon is, what it holds and what these credentials allow',
      replies: { 200: { description: 'The daemon', schema: schemaOf('Info') } },
      async handle(request, reply) {
        const store = storeFor(request, context);
        const stats = await store.stats();
        return sendTagged(request, reply, {
          version,
          hostname,
          listeners: listeners().map((url) => ({ protocol: url.slice(0, url.indexOf(':')), url })),
          messages: stats.messages,
          unread: stats.unread,
          inboxes: stats.inboxes,
          bytes: stats.contentBytes,
          feed: store.feed.latest(),
          auth: access.isRequired ? 'required' : 'none',
          ...allowed(request.grant),
        });
      },
    },
    {
      method: 'GET',
      path: '/api/health',
      right: 'public',
      name: 'getHealth',
      summary: 'Whether the daemon lives, and is ready to take messages',
      replies: {
        200: { description: 'It takes messages', schema: schemaOf('Health') },
        503: {
          description: 'It lives and takes no messages now: the disk refuses, or the store has died',
          schema: schemaOf('Health'),
        },
      },
      async handle(_request, reply) {
        const ready = await store.ready();
        reply.code(ready ? 200 : 503);
        return sendJson(reply, { live: true, ready });
      },
    },
    {
      method: 'POST',
      path: '/api/session',
      right: 'public',
      name: 'openSession',
      summary: 'Open a session of a browser with a token, or a user and his password; sets a cookie',
      body: LOGIN_BODY,
      wantsBody: false,
      replies: { 200: { description: 'What the session allows', schema: schemaOf('Session') } },
      problems: ['bad-request', 'unauthorized', 'too-many', 'unavailable'],
      async handle(request, reply) {
        const { socket } = request.raw;
        const authorization = request.headers.authorization ?? authorizationOf(request.body as Login);
        const identity = await access.identify({ headers: { authorization }, socket });
        if (!identity.ok) {
          if (identity.retrySeconds !== undefined) reply.header('retry-after', identity.retrySeconds);
          const name = identity.status === 401 ? 'unauthorized' : identity.status === 429 ? 'too-many' : 'unavailable';
          return sendProblem(reply, name, identity.why);
        }
        const { grant } = identity;
        const expiresAt = grant.expiresAt === undefined ? null : new Date(grant.expiresAt).toISOString();
        reply.header('set-cookie', cookieFor(request, access.openSession(grant)));
        return sendJson(reply, { name: grant.name, ...allowed(grant), expiresAt });
      },
    },
    {
      method: 'DELETE',
      path: '/api/session',
      right: 'public',
      name: 'closeSession',
      summary: 'End the session',
      replies: { 204: { description: 'It has ended' } },
      handle: (request, reply) =>
        reply
          .code(204)
          .header('set-cookie', cookieFor(request, access.closeSession(request.raw)))
          .send(),
    },
  ];
}

/** A cookie that came encrypted goes back encrypted only. */
function cookieFor({ protocol }: FastifyRequest, cookie: string): string {
  return protocol === 'https' ? `${cookie}; Secure` : cookie;
}

interface Login {
  readonly token?: string;
  readonly user?: string;
  readonly password?: string;
}

function authorizationOf({ token, user = '', password = '' }: Login): string | undefined {
  if (token !== undefined) return `Bearer ${token.trim()}`;
  return user === '' && password === '' ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function allowed(grant: Grant): { rights: string[]; scope?: readonly string[] } {
  const rights = RIGHTS.filter((right) => allows(grant, right));
  return { rights, ...(grant.scope !== undefined && { scope: grant.scope }) };
}

/** The description of the API, for programs and for people; the same for everybody. */
export function descriptionRoutes(
  describe: () => { readonly json: string; readonly page: string; readonly policy: string },
): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/openapi.json',
      right: 'public',
      name: 'getOpenApi',
      summary: 'This API as OpenAPI 3.1',
      replies: { 200: { description: 'The document', type: 'application/json' } },
      handle: (_request, reply) => sendJsonText(reply, describe().json),
    },
    {
      method: 'GET',
      path: '/api/docs',
      right: 'public',
      name: 'getDocs',
      summary: 'This API for people',
      replies: { 200: { description: 'A page', type: 'text/html' } },
      handle: (_request, reply) => {
        const { page, policy } = describe();
        return reply
          .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
          .send(page);
      },
    },
  ];
}
