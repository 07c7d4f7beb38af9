import { Resolver } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import {
  addressesOf,
  BlockedError,
  portOf,
  type Reach,
  reasonOf,
  requestPinned,
} from '../../outbound/pinned-request.ts';
import { isPublicAddress } from '../../outbound/public-address.ts';

/**
 * Asks a server of the public internet for the head of a page, and no other server.
 *
 * The address comes from a mail, so its sender chooses it: see outbound/pinned-request.ts. Every redirect is judged anew.
 */

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
  const port = portOf(url);
  if (port < 1024 && !WEB_PORTS.has(port)) return { kind: 'failed', why: `port ${port} is not tried` };
  const { reach } = options;
  try {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.requestMs)]);
    const [first = ''] = await addressesOf(url, reach, signal);
    return await ask(url, first, signal, options);
  } catch (error) {
    return error instanceof BlockedError ? { kind: 'blocked' } : { kind: 'failed', why: reasonOf(error) };
  }
}

function ask(url: URL, address: string, signal: AbortSignal, { reach, userAgent }: HeadOptions): Promise<Answer> {
  const headers = { 'user-agent': userAgent, accept: '*/*' };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = requestPinned(url, { method: 'HEAD', headers, addresses: [address], reach, signal });
  outgoing.once('response', (response: IncomingMessage) => {
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    response.destroy();
    resolve({ kind: 'reply', status, location: status >= 300 && status < 400 ? location : undefined });
  });
  outgoing.once('error', reject);
  outgoing.on('error', () => {}); // a reply that breaks off after its head has told what we want
  outgoing.end();
  return promise;
}
