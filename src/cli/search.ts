import { EXIT } from './exit-codes.ts';
import { complain, oneLine, print, printJson } from './output.ts';
import type { Remote } from './remote.ts';
import { listPath, MAIL_COLUMNS, type RemoteList, type RemoteSummary } from './remote-mail.ts';
import { table } from './table.ts';

export interface SearchOptions {
  readonly limit: number;
  readonly json?: boolean;
}

/** The most that the API gives at a time. */
const PAGE = 500;

/** `inboxd search <query>`: finds messages in all inboxes, the newest first. */
export async function search(remote: Remote, query: string, { limit, json }: SearchOptions): Promise<number> {
  const { messages, matches, isMore } = await find(remote, query, limit);
  if (json) printJson(messages);
  else if (messages.length > 0) print(table(MAIL_COLUMNS, messages, process.stdout.columns));
  if (messages.length === 0) {
    complain(`nothing matches ${oneLine(query)}`);
    return EXIT.NOTHING;
  }
  if (matches > messages.length)
    complain(`${matches - messages.length}${isMore ? ' and more' : ' more'}; --limit shows them`);
  return EXIT.OK;
}

async function find(
  remote: Remote,
  query: string,
  limit: number,
): Promise<{ messages: RemoteSummary[]; matches: number; isMore: boolean }> {
  const messages: RemoteSummary[] = [];
  let matches = 0;
  let isMore = false;
  let cursor: string | null | undefined;
  while (messages.length < limit && cursor !== null) {
    const parameters = new URLSearchParams({ q: query, limit: String(Math.min(PAGE, limit - messages.length)) });
    if (cursor !== undefined) parameters.set('cursor', cursor);
    const page: RemoteList | undefined = await remote.json<RemoteList>(listPath(undefined, parameters));
    matches = page?.matches ?? matches;
    isMore ||= page?.isMore === true;
    messages.push(...(page?.messages ?? []));
    cursor = page?.next ?? null;
  }
  return { messages, matches, isMore };
}
