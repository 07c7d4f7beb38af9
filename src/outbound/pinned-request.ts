import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions as SecureRequestOptions } from 'node:https';
import { isIP } from 'node:net';

/**
 * Asks other servers over HTTP, and none that we may not ask.
 *
 * Whose word the address of a server is, a sender's or an administrator's, must not decide what in our own network it
 * can have asked. A name is resolved here and all its addresses are judged; the connection then goes to the very
 * address that was judged, whatever the name may mean a moment later, and is dropped if its other end is not that.
 * Redirects are not followed: whoever does has to have the new address judged. Proxies of the environment are not used.
 */

/** How names and addresses are judged. */
export interface Reach {
  /** Addresses of a host name. */
  resolve(host: string): Promise<readonly string[]>;
  allows(address: string): boolean;
}

const HEADER_BYTES = 16_384;

/** The server is none that may be asked. */
export class BlockedError extends Error {
  override readonly name = 'BlockedError';
}

/**
 * The addresses to ask for a URL; at least one.
 * @throws BlockedError unless all addresses of its host may be asked; what resolving throws, or the reason of the signal
 */
export async function addressesOf(url: URL, reach: Reach, signal: AbortSignal): Promise<readonly string[]> {
  const host = hostOf(url);
  const addresses = isIP(host) === 0 ? await within(reach.resolve(host), signal) : [host];
  if (addresses.length === 0) throw Object.assign(new Error('no such host'), { code: 'ENOTFOUND' });
  if (!addresses.every((address) => reach.allows(address))) throw new BlockedError('the address is not a public one');
  return addresses;
}

export interface PinnedOptions extends Pick<SecureRequestOptions, 'method' | 'headers' | 'ca'> {
  /** Of what `addressesOf` gave, those to try, in this order. */
  readonly addresses: readonly string[];
  readonly reach: Reach;
  readonly signal: AbortSignal;
}

/** Begins a request that goes to these addresses, whatever the host name resolves to by now; fails with BlockedError if it came elsewhere. */
export function requestPinned(url: URL, options: PinnedOptions): ClientRequest {
  const { reach, signal, method, headers, ca } = options;
  const addresses = options.addresses.map((address) => ({ address, family: isIP(address) }));
  const [{ address, family } = { address: '', family: 0 }] = addresses;
  const isTls = url.protocol === 'https:';
  const request: RequestOptions = {
    method,
    host: hostOf(url),
    port: portOf(url),
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, ...(headers as Readonly<Record<string, string>>) },
    lookup: (_host, { all }, found) => (all ? found(null, addresses) : found(null, address, family)),
    maxHeaderSize: HEADER_BYTES,
    signal,
    agent: isTls ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false }),
  };
  const outgoing = isTls ? httpsRequest({ ...request, ...(ca !== undefined && { ca }) }) : httpRequest(request);
  outgoing.on('socket', (socket) =>
    socket.once('connect', () => {
      if (!reach.allows(socket.remoteAddress ?? ''))
        outgoing.destroy(new BlockedError('the address is not a public one'));
    }),
  );
  return outgoing;
}

export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80));
}

/** The parser of URLs has made dotted decimals of every other spelling of an IPv4 address. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

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

/** Why a request failed, in a few words. */
export function reasonOf(error: unknown): string {
  const { code, name, message, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  // an aborted request names the signal's reason as its cause
  const known = REASONS.get(code ?? '') ?? REASONS.get(name) ?? (cause === undefined ? undefined : reasonOf(cause));
  return known ?? (code === undefined ? message : `${code}: ${message}`).slice(0, 200);
}
