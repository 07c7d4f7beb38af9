import type { SQLInputValue } from 'node:sqlite';
import { matchesGlob } from '../../mail/glob.ts';
import type { Query } from '../../mail/query.ts';
import type { ListQuery } from '../../mail/store.ts';
import { decodeCursor } from './cursor.ts';
import { ALWAYS, type Condition, compileScan, joined, nameIn } from './search.ts';

/** How a list is found: along which index, and what must hold. */
export interface Listing {
  /** Walked from its newest entry on; the key of an inbox, or nothing for all messages. */
  readonly inbox: number | undefined;
  /** What holds for all pages. */
  readonly condition: Condition;
  /** Pages begin below this seq. */
  readonly below: number | undefined;
  /** Known without looking: the condition holds for all. */
  readonly isWhole: boolean;
}

type Find = (sql: string, values: readonly SQLInputValue[]) => Record<string, unknown> | undefined;

/** With more messages than this in its inboxes, a scope is checked message by message instead of gathered first. */
const GATHERED_MESSAGES = 20_000;
const NO_INBOX = -1;

/** Decides how to find what a query asks for. */
export function listingOf(query: ListQuery, find: Find): Listing {
  const { scope, before, cursor } = query;
  const { inbox: named, rest } = takeInbox(query.inbox, query.query ?? { kind: 'all' });
  const parts: Condition[] = [];
  let inbox: number | undefined;
  if (named !== undefined) {
    const isSeen = scope === undefined || scope.some((glob) => matchesGlob(glob, named));
    const entry = isSeen ? find('SELECT inbox FROM inboxes WHERE name = ?', [named]) : undefined;
    inbox = Number(entry?.inbox ?? NO_INBOX);
  } else if (scope !== undefined) {
    const seen = nameIn('name', scope);
    const sql = `SELECT count(*) AS inboxes, sum(messages) AS messages, min(inbox) AS inbox FROM inboxes WHERE ${seen.sql}`;
    const {
      inboxes,
      messages,
      inbox: first,
    } = find(sql, seen.values) as { inboxes: number; messages: number; inbox: number };
    if (inboxes === 0) inbox = NO_INBOX;
    else if (inboxes === 1) inbox = first;
    else parts.push(messages <= GATHERED_MESSAGES ? gathered(seen) : checked(seen));
  }
  const condition = compileScan(rest, scope);
  if (condition !== ALWAYS) parts.push(condition);
  if (before) parts.push({ sql: 'm.received_at < ?', values: [before.getTime()] });
  return {
    inbox,
    condition: joined('and', parts),
    below: cursor === undefined ? undefined : decodeCursor(cursor, 1)[0]!,
    isWhole: parts.length === 0,
  };
}

/** seqs newest first. */
export function seqsOf({ inbox, condition, below, isWhole }: Listing, limit: number, start: number): Condition {
  const order = 'DESC LIMIT ? OFFSET ?';
  if (inbox === undefined) {
    const from = isWhole ? 'messages m' : 'messages m LEFT JOIN texts t ON t.seq = m.seq';
    const place = below === undefined ? '' : 'm.seq < ? AND';
    return {
      sql: `SELECT m.seq AS seq FROM ${from} WHERE ${place} (${condition.sql}) ORDER BY m.seq ${order}`,
      values: [...(below === undefined ? [] : [below]), ...condition.values, limit, start],
    };
  }
  const from = isWhole ? '' : 'CROSS JOIN messages m ON m.seq = l.seq LEFT JOIN texts t ON t.seq = l.seq';
  const place = below === undefined ? '' : 'AND l.seq < ?';
  return {
    sql: `SELECT l.seq AS seq FROM placements l ${from} WHERE l.inbox = ? ${place} AND (${condition.sql}) ORDER BY l.seq ${order}`,
    values: [inbox, ...(below === undefined ? [] : [below]), ...condition.values, limit, start],
  };
}

/** How many there are on all pages, and how many of them are unread. Without conditions the counters know. */
export function countOf({ inbox, condition, isWhole }: Listing): Condition {
  if (isWhole && inbox === undefined) return { sql: 'SELECT messages, unread FROM totals', values: [] };
  if (isWhole) return { sql: 'SELECT messages, unread FROM inboxes WHERE inbox = ?', values: [inbox!] };
  const what = 'SELECT count(*) AS messages, sum(m.is_read = 0) AS unread FROM';
  const texts = 'LEFT JOIN texts t ON t.seq = m.seq';
  if (inbox === undefined) {
    return { sql: `${what} messages m ${texts} WHERE ${condition.sql}`, values: condition.values };
  }
  return {
    sql: `${what} placements l CROSS JOIN messages m ON m.seq = l.seq ${texts} WHERE l.inbox = ? AND (${condition.sql})`,
    values: [inbox, ...condition.values],
  };
}

/** Finds the one inbox that all must lie in, where the query says so, for then there is an index to walk. */
function takeInbox(
  inbox: string | undefined,
  query: Query,
): { readonly inbox: string | undefined; readonly rest: Query } {
  const isOne = (part: Query): boolean =>
    part.kind === 'field' && part.field === 'inbox' && !part.prefix && !part.text.includes('*');
  if (inbox !== undefined) return { inbox, rest: query };
  if (isOne(query)) return { inbox: (query as { text: string }).text.toLowerCase(), rest: { kind: 'all' } };
  if (query.kind !== 'and') return { inbox, rest: query };
  const at = query.parts.findIndex(isOne);
  if (at < 0) return { inbox, rest: query };
  return {
    inbox: (query.parts[at] as { text: string }).text.toLowerCase(),
    rest: { kind: 'and', parts: query.parts.toSpliced(at, 1) },
  };
}

function gathered(seen: Condition): Condition {
  return {
    sql: `m.seq IN (SELECT seq FROM placements WHERE inbox IN (SELECT inbox FROM inboxes WHERE ${seen.sql}))`,
    values: seen.values,
  };
}

function checked(seen: Condition): Condition {
  return {
    sql: `EXISTS (SELECT 1 FROM placements p WHERE p.seq = m.seq AND p.inbox IN (SELECT inbox FROM inboxes WHERE ${seen.sql}))`,
    values: seen.values,
  };
}
