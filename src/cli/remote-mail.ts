import type { Code } from '../mail/codes.ts';
import type { Link } from '../mail/links.ts';
import type { Address, Summary } from '../mail/store.ts';
import { oneLine, readableSize, readableTime } from './output.ts';
import type { Column } from './table.ts';

/** A message in lists of the HTTP API. */
export interface RemoteSummary extends Omit<Summary, 'receivedAt'> {
  readonly receivedAt: string;
}

/** One message of the HTTP API, as far as commands look into it. */
export interface RemoteMessage extends RemoteSummary {
  readonly text: string;
  readonly envelope: { readonly from: string; readonly to: readonly { readonly address: string }[] };
  readonly codes: readonly Code[];
  readonly links: readonly Link[];
}

export interface RemoteList {
  readonly messages: readonly RemoteSummary[];
  readonly next: string | null;
  readonly matches?: number;
  /** More than `matches` match. */
  readonly isMore?: boolean;
}

/** Columns of a list in which several inboxes meet. */
export const MAIL_COLUMNS: readonly Column<RemoteSummary>[] = [
  { title: 'ID', cell: ({ id }) => oneLine(id) },
  { title: 'RECEIVED', cell: ({ receivedAt }) => readableTime(new Date(receivedAt)) },
  { title: 'SIZE', align: 'right', cell: ({ bytes }) => readableSize(bytes) },
  { title: 'INBOX', cell: ({ inboxes }) => oneLine(inboxes.join(', '), 40) },
  { title: 'FROM', cell: ({ from }) => oneLine(senderOf(from), 40) },
  { title: 'SUBJECT', cell: ({ subject }) => oneLine(subject) },
];

/** A name where there is one, else the address. */
export function senderOf(from: Address | null): string {
  if (from === null) return '';
  return from.name === '' ? from.address : from.name;
}

/** The list of an inbox, or of all. */
export function listPath(inbox: string | undefined, parameters: URLSearchParams): string {
  const where = inbox === undefined ? '/api/search' : `/api/inboxes/${encodeURIComponent(inbox)}/messages`;
  return `${where}?${parameters}`;
}
