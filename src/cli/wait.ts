import { formatDuration } from '../config/units.ts';
import { chooseLink } from '../mail/links/choose.ts';
import { EXIT } from './exit-codes.ts';
import { columns, complain, manyLines, oneLine, print, printJson, readableTime } from './output.ts';
import type { Remote } from './remote.ts';
import type { RemoteMessage } from './remote-mail.ts';

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly query?: string;
  readonly since?: string;
  readonly print?: 'code' | 'link' | 'id' | 'json';
}

/** One request waits no longer than this: proxies cut what is silent. A message that comes in between is there for the next. */
const REQUEST_SECONDS = 50;
/** For the answer itself. */
const SLACK_MS = 60_000;
const URL_CHARACTERS = 8_192;

/**
 * `inboxd wait <inbox>`: prints the first message that fits, one that is there or one to come.
 * Exit code 1 if none came in time, or it has not what is to be printed.
 */
export async function wait(remote: Remote, inbox: string, options: WaitOptions): Promise<number> {
  const message = await waitFor(remote, inbox, options);
  if (message === undefined) {
    complain(`no mail for ${oneLine(inbox)} within ${formatDuration(options.timeoutMs)}`);
    return EXIT.NOTHING;
  }
  const text = textOf(message, options.print);
  if (options.print === 'json') printJson(message);
  else if (text !== undefined) print(text);
  else complain(`no ${options.print} in message ${oneLine(message.id)}, ${JSON.stringify(oneLine(message.subject))}`);
  return text === undefined ? EXIT.NOTHING : EXIT.OK;
}

async function waitFor(remote: Remote, inbox: string, options: WaitOptions): Promise<RemoteMessage | undefined> {
  const { timeoutMs, query, since } = options;
  const end = performance.now() + timeoutMs;
  for (;;) {
    const seconds = Math.max(0, Math.min(REQUEST_SECONDS, (end - performance.now()) / 1000));
    const parameters = new URLSearchParams({ timeout: seconds.toFixed(3) });
    if (query !== undefined) parameters.set('q', query);
    if (since !== undefined) parameters.set('since', since);
    const path = `/api/inboxes/${encodeURIComponent(inbox)}/wait?${parameters}`;
    const message = await remote.json<RemoteMessage>(path, { idleMs: seconds * 1000 + SLACK_MS });
    if (message !== undefined || performance.now() >= end) return message;
  }
}

function textOf(message: RemoteMessage, what: WaitOptions['print']): string | undefined {
  const { id, codes, links } = message;
  const code = codes[0]?.code;
  const link = chooseLink(links)?.url;
  switch (what) {
    case 'code':
      return code === undefined ? undefined : oneLine(code);
    case 'link':
      return link === undefined ? undefined : oneLine(link, URL_CHARACTERS);
    case 'id':
    case 'json':
      return oneLine(id);
    case undefined:
      return asPage(message);
  }
}

function asPage({ id, receivedAt, from, envelope, subject, codes, links, text }: RemoteMessage): string {
  const sender = from === null ? envelope.from : from.name === '' ? from.address : `${from.name} <${from.address}>`;
  const facts: [string, string][] = [
    ['Id', oneLine(id)],
    ['Received', readableTime(new Date(receivedAt))],
    ['From', oneLine(sender)],
    ['To', envelope.to.map(({ address }) => oneLine(address)).join(', ')],
    ['Subject', oneLine(subject)],
    ...codes.map(({ code }): [string, string] => ['Code', oneLine(code)]),
    ...links.map(({ kind, url }): [string, string] => ['Link', `${oneLine(url, URL_CHARACTERS)} (${kind})`]),
  ];
  return `${columns(facts)}\n\n${manyLines(text.trimEnd())}`;
}
