import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasResponders } from './config/conflicts.ts';
import { parseSmarthost } from './config/smarthost-url.ts';
import type { Config } from './config.ts';
import type { Reporter } from './mail/report.ts';
import type { Store } from './mail/store.ts';
import type { Carrier } from './responders/carrier.ts';
import { ResponderError } from './responders/errors.ts';
import { RESPONDER_LIMITS } from './responders/limits.ts';
import type { Responders } from './responders/responders.ts';
import type { Smarthost } from './responders/smarthost.ts';

export interface RespondingParts {
  /** The store that mail comes to; undefined if something else disposes of it. */
  readonly store: Store | undefined;
  /** The data folder, or `:memory:`. */
  readonly directory: string;
  readonly report: Reporter;
}

/**
 * Answers and forwards mail as a configuration asks for it.
 * @returns undefined if it does not
 * @throws ResponderError
 */
export async function startResponding(config: Config, parts: RespondingParts): Promise<Responders | undefined> {
  if (!hasResponders(config)) return undefined;
  const { store, directory, report } = parts;
  if (!store) throw new ResponderError('mail is answered out of the store, and a sink of the program disposes of it');
  const { naming, hostname, forwardTo, forwardInboxes, outgoingMs } = config;
  const { startResponders } = await import('./responders/responders.ts'); // most daemons answer nothing
  return startResponders({
    store,
    directory,
    naming,
    hostname,
    agents: config.responders,
    fallback: config.responderDefault,
    folder: config.responderDir,
    agentMs: config.responderTimeoutMs,
    agentBytes: config.responderBytes,
    senders: config.responderSenders,
    intervalMs: config.responderIntervalMs,
    answersPerHour: config.responderAnswersPerHour,
    forwardTo,
    forwardInboxes,
    outgoingMs,
    backOff: { firstMs: RESPONDER_LIMITS.retryMs, longestMs: RESPONDER_LIMITS.longestRetryMs },
    carrier: await chooseCarrier(config, directory),
    report,
  });
}

async function chooseCarrier(config: Config, directory: string): Promise<Carrier> {
  const { smarthost, outbox, hostname, smarthostPassword } = config;
  if (smarthost === '') {
    const { createOutbox } = await import('./responders/outbox.ts');
    return createOutbox(outbox === '' ? join(directory, 'outbox') : outbox);
  }
  const { host, port, tls, user, password } = parseSmarthost(smarthost)!;
  const read = (): Promise<string> => readPassword(smarthostPassword);
  if (smarthostPassword !== '') await read();
  const given = smarthostPassword === '' ? async () => password : read;
  const login: Smarthost['login'] = user === '' ? null : { user, password: given };
  const { createSmarthost } = await import('./responders/smarthost.ts');
  return createSmarthost({ smarthost: { host, port, tls, login }, hostname });
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0]!;
  } catch (error) {
    throw new ResponderError(`smarthost-password ${file}: ${(error as Error).message}`, { cause: error });
  }
}
