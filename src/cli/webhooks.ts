import { EXIT } from './exit-codes.ts';
import { complain, oneLine, print, printJson, readableTime } from './output.ts';
import type { Remote } from './remote.ts';
import { type Column, table } from './table.ts';

interface RemoteAttempt {
  readonly at: string;
  readonly status: number;
  readonly why: string;
  readonly milliseconds: number;
}

interface RemoteWebhook {
  readonly name: string;
  readonly host: string;
  readonly state: string;
  readonly waiting: number;
  readonly dead: number;
  readonly oldest: string | null;
  readonly last: RemoteAttempt | null;
}

interface RemoteDeadLetter {
  readonly id: string;
  readonly inboxes: readonly string[];
  readonly subject: string;
  readonly attempts: number;
  readonly diedAt: string;
  readonly why: string;
}

const WEBHOOK_COLUMNS: readonly Column<RemoteWebhook>[] = [
  { title: 'WEBHOOK', cell: ({ name }) => name },
  { title: 'HOST', cell: ({ host }) => oneLine(host) },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'WAITING', cell: ({ waiting }) => String(waiting), align: 'right' },
  { title: 'SINCE', cell: ({ oldest }) => (oldest === null ? '-' : readableTime(new Date(oldest))) },
  { title: 'GIVEN UP', cell: ({ dead }) => String(dead), align: 'right' },
  { title: 'LAST ATTEMPT', cell: ({ last }) => (last === null ? '-' : `${readableTime(new Date(last.at))} ${outcomeOf(last)}`) }, // biome-ignore format: a column
];

const DEAD_COLUMNS: readonly Column<RemoteDeadLetter>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'GIVEN UP', cell: ({ diedAt }) => readableTime(new Date(diedAt)) },
  { title: 'ATTEMPTS', cell: ({ attempts }) => String(attempts), align: 'right' },
  { title: 'WHY', cell: ({ why }) => oneLine(why) },
  { title: 'INBOX', cell: ({ inboxes }) => oneLine(inboxes.join(' ')) },
  { title: 'SUBJECT', cell: ({ subject }) => oneLine(subject) },
];

/** `inboxd webhooks`: lists them. */
export async function listWebhooks(remote: Remote, { json }: { readonly json?: boolean }): Promise<number> {
  const found = await remote.json<{ webhooks: RemoteWebhook[] }>('/api/webhooks');
  const webhooks = found?.webhooks ?? [];
  if (json) printJson(webhooks);
  else if (webhooks.length > 0) print(table(WEBHOOK_COLUMNS, webhooks, process.stdout.columns));
  else complain('there are no webhooks: --webhook, or tables [webhooks.NAME] of the configuration file, make some');
  return webhooks.length > 0 ? EXIT.OK : EXIT.NOTHING;
}

/** `inboxd webhooks dead`: lists what was given up. */
export async function listDead(
  remote: Remote,
  name: string,
  { limit, json }: { readonly limit: number; readonly json?: boolean },
): Promise<number> {
  const found = await remote.json<{ dead: RemoteDeadLetter[] }>(`${pathOf(name)}/dead?limit=${limit}`);
  const dead = found?.dead ?? [];
  if (json) printJson(dead);
  else if (dead.length > 0) print(table(DEAD_COLUMNS, dead, process.stdout.columns));
  if (dead.length === 0) complain(`nothing was given up for ${oneLine(name)}`);
  return dead.length > 0 ? EXIT.OK : EXIT.NOTHING;
}

/** `inboxd webhooks replay`: has what was given up delivered again; all of it without ids. */
export async function replay(remote: Remote, name: string, ids: readonly string[]): Promise<number> {
  const post = ids.length > 0 ? { ids } : {};
  const { replayed = 0 } = (await remote.json<{ replayed: number }>(`${pathOf(name)}/replay`, { post })) ?? {};
  if (replayed === 0) complain('there is nothing of that to deliver again');
  else print(`${replayed} to be delivered again`);
  return replayed > 0 ? EXIT.OK : EXIT.NOTHING;
}

/** `inboxd webhooks test`: sends an event that is no message. */
export async function test(remote: Remote, name: string): Promise<number> {
  const attempt = await remote.json<RemoteAttempt>(`${pathOf(name)}/test`, { post: {} });
  if (attempt?.why !== '') {
    complain(`${oneLine(name)}: ${attempt === undefined ? 'no answer' : outcomeOf(attempt)}`);
    return EXIT.NOTHING;
  }
  print(`${oneLine(name)}: ${outcomeOf(attempt)}`);
  return EXIT.OK;
}

function pathOf(name: string): string {
  return `/api/webhooks/${encodeURIComponent(name)}`;
}

function outcomeOf({ status, why, milliseconds }: RemoteAttempt): string {
  return `${why === '' ? status : oneLine(why)} (${milliseconds} ms)`;
}
