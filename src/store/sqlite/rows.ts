import type { StoredMessage, Summary } from '../../mail/store.ts';
import type { Verification } from '../../mail/verification.ts';
import { decodeAddresses, decodeList } from './address-text.ts';
import { LISTED_COLUMNS, LISTED_SNIPPET, listedText } from './blocks.ts';
import { readFacts } from './facts.ts';

/** Columns of a summary; `snippet` and `attachments` are null until the message is indexed. */
export interface SummaryRow {
  readonly seq: number;
  readonly id: string;
  readonly received_at: number;
  readonly bytes: number;
  readonly is_read: number;
  readonly is_pinned: number;
  readonly has_bare_newlines: number;
  readonly message_id: string;
  readonly subject: string;
  readonly sender: string;
  readonly recipients: string;
  readonly cc: string;
  readonly bcc: string;
  readonly reply_to: string;
  readonly tags: string;
  readonly login: string;
  readonly verification: string | null;
  readonly quarantine: string | null;
  readonly snippet: string | null;
  readonly attachments: number | null;
}

/** The whole snippet of a row of `messages m` and `texts t`, null until the message is indexed: for mail of a kind what it shares with that of the kind is there. */
export const SNIPPET = `CASE WHEN t.snippet = '' AND m.block IS NOT NULL THEN ${LISTED_SNIPPET}
  WHEN t.kind IS NULL OR t.snippet_before + t.snippet_after = 0 THEN t.snippet ELSE (
    SELECT substr(k.snippet, 1, t.snippet_before) || t.snippet ||
      substr(k.snippet, length(k.snippet) + 1 - t.snippet_after) FROM kinds k WHERE k.kind = t.kind) END`;

/** Of `messages m` and `texts t`; `envelope` is not among them. */
export const SUMMARY_COLUMNS = `m.seq, m.id, m.received_at, m.bytes, m.is_read, m.is_pinned, m.has_bare_newlines,
  ${LISTED_COLUMNS.filter((column) => column !== 'envelope')
    .map((column) => `${listedText(column)} AS ${column}`)
    .join(', ')},
  m.tags, m.login, m.verification, m.quarantine, ${SNIPPET} AS snippet, t.attachments`;

export function summaryOf(row: SummaryRow, inboxes: readonly string[]): Summary {
  return {
    id: row.id,
    messageId: row.message_id,
    read: row.is_read === 1,
    from: decodeAddresses(row.sender)[0] ?? null,
    to: decodeAddresses(row.recipients),
    cc: decodeAddresses(row.cc),
    bcc: decodeAddresses(row.bcc),
    replyTo: decodeAddresses(row.reply_to),
    subject: row.subject,
    receivedAt: new Date(row.received_at),
    pinned: row.is_pinned === 1,
    tags: decodeList(row.tags),
    bytes: row.bytes,
    attachments: row.attachments ?? 0,
    snippet: row.snippet ?? '',
    inboxes,
    bareNewlines: row.has_bare_newlines === 1,
    login: row.login,
    verification: row.verification === null ? null : (JSON.parse(row.verification) as Verification),
    quarantine: row.quarantine,
  };
}

export function storedMessageOf(
  row: SummaryRow & { readonly facts: string },
  inboxes: readonly string[],
): StoredMessage {
  return { ...summaryOf(row, inboxes), ...readFacts(row.facts) };
}
