import { setTimeout as delay } from 'node:timers/promises';
import { complain, print, printJsonLine } from './output.ts';
import { isUnreachable, type Remote, unreachable } from './remote.ts';
import { listPath, MAIL_COLUMNS, type RemoteList, type RemoteSummary } from './remote-mail.ts';
import { readEvents, type ServerSentEvent } from './server-sent-events.ts';
import { tableLine } from './table.ts';

export interface TailOptions {
  readonly query?: string;
  /** Messages that are there already to begin with. */
  readonly lines: number;
  readonly json?: boolean;
}

/** Signs of life come every 15 s. */
const SILENCE_MS = 60_000;
const RETRY_MS = 1_000;
/** The most that the API gives at a time. */
const PAGE = 500;
/** Ids remembered, so that no message is printed twice where a list and the stream overlap. */
const REMEMBERED = 2_000;
/** Widths of MAIL_COLUMNS: a stream cannot wait to see what comes. */
const WIDTHS = [26, 19, 7, 28, 24, 0];

/** `inboxd tail [inbox]`: prints messages as they come, until it is ended; survives restarts of the daemon without a gap. */
export async function tail(remote: Remote, inbox: string | undefined, options: TailOptions): Promise<never> {
  const printer = new Printer(options.json === true);
  const info = await remote.json<{ readonly feed: number }>('/api/info');
  if (options.lines > 0) printer.show(await newest(remote, inbox, options, options.lines));
  const parameters = parametersOf(options);
  if (inbox !== undefined) parameters.set('inbox', inbox);
  let last = String(info?.feed ?? 0);
  let isLost = false;
  for (;;) {
    try {
      const stream = await remote.get(`/api/events?${parameters}`, {
        headers: { 'last-event-id': last },
        idleMs: SILENCE_MS,
      });
      stream.setEncoding('utf8');
      if (isLost) complain('connected again');
      isLost = false;
      const events = readEvents(orUnreachable(stream), (id) => {
        last = id;
      });
      for await (const event of events) {
        if (event.type === 'received') printer.show(messagesOf(event));
        else if (event.type === 'reset') printer.catchUp(await newest(remote, inbox, options, PAGE));
      }
    } catch (error) {
      if (!isUnreachable(error)) throw error;
    }
    if (!isLost) complain('the daemon has gone; waiting for it');
    isLost = true;
    await delay(RETRY_MS);
  }
}

function parametersOf({ query }: TailOptions): URLSearchParams {
  return new URLSearchParams(query === undefined ? {} : { q: query });
}

/** The newest messages, the oldest of them first. */
async function newest(
  remote: Remote,
  inbox: string | undefined,
  options: TailOptions,
  limit: number,
): Promise<readonly RemoteSummary[]> {
  const parameters = parametersOf(options);
  parameters.set('limit', String(limit));
  const page = await remote.json<RemoteList>(listPath(inbox, parameters));
  return (page?.messages ?? []).toReversed();
}

function messagesOf({ data }: ServerSentEvent): readonly RemoteSummary[] {
  const { message } = JSON.parse(data) as { readonly message?: RemoteSummary };
  return message === undefined ? [] : [message]; // one that was deleted meanwhile has none
}

/** Tells a lost line from a fault of ours. */
async function* orUnreachable(stream: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    yield* stream;
  } catch (error) {
    throw unreachable('the connection was lost', error);
  }
}

class Printer {
  readonly #isJson: boolean;
  readonly #seen = new Set<string>();
  #newest = '';

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  /** Prints those that were not printed yet. */
  show(messages: readonly RemoteSummary[]): void {
    for (const message of messages) {
      if (this.#seen.has(message.id)) continue;
      this.#remember(message.id);
      if (this.#isJson) printJsonLine(message);
      else print(tableLine(MAIL_COLUMNS, message, WIDTHS, process.stdout.columns));
    }
  }

  /** Prints what came while the stream could not tell: ids sort by time. */
  catchUp(messages: readonly RemoteSummary[]): void {
    const missed = messages.filter(({ id }) => id > this.#newest);
    if (missed.length === PAGE) complain(`more than ${PAGE} messages came meanwhile; the older of them are not shown`);
    this.show(missed);
  }

  #remember(id: string): void {
    this.#seen.add(id);
    if (id > this.#newest) this.#newest = id;
    for (const oldest of this.#seen) {
      if (this.#seen.size <= REMEMBERED) break;
      this.#seen.delete(oldest);
    }
  }
}
