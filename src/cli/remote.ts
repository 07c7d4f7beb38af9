import { type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { getCACertificates } from 'node:tls';
import type { CardFacts } from '../card.ts';
import { StartError } from '../errors.ts';
import { readCard, wayTo } from './card.ts';
import { oneLine } from './output.ts';
import { displayWidth } from './table.ts';

/** How to find a daemon: its URL, or the data folder that it uses; and what lets us in. */
export type RemoteOptions = { readonly token?: string | undefined } & (
  | { readonly url: string }
  | { readonly data: string }
);

/** Where a daemon is, for requests and for people. */
interface Place {
  readonly url: string;
  readonly to: RequestOptions;
  /** TLS to whom the system trusts; one's own daemon is known by its card. */
  readonly isSecure: boolean;
  /** Path that the daemon has behind a proxy, or ''. */
  readonly base: string;
  readonly authorization?: string;
}

export interface Asking {
  /** Sends a POST request with this as JSON. */
  readonly post?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long nothing may come. */
  readonly idleMs?: number;
}

const ANSWER_MS = 60_000;
const ANSWER_BYTES = 256 * 1024 * 1024;
const PROBLEM_BYTES = 64 * 1024;
const START_OR_NAME = 'start one with "inboxd", or say where one is with --url or INBOXD_URL';

/** A daemon that is asked over HTTP, on this machine or another. */
export class Remote {
  readonly #options: RemoteOptions;

  constructor(options: RemoteOptions) {
    this.#options = options;
  }

  /**
   * The URL that a browser on this machine would use, without a slash at its end.
   * @throws StartError DAEMON_UNREACHABLE if it is not known, or a UNIX socket
   */
  get url(): string {
    const { url, to } = this.#place();
    if (to.socketPath === undefined) return url;
    throw unreachable(`the daemon listens on the socket ${to.socketPath} alone, which no browser can open`);
  }

  /**
   * Sends a GET request, or a POST one. The daemon is looked for each time: one that was started anew may listen elsewhere.
   * @returns the reply, whose status is 2xx
   * @throws StartError DAEMON_UNREACHABLE or DAEMON_REFUSED
   */
  get(path: string, { post, headers = {}, idleMs = ANSWER_MS }: Asking = {}): Promise<IncomingMessage> {
    const { url, to, isSecure, base, authorization } = this.#place();
    return new Promise((resolve, reject) => {
      const outgoing = (isSecure ? requestSecure : requestPlain)({
        agent: false,
        ...to,
        path: `${base}${path}`,
        ...(post && { method: 'POST' }),
        headers: {
          accept: '*/*',
          ...(post && { 'content-type': 'application/json' }),
          ...(authorization !== undefined && { authorization }),
          ...headers,
        },
      });
      outgoing.setTimeout(idleMs, () => outgoing.destroy(new Error(`nothing came for ${idleMs / 1000} seconds`)));
      outgoing.on('error', (error) => reject(unanswered(url, error)));
      outgoing.on('response', (incoming) => {
        if (isGood(incoming)) resolve(incoming);
        else {
          readText(incoming, PROBLEM_BYTES)
            .then((text) => refusal(url, path, incoming, text, authorization !== undefined))
            .catch((error: unknown) => notInboxd(url, error))
            .then(reject);
        }
      });
      outgoing.end(post && JSON.stringify(post));
    });
  }

  /** Asks for JSON; undefined where there is nothing to tell (204). */
  async json<T>(path: string, asking?: Asking): Promise<T | undefined> {
    const incoming = await this.get(path, asking);
    const text = await readText(incoming, ANSWER_BYTES).catch((error: unknown) => {
      throw unreachable(`the daemon broke off its answer (${reasonOf(error)})`, error);
    });
    if (incoming.statusCode === 204) return undefined;
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw notInboxd(this.#place().url, error);
    }
  }

  #place(): Place {
    const options = this.#options;
    const place = 'url' in options ? placeOfUrl(options.url) : placeOfFolder(options.data);
    return options.token === undefined ? place : { ...place, authorization: `Bearer ${options.token}` };
  }
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof StartError && error.code === 'DAEMON_UNREACHABLE';
}

export function unreachable(message: string, cause?: unknown): StartError {
  return new StartError('DAEMON_UNREACHABLE', message, { cause });
}

