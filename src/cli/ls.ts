import type { Config } from '../config.ts';
import type { Address, InboxSummary, Summary } from '../mail/store.ts';
import { EXIT } from './exit-codes.ts';
import { complain, oneLine, print, printJson, readableSize, readableTime } from './output.ts';
import { findInbox, type StoreReader, withReader } from './store-access.ts';
import { type Column, table } from './table.ts';

const INBOX_COLUMNS: readonly Column<InboxSummary>[] = [
  { title: 'MESSAGES', align: 'right', cell: ({ messages }) => String(messages) },
  { title: 'UNREAD', align: 'right', cell: ({ unread }) => String(unread) },
  { title: 'SIZE', align: 'right', cell: ({ bytes }) => readableSize(bytes) },
  { title: 'NEWEST', cell: ({ newest }) => readableTime(newest) },
  { title: 'INBOX', cell: ({ inbox }) => oneLine(inbox) },
];

const MESSAGE_COLUMNS: readonly Column<Summary>[] = [
  { title: 'ID', cell: ({ id }) => oneLine(id) },
  { title: 'RECEIVED', cell: ({ receivedAt }) => readableTime(receivedAt) },
  { title: 'SIZE', align: 'right', cell: ({ bytes }) => readableSize(bytes) },
  { title: 'FROM', cell: ({ from }) => oneLine(senderOf(from), 40) },
  { title: 'SUBJECT', cell: ({ subject }) => oneLine(subject) },
];

/** `inboxd ls [inbox]`: the inboxes, or the messages of one. */
export async function ls(config: Config, inbox: string | undefined, options: { json?: boolean }): Promise<number> {
  return withReader(config, (reader) =>
    inbox === undefined ? listInboxes(reader, options) : listMessages(reader, inbox, config, options),
  );
}

async function listInboxes(reader: StoreReader, { json }: { json?: boolean }): Promise<number> {
  const { inboxes } = await reader.inboxes();
  if (json) printJson(inboxes);
  else if (inboxes.length === 0) complain('no mail yet');
  else print(table(INBOX_COLUMNS, inboxes, process.stdout.columns));
  return EXIT.OK;
}

async function listMessages(
  reader: StoreReader,
  text: string,
  config: Config,
  { json }: { json?: boolean },
): Promise<number> {
  const inbox = await findInbox(reader, text, config.naming);
  if (inbox === undefined) {
    complain(`no inbox ${oneLine(text)}`);
    return EXIT.NOTHING;
  }
  const { messages } = await reader.list({ inbox });
  if (json) printJson(messages);
  else print(table(MESSAGE_COLUMNS, messages, process.stdout.columns));
  return EXIT.OK;
}

function senderOf(from: Address | null): string {
  if (from === null) return '';
  return from.name === '' ? from.address : from.name;
}
