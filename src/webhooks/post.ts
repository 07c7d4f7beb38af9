import type { IncomingMessage } from 'node:http';
import type { AttemptFacts } from '../mail/deliveries.ts';
import { addressesOf, BlockedError, reasonOf, requestPinned } from '../outbound/pinned-request.ts';
import { WEBHOOK_LIMITS } from './limits.ts';
import { parseRetryAfter } from './retry.ts';
import { signedHeaders } from './signature.ts';
import type { Target } from './target.ts';

export interface PostOptions {
  readonly id: string;
  readonly body: Buffer;
  readonly userAgent: string;
  readonly attemptMs: number;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** How an attempt went; `retryAfterMs` where the target said when to come again. */
export interface Attempt extends AttemptFacts {
  readonly retryAfterMs?: number;
}

/** Sends one body to a target. Never rejects; a redirect is a failure, as is every other status than 2xx. */
export async function post(target: Target, options: PostOptions): Promise<Attempt> {
  const at = Date.now();
  const from = performance.now();
  const facts = (status: number, why: string): AttemptFacts => {
    return { at, status, why, milliseconds: Math.round(performance.now() - from) };
  };
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.attemptMs)]);
  try {
    const { status, retryAfter } = await ask(target, options, at, signal);
    const retryAfterMs = parseRetryAfter(retryAfter, at);
    return { ...facts(status, reasonFor(status)), ...(retryAfterMs !== undefined && { retryAfterMs }) };
  } catch (error) {
    return facts(0, error instanceof BlockedError ? BLOCKED : reasonOf(error));
  }
}

const BLOCKED = 'its address is not a public one, and allow-private is not set';

function reasonFor(status: number): string {
  if (status >= 200 && status < 300) return '';
  if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed`;
  return `answered ${status}`;
}

async function ask(
  target: Target,
  { id, body, userAgent }: PostOptions,
  at: number,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly retryAfter: string | undefined }> {
  const { url, reach, ca, secrets } = target;
  const addresses = await addressesOf(url, reach, signal);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; retryAfter: string | undefined }>();
  const headers = {
    'content-type': 'application/json',
    'content-length': String(body.length),
    'user-agent': userAgent,
    ...signedHeaders(secrets(), id, at, body),
  };
  const outgoing = requestPinned(url, { method: 'POST', headers, addresses, reach, signal, ...(ca !== undefined && { ca }) }); // biome-ignore format: a line
  outgoing.once('response', (response) => {
    const head = { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] };
    void readToEnd(response).then(() => resolve(head));
  });
  outgoing.once('error', reject);
  outgoing.on('error', () => {}); // one that breaks off behind the head has told what we want
  outgoing.end(body);
  return promise;
}

/** Lets a server finish its reply, so that it sees no error where all is well; but not for long. */
async function readToEnd(response: IncomingMessage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, WEBHOOK_LIMITS.replyMs);
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > WEBHOOK_LIMITS.replyBytes) resolve();
  });
  response
    .on('error', () => resolve())
    .on('end', resolve)
    .on('close', resolve);
  await promise;
  clearTimeout(timer);
  response.destroy();
}
