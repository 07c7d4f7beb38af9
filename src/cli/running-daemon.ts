import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { parseListenUrl } from '../config/listen-url.ts';
import { StartError } from '../errors.ts';

/** The HTTP API of the daemon that uses a data folder. */
export interface RunningDaemon {
  readonly pid: number;
  /**
   * Sends a request with a JSON body, if any.
   * @throws StartError DAEMON_UNREACHABLE if it does not answer with success
   */
  ask(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly text: string }>;
}

/** What a daemon says of itself in its data folder. */
export interface Card {
  readonly pid: number;
  readonly listeners: readonly { readonly protocol: string; readonly url: string }[];
  /** Where HTTP wants credentials: a token for who can read the card. */
  readonly token?: string;
}

const ANSWER_MS = 60_000;
const ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * Finds the daemon by the card it leaves in its folder, `inboxd.json`.
 * @throws StartError DAEMON_UNREACHABLE if there is no card, or no HTTP listener on it
 */
export function findDaemon(data: string): RunningDaemon {
  const { pid, listeners, token } = readCard(data);
  const url = listeners.find(({ protocol }) => protocol === 'http')?.url;
  const parsed = url === undefined ? undefined : parseListenUrl(url);
  if (!parsed?.ok) {
    throw unreachable(
      `the daemon that uses ${data} (process ${pid}) has no HTTP listener to ask; stop it first, then try again`,
    );
  }
  const { path: socketPath, host, port } = parsed.value;
  const place = socketPath === undefined ? { host: connectable(host), port } : { socketPath };
  return {
    pid,
    ask: (method, path, body) =>
      send({ ...place, method, path }, body, token).catch((error: unknown) => {
        if (error instanceof StartError) throw error;
        throw unreachable(
          `the daemon that uses ${data} (process ${pid}) does not answer at ${url}: ${reasonOf(error)}`,
          error,
        );
      }),
  };
}

/** Process id of the daemon that uses a data folder; undefined if none has said so. */
export function daemonPid(data: string): number | undefined {
  try {
    return readCard(data).pid;
  } catch {
    return undefined; // none runs, or it has yet to say where
  }
}

function readCard(data: string): Card {
  try {
    return JSON.parse(readFileSync(join(data, 'inboxd.json'), 'utf8')) as Card;
  } catch (error) {
    throw unreachable(
      `a daemon uses ${data} but has not said where it listens; is it just starting or stopping?`,
      error,
    );
  }
}

/** A listener on every address is reached on loopback. */
export function connectable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function send(
  options: object & { method: string; path: string },
  body: unknown,
  token: string | undefined,
): Promise<{ status: number; text: string }> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(payload !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { ...options, headers, agent: false, signal: AbortSignal.timeout(ANSWER_MS) },
      (incoming) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        incoming.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > ANSWER_BYTES) outgoing.destroy(new Error('its answer is too long'));
          else chunks.push(chunk);
        });
        incoming.on('error', reject);
        incoming.on('end', () => {
          const status = incoming.statusCode ?? 0;
          const text = Buffer.concat(chunks).toString();
          if (status < 400) resolve({ status, text });
          else
            reject(
              unreachable(`the daemon refused ${options.method} ${options.path} with ${status}: ${text.slice(0, 200)}`),
            );
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

function unreachable(message: string, cause?: unknown): StartError {
  return new StartError('DAEMON_UNREACHABLE', message, { cause });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
