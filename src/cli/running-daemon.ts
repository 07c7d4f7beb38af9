import { request } from 'node:http';
import type { CardFacts } from '../card.ts';
import { StartError } from '../errors.ts';
import { readCard, wayTo } from './card.ts';

/** The HTTP API of the daemon that uses a data folder. */
export interface RunningDaemon {
  readonly pid: number;
  /**
   * Sends a request with a JSON body, if any.
   * @throws StartError DAEMON_UNREACHABLE if it does not answer with success
   */
  ask(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly text: string }>;
}

const ANSWER_MS = 60_000;
const ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * Finds the daemon by the card it leaves in its folder, `inboxd.json`.
 * @throws StartError DAEMON_UNREACHABLE if there is no card, or no listener for HTTP or HTTPS on it
 */
export function findDaemon(data: string): RunningDaemon {
  const card = cardOf(data);
  const { pid, token } = card;
  const way = wayTo(card);
  if (way === undefined) {
    throw unreachable(
      `the daemon that uses ${data} (process ${pid}) has no HTTP listener to ask; stop it first, then try again`,
    );
  }
  return {
    pid,
    ask: (method, path, body) =>
      send({ ...way.to, method, path }, body, token).catch((error: unknown) => {
        if (error instanceof StartError) throw error;
        throw unreachable(
          `the daemon that uses ${data} (process ${pid}) does not answer at ${way.url}: ${reasonOf(error)}`,
          error,
        );
      }),
  };
}

/** Process id of the daemon that uses a data folder; undefined if none has said so. */
export function daemonPid(data: string): number | undefined {
  try {
    return cardOf(data).pid;
  } catch {
    return undefined; // none runs, or it has yet to say where
  }
}

function cardOf(data: string): CardFacts {
  try {
    return readCard(data);
  } catch (error) {
    throw unreachable(
      `a daemon uses ${data} but has not said where it listens; is it just starting or stopping?`,
      error,
    );
  }
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
      { agent: false, ...options, headers, signal: AbortSignal.timeout(ANSWER_MS) },
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