function placeOfUrl(text: string): Place {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new StartError(
      'CONFIG_BAD_VALUE',
      `${JSON.stringify(text)} is no URL of a daemon, such as http://127.0.0.1:8025`,
    );
  }
  const { protocol, hostname, port, username, password } = url;
  const base = url.pathname.replace(/\/+$/, '');
  const userAndPassword = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    url: `${url.origin}${base}`,
    to: {
      host: hostname.replace(/^\[|\]$/g, ''),
      ...(port !== '' && { port }),
      ...(protocol === 'https:' && { ca: trusted() }),
    },
    isSecure: protocol === 'https:',
    base,
    ...(username !== '' && { authorization: `Basic ${Buffer.from(userAndPassword).toString('base64')}` }),
  };
}

/** Reads the card that a daemon leaves in its folder; of several listeners one that browsers reach is better. */
function placeOfFolder(data: string): Place {
  if (data === ':memory:')
    throw unreachable(`data is :memory:, which tells nobody where its daemon is; give --url or INBOXD_URL`);
  const card = cardOf(data);
  const { pid, token } = card;
  const way = wayTo(card);
  if (way === undefined) throw unreachable(`the daemon that uses ${data} (process ${pid}) has no HTTP listener to ask`);
  return {
    ...way,
    isSecure: false, // the way has its own connections
    base: '',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
}

function cardOf(data: string): CardFacts {
  try {
    return readCard(data);
  } catch (error) {
    throw unreachable(`no daemon runs on ${data}: ${START_OR_NAME}`, error);
  }
}

/** Authorities that Node.js brings along, those of the system, and those of NODE_EXTRA_CA_CERTS. */
function trusted(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

/** What OpenSSL and Node.js say of a certificate that nobody we trust vouches for, or that is another host's. */
const UNTRUSTED = /^(?:ERR_TLS_CERT_ALTNAME_INVALID|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;
const TRUST_IT =
  'on its own machine use --data in place of --url, else let NODE_EXTRA_CA_CERTS name a file that vouches for it';

function unanswered(url: string, error: Error): StartError {
  const isUntrusted = UNTRUSTED.test((error as NodeJS.ErrnoException).code ?? '');
  if (isUntrusted) return refused(`the certificate of ${url} is not trusted (${reasonOf(error)}): ${TRUST_IT}`);
  return unreachable(`no inboxd answers at ${url} (${reasonOf(error)}): ${START_OR_NAME}`, error);
}

function isGood({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

async function readText(incoming: IncomingMessage, bytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > bytes) throw new Error('it is too long');
  }
  return Buffer.concat(chunks).toString();
}

/** What of a problem document (RFC 9457) people need. */
interface Problem {
  readonly detail?: unknown;
  readonly parameter?: unknown;
  readonly at?: unknown;
}

function refusal(url: string, path: string, incoming: IncomingMessage, text: string, hadToken: boolean): StartError {
  const { statusCode: status = 0, headers } = incoming;
  const isProblem = (headers['content-type'] ?? '').startsWith('application/problem+json');
  // of a daemon that is just stopping, or of a proxy in front of one that is not there
  if (!isProblem && [502, 503, 504].includes(status)) return unreachable(`${url} cannot answer now: ${status}`);
  if (!isProblem) return notInboxd(url, status);
  const { detail, parameter, at } = JSON.parse(text) as Problem;
  const why = oneLine(String(detail));
  if (status === 401 && !hadToken) {
    return refused(`${url} wants credentials: give --token or INBOXD_TOKEN ("inboxd token create" makes one)`);
  }
  if (status === 503) return unreachable(`${url} cannot answer now: ${why}`);
  if (parameter === 'q' && typeof at === 'number') {
    return refused(`the search cannot be read: ${why}\n${pointAt(new URL(path, url).searchParams.get('q') ?? '', at)}`);
  }
  return refused(
    `${url} refused with ${status}: ${why}${typeof parameter === 'string' ? ` (${oneLine(parameter)})` : ''}`,
  );
}

/** The text, and an arrow below the place. */
function pointAt(text: string, at: number): string {
  const before = oneLine(text.slice(0, at));
  return `  ${before}${oneLine(text.slice(at))}\n  ${' '.repeat(displayWidth(before))}^`;
}

function refused(message: string): StartError {
  return new StartError('DAEMON_REFUSED', message);
}

function notInboxd(url: string, cause: unknown): StartError {
  return new StartError(
    'DAEMON_REFUSED',
    `what answers at ${url} is not inboxd: see that --url or INBOXD_URL is right`,
    { cause },
  );
}

function reasonOf(error: unknown): string {
  // with several addresses for a name there is one reason for each
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? oneLine(error.message) : String(error);
}
