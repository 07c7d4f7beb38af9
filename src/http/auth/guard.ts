import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isNative, sendProblem } from '../problem.ts';
import { sendForbidden, sendText } from '../replies.ts';
import type { Access, Identity } from './access.ts';
import { allows, EVERYTHING, type Grant, NOTHING, type Right } from './grant.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the client may do; on public routes nothing, where credentials are wanted elsewhere. */
    grant: Grant;
  }
  interface FastifyContextConfig {
    /** What the route wants; by its method and path when absent. */
    right?: Right | 'public';
    /** True if the route itself keeps to the inboxes of the grant; else clients that see only some are refused. */
    scoped?: boolean;
    /** True if requests may be held open for long. */
    held?: boolean;
  }
}

/**
 * Lets a request through to its route only with the right that the route wants.
 *
 * Closed where nothing is said: what a route does not declare follows from its method, and a grant for some inboxes gets
 * nowhere that does not say it keeps to them. What lies outside of the API holds no mail and is public: the page, and
 * whether we live.
 */
export function authenticate(app: FastifyInstance, access: Access): void {
  const grants = new WeakMap<FastifyRequest, Grant>();
  const initial = access.isRequired ? NOTHING : EVERYTHING;
  app.decorateRequest('grant', {
    getter() {
      return grants.get(this) ?? initial;
    },
    setter(this: FastifyRequest, grant: Grant) {
      grants.set(this, grant);
    },
  });
  if (!access.isRequired) return;
  app.addHook('onRequest', async (request, reply) => {
    const { right = rightFor(request), scoped = false } = request.routeOptions.config;
    // a preflight carries no credentials, and its answer holds nothing
    if (right === 'public' || request.method === 'OPTIONS') return;
    const identity = await access.identify(request.raw);
    if (!identity.ok) return refuse(request, reply, identity);
    if (!allows(identity.grant, right)) return forbid(request, reply, `This wants the right "${right}"`);
    if (identity.grant.scope !== undefined && !scoped) {
      return forbid(request, reply, 'This is not for credentials that see only some inboxes');
    }
    request.grant = identity.grant;
  });
}

/** What a route wants that does not say so itself. */
function rightFor({ method, routeOptions, url }: FastifyRequest): Right | 'public' {
  if (!/^\/(?:api|view|metrics)(?:[/?.]|$)/.test(routeOptions.url ?? url)) return 'public';
  if (method === 'GET' || method === 'HEAD') return 'read';
  return method === 'POST' ? 'admin' : 'delete';
}

function refuse(request: FastifyRequest, reply: FastifyReply, identity: Identity & { ok: false }): FastifyReply {
  if (identity.retrySeconds !== undefined) reply.header('retry-after', identity.retrySeconds);
  const native = isNative(request.url);
  // a browser asks for a password of its own on Basic; the page of the native API does that better
  if (identity.status === 401)
    reply.header('www-authenticate', native ? 'Bearer realm="inboxd"' : 'Basic realm="Login"');
  if (!native) return sendText(reply, identity.status, identity.status === 401 ? 'Unauthorized.\n' : identity.why);
  const name = identity.status === 401 ? 'unauthorized' : identity.status === 429 ? 'too-many' : 'unavailable';
  return sendProblem(reply, name, identity.why);
}

function forbid(request: FastifyRequest, reply: FastifyReply, why: string): FastifyReply {
  return isNative(request.url) ? sendProblem(reply, 'forbidden', why) : sendForbidden(reply, why);
}
