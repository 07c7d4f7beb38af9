import { Resolver } from 'node:dns/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { isPublicAddress } from './public-address.ts';

/**
 * Asks a server of the public internet for the head of a page, and no other server.
 *
 * The address comes from a mail, so its sender chooses it. A name is resolved here and all its addresses are judged;
 * the connection then goes to the very address that was judged, whatever the name may mean a moment later, and is
 * dropped if its other end is not that. Every redirect is judged anew. Proxies of the environment are not used.
 */

/** How names and addresses are judged; replaced in tests, which have no public internet. */
export interface Reach {
  /** Addresses of a host name. */
  resolve(host: string): Promise<readonly string[]>;
  allows(address: string): boolean;
}

export interface HeadOptions {
  readonly reach: Reach;
  readonly userAgent: string;
  /** Redirects followed; 0 gives the reply that redirects. */
  readonly redirects: number;
  /** What one request may take, redirects apart. */
  readonly requestMs: number;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** Status of the reply; `blocked` for a target that is not public. */
export type HeadResult =
  | { readonly kind: 'reply'; readonly status: number }
  | { readonly kind: 'blocked' }
  | { readonly kind: 'failed'; readonly why: string };

const RESOLVE_MS = 4_000;
const HEADER_BYTES = 16_384;
/** Ports below 1024 on which a web server is at home; others there are asked nothing: they may take a request for a command. */
const WEB_PORTS = new Set([80, 443]);

/** Resolves by DNS, and not by the system's means: those would block a thread of the few that all files share. */
export const PUBLIC_REACH: Reach = Object.freeze({
  async resolve(host: string): Promise<readonly string[]> {
    const resolver = new Resolver({ timeout: RESOLVE_MS, tries: 1 });
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length === 0) {
      const failed = answers.find((answer) => answer.status === 'rejected');
      throw failed?.reason ?? new Error('no such host');
    }
    return addresses;
  },
  allows: isPublicAddress,
});

/** Asks for the head of a page. Never rejects. */
export async function requestHead(link: string, options: HeadOptions): Promise<HeadResult> {
  let url = link;
  for (let hop = 0; ; hop++) {
    const answer = await requestOnce(url, options);
    const next = answer.kind === 'reply' && options.redirects > 0 ? answer.location : undefined;
    if (next === undefined || answer.kind !== 'reply') return answer;
    if (hop >= options.redirects) return { kind: 'failed', why: 'too many redirects' };
    if (!URL.canParse(next, url)) return { kind: 'failed', why: 'redirect to an invalid URL' };
    url = new URL(next, url).href;
  }
}

type Answer = HeadResult & { readonly location?: string | undefined };

async function requestOnce(link: string, options: HeadOptions): Promise<Answer> {
  const url = URL.canParse(link) ? new URL(link) : undefined;
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !isWeb || url.hostname === '' || url.username !== '' || url.password !== '') {
    return { kind: 'failed', why: 'invalid URL' };
  }
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (port < 1024 && !WEB_PORTS.has(port)) return { kind: 'failed', why: `port ${port} is not tried` };
  try {
    // the parser has made dotted decimals of every other spelling of an IPv4 address
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.requestMs)]);
    const addresses = isIP(host) === 0 ? await within(options.reach.resolve(host), signal) : [host];
    if (addresses.length === 0) return { kind: 'failed', why: 'no such host' };
    if (!addresses.every((address) => options.reach.allows(address))) return { kind: 'blocked' };
    return await connect(url, host, addresses[0]!, signal, options);
  } catch (error) {
    return { kind: 'failed', why: reasonOf(error) };
  }
}

/** Sends the request to one address, whatever its host name resolves to by now. */
function connect(url: URL, host: string, address: string, signal: AbortSignal, options: HeadOptions): Promise<Answer> {
  const family = isIP(address);
  const isTls = url.protocol === 'https:';
  const request: RequestOptions = {
    method: 'HEAD',
    host,
    port: url.port || (isTls ? 443 : 80),
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, 'user-agent': options.userAgent, accept: '*/*' },
    lookup: (_host, { all }, found) => (all ? found(null, [{ address, family }]) : found(null, address, family)),
    maxHeaderSize: HEADER_BYTES,
    signal,
    agent: isTls ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = isTls ? httpsRequest(request) : httpRequest(request);
  outgoing.on('socket', (socket) =>
    socket.once('connect', () => {
      if (!options.reach.allows(socket.remoteAddress ?? '')) outgoing.destroy(new BlockedError());
    }),
  );
  outgoing.once('response', (response: IncomingMessage) => {
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    response.destroy();
    resolve({ kind: 'reply', status, location: status >= 300 && status < 400 ? location : undefined });
  });
  outgoing.once('error', (error) => (error instanceof BlockedError ? resolve({ kind: 'blocked' }) : reject(error)));
  outgoing.on('error', () => {}); // a reply that breaks off after its head has told what we want
  outgoing.end();
  return promise;
}

class BlockedError extends Error {}

async function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const REASONS = new Map([
  ['ENOTFOUND', 'no such host'],
  ['ENODATA', 'no such host'],
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection reset'],
  ['EHOSTUNREACH', 'no route to host'],
  ['ENETUNREACH', 'network is unreachable'],
  ['ETIMEOUT', 'timed out'],
  ['ETIMEDOUT', 'timed out'],
  ['TimeoutError', 'timed out'],
  ['AbortError', 'timed out'],
  ['ABORT_ERR', 'timed out'],
]);

function reasonOf(error: unknown): string {
  const { code, name, message, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  // an aborted request names the signal's reason as its cause
  const known = REASONS.get(code ?? '') ?? REASONS.get(name) ?? (cause === undefined ? undefined : reasonOf(cause));
  return known ?? (code === undefined ? message : `${code}: ${message}`).slice(0, 200);
}
