import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isNative, sendProblem } from './problem.ts';
import { sendForbidden } from './replies.ts';

/** Nothing that we answer may load, run, submit or be framed; replies that need more say so themselves. */
const STRICT_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** For what a mail brought along: it may be shown but is cut off from our origin and from everything else. */
export const SANDBOX_POLICY = "sandbox; default-src 'none'";

/** Who may ask. */
export interface AccessRules {
  /** Our own name, as it may stand in a Host field. */
  readonly hostname: string;
  /** Further names that may stand in a Host field, e.g. of a proxy in front. */
  readonly allowedHosts?: readonly string[];
  /** Pages of other origins that may use the API: `https://host:port`, or `host:port` for both schemes; `*` is any. */
  readonly allowedOrigins?: readonly string[];
  /**
   * Which connections the Host field is checked on: those that came to a loopback address (the default: a page in a
   * browser on this machine could reach those by DNS rebinding), or all.
   */
  readonly hostCheck?: 'loopback' | 'always';
  /** Tell browsers that come by HTTPS to come by nothing else (RFC 6797), on whatever port. */
  readonly onlyHttps?: boolean;
}

/** Puts the security fields on every reply and turns away requests that the rules do not allow. */
export function guard(app: FastifyInstance, rules: AccessRules): void {
  const hosts = new Set([rules.hostname, ...(rules.allowedHosts ?? [])].map((name) => name.toLowerCase()));
  const origins = new Set((rules.allowedOrigins ?? []).map((origin) => origin.toLowerCase()));
  app.addHook('onRequest', (request, reply, done) => {
    secure(reply);
    if (rules.onlyHttps && request.protocol === 'https') reply.header('strict-transport-security', ONE_YEAR);
    // request bodies are JSON whatever their type says, as in Mailpit
    delete request.raw.headers['content-type'];
    if (isHostChecked(request, rules) && !isKnownHost(request.headers.host, hosts)) {
      block(request, reply, 'Blocked: the Host of this request is not a name of this server');
    } else if (isApi(request.url) && !(isOwnFetch(request) && allowOrigin(request, reply, origins))) {
      block(request, reply, 'Blocked due to CORS violation');
    } else done();
  });
}

const ONE_YEAR = 'max-age=31536000';

/** Puts the security fields on a reply. */
export function secure(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': STRICT_POLICY,
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });
}

function block(request: FastifyRequest, reply: FastifyReply, why: string): void {
  if (isNative(request.url)) sendProblem(reply, 'blocked', why);
  else sendForbidden(reply, why);
}

function isApi(url: string): boolean {
  return url.startsWith('/api/');
}

/**
 * False for what a browser says a page of another site loads without saying so in Origin: a picture, a script, a style.
 * A link that somebody follows, and everything of clients that are no browser, passes.
 */
function isOwnFetch({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || headers['sec-fetch-mode'] === 'navigate') return true;
  return site !== 'cross-site' && site !== 'same-site';
}

function isHostChecked(request: FastifyRequest, rules: AccessRules): boolean {
  return rules.hostCheck === 'always' || isLoopback(request.raw.socket.localAddress ?? '');
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/** A request without Host is HTTP/1.0, which no browser speaks. */
function isKnownHost(host: string | undefined, known: ReadonlySet<string>): boolean {
  if (host === undefined) return true;
  const name = host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true;
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name) || known.has(name);
}

/** Allows requests of no page, of our own pages and of those that the operator named. */
function allowOrigin(request: FastifyRequest, reply: FastifyReply, allowed: ReadonlySet<string>): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return true;
  const host = URL.canParse(origin) ? new URL(origin).host.toLowerCase() : '';
  const own = host !== '' && host === request.headers.host?.toLowerCase();
  const listed = host !== '' && (allowed.has(host) || allowed.has(origin.toLowerCase()));
  if (!own && !allowed.has('*') && !listed) return false;
  reply.headers({ 'access-control-allow-origin': origin, vary: 'Origin' });
  reply.headers(isNative(request.url) ? NATIVE_CORS : MAILPIT_CORS);
  return true;
}

const MAILPIT_CORS = Object.freeze({
  'access-control-allow-methods': 'GET, POST, DELETE, PUT, OPTIONS',
  'access-control-allow-headers': '*',
});
/** Authorization has to be named: `*` does not stand for it. Cookies never cross origins here. */
const NATIVE_CORS = Object.freeze({
  'access-control-allow-methods': 'GET, HEAD, POST, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type, If-None-Match, Last-Event-ID, Range',
  'access-control-expose-headers': 'Content-Disposition, Content-Range, ETag, Retry-After',
  'access-control-max-age': '600',
});
