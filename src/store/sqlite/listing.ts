import type { SQLInputValue } from 'node:sqlite';
import { matchesGlob } from '../../mail/glob.ts';
import type { Query } from '../../mail/query.ts';
import type { ListQuery } from '../../mail/store.ts';
import { fold } from '../../mail/words.ts';
import { decodeCursor } from './cursor.ts';
import { isOfOurTime, isThere } from './gone.ts';
import type { KindRuns } from './kind-runs.ts';
import { type Condition, compileScan, hasInHeaders, joined, nameIn } from './search.ts';
import { compileIndexed, inboxMark, type Sharing } from './search-index.ts';

/*
 * How a list is found. Messages that are in the index of words are found through it, those that have come since are
 * looked at one by one, and as both are walked from the newest on, the second walk simply goes on where the first ends.
 */

/** One way through messages, newest first. */
export interface Walk {
  /** Along the whole store, one inbox, or what the index finds. */
  readonly along:
    | { readonly kind: 'store' }
    | { readonly kind: 'inbox'; readonly key: number }
    | { readonly kind: 'index'; readonly match: string };
  /** Of the messages on the way those that lie in this inbox; in any when absent. */
  readonly inbox?: number | undefined;
  /** Of the messages on the way those for which this holds; all when absent. */
  readonly condition: Condition | undefined;
  /** seqs between these only, neither included. */
  readonly above: number | undefined;
  readonly below: number | undefined;
}

export interface Listing {
  /** What a page is taken from. */
  readonly walks: readonly Walk[];
  /** The same from the very beginning, whatever the cursor says. */
  readonly all: readonly Walk[];
  readonly isOldestFirst: boolean;
}

type Find = (sql: string, values: readonly SQLInputValue[]) => readonly Record<string, unknown>[];

/** With more messages than this in its inboxes, a scope is checked message by message instead of gathered first. */
const GATHERED_MESSAGES = 20_000;
/** A scope of so many inboxes is looked up in the index with the rest of the search. */
const MARKED_INBOXES = 50;
/** Keys of inboxes begin at 1; a sign would end the word that stands for a key in the index. */
const NO_INBOX = 0;

/** Decides how to find what a query asks for. */
export function listingOf(query: ListQuery, find: Find, runs: KindRuns): Listing {
  const { inbox, rest } = takeInbox(query.inbox, query.query ?? { kind: 'all' });
  const place = placeOf(inbox, query.scope, find);
  const before: Condition[] = query.before ? [{ sql: 'm.received_at < ?', values: [query.before.getTime()] }] : [];
  const scan = rest.kind === 'all' ? [] : [compileScan(rest, query.scope)];
  const looked: Walk = {
    along: place.key === undefined ? { kind: 'store' } : { kind: 'inbox', key: place.key },
    condition: all([...place.conditions, ...before, ...scan]),
    above: undefined,
    below: undefined,
  };
  const indexed = compileIndexed(rest, query.scope, sharingOf(find, runs));
  const above = aboveWhichTime(rest, find);
  const newestFirst = (indexed ? [...throughIndex(looked, place, indexed, before, find)] : [looked]).map((walk) =>
    between(walk, above, Number.POSITIVE_INFINITY),
  );
  const isOldestFirst = query.oldestFirst === true;
  const every = isOldestFirst ? newestFirst.toReversed() : newestFirst;
  if (query.cursor === undefined) return { walks: every, all: every, isOldestFirst };
  const seq = decodeCursor(query.cursor, 1)[0]!;
  const walks = every.map((walk) =>
    isOldestFirst ? between(walk, seq, Number.POSITIVE_INFINITY) : between(walk, 0, seq),
  );
  return { walks, all: every, isOldestFirst };
}

function sharingOf(find: Find, runs: KindRuns): Sharing {
  const inHeaders = new Map<string, boolean>();
  return {
    isUsed: find('SELECT 1 FROM kinds LIMIT 1', []).length > 0,
    find: (match) =>
      find('SELECT rowid AS kind FROM shared_search WHERE shared_search MATCH ?', [match]).map(({ kind }) =>
        Number(kind),
      ),
    across: (columns, words, isPrefix) => runs.across(find, columns, words, isPrefix),
    inHeaders: (match, words, isPrefix) => {
      const key = `${words} ${isPrefix}`;
      let is = inHeaders.get(key);
      if (is === undefined) {
        const { sql, values } = hasInHeaders(words, isPrefix);
        const from = 'FROM search s CROSS JOIN messages m ON m.seq = s.rowid';
        is = find(`SELECT 1 ${from} WHERE s.search MATCH ? AND ${sql} LIMIT 1`, [match, ...values]).length > 0;
        inHeaders.set(key, is);
      }
      return is;
    },
  };
}

/** The part of a walk between two seqs, neither included. */
export function between(walk: Walk, above: number, below: number): Walk {
  const from = Math.max(above, walk.above ?? 0);
  const to = Math.min(below, walk.below ?? Number.POSITIVE_INFINITY);
  return { ...walk, above: from > 0 ? from : undefined, below: Number.isFinite(to) ? to : undefined };
}

/** True if nothing can lie on a walk. */
export function isEmpty({ above, below }: Walk): boolean {
  return above !== undefined && below !== undefined && below - above < 2;
}

/** Further back than this many messages, a time is compared message by message. */
const RECENT_MESSAGES = 20_000;

/** The seq above which all lie that a search with `after:` can find; 0 when that is nothing to go by. */
function aboveWhichTime(query: Query, find: Find): number {
  const parts = query.kind === 'and' ? query.parts : [query];
  const times = parts.flatMap((part) => (part.kind === 'after' ? [part.at.getTime()] : []));
  if (times.length === 0) return 0;
  const [row] = find(
    `SELECT count(*) AS messages, min(seq) AS first FROM
       (SELECT seq FROM messages WHERE received_at >= ? ORDER BY received_at LIMIT ?)`,
    [Math.max(...times), RECENT_MESSAGES],
  );
  const messages = Number(row?.messages ?? 0);
  if (messages === 0) return Number.MAX_SAFE_INTEGER;
  return messages < RECENT_MESSAGES ? Number(row?.first) - 1 : 0;
}

/** First what is not in the index yet, then what is. */
function throughIndex(
  looked: Walk,
  place: Place,
  { match, rest }: NonNullable<ReturnType<typeof compileIndexed>>,
  before: readonly Condition[],
  find: Find,
): readonly Walk[] {
  const indexedTo = Number(find('SELECT indexed_to AS seq FROM totals', [])[0]?.seq ?? 0);
  const late: Walk = { ...looked, above: indexedTo };
  const further = [...before, ...(rest ? [rest] : [])];
  const below = indexedTo + 1;
  if (match === undefined) return [late, { ...looked, condition: all([...place.conditions, ...further]), below }];
  const marks =
    place.keys && place.keys.length > 0 ? `(${match}) AND marks : (${place.keys.map(inboxMark).join(' OR ')})` : match;
  const condition = all([...place.conditions, ...further]);
  // a message that has left an inbox is still marked with it
  return [late, { along: { kind: 'index', match: marks }, inbox: place.key, condition, above: undefined, below }];
}

interface Place {
  /** The one inbox that all lie in. */
  readonly key: number | undefined;
  /** All inboxes that are looked at, if these are few. */
  readonly keys: readonly number[] | undefined;
  readonly conditions: readonly Condition[];
}

function placeOf(inbox: string | undefined, scope: readonly string[] | undefined, find: Find): Place {
  if (inbox !== undefined) {
    const isSeen = scope === undefined || scope.some((glob) => matchesGlob(glob, inbox));
    const row = isSeen ? find('SELECT inbox FROM inboxes WHERE name = ?', [inbox])[0] : undefined;
    const key = Number(row?.inbox ?? NO_INBOX);
    return { key, keys: [key], conditions: [] };
  }
  if (scope === undefined) return { key: undefined, keys: undefined, conditions: [] };
  const seen = nameIn('name', scope);
  const [sums] = find(
    `SELECT count(*) AS inboxes, sum(messages) AS messages FROM inboxes WHERE ${seen.sql}`,
    seen.values,
  );
  const inboxes = Number(sums?.inboxes ?? 0);
  if (inboxes > MARKED_INBOXES) {
    return {
      key: undefined,
      keys: undefined,
      conditions: [liesInSeen(seen, Number(sums?.messages) <= GATHERED_MESSAGES)],
    };
  }
  const keys = find(`SELECT inbox FROM inboxes WHERE ${seen.sql}`, seen.values).map((row) => Number(row.inbox));
  if (keys.length <= 1) return { key: keys[0] ?? NO_INBOX, keys: [keys[0] ?? NO_INBOX], conditions: [] };
  return { key: undefined, keys, conditions: [liesInSeen(seen, Number(sums?.messages) <= GATHERED_MESSAGES)] };
}

function liesInSeen(seen: Condition, isGathered: boolean): Condition {
  const inboxes = `inbox IN (SELECT inbox FROM inboxes WHERE ${seen.sql})`;
  const sql = isGathered
    ? `m.seq IN (SELECT seq FROM placements WHERE ${inboxes})`
    : `EXISTS (SELECT 1 FROM placements p WHERE p.seq = m.seq AND p.${inboxes})`;
  return { sql, values: seen.values };
}

/** seqs of a walk behind the first `skipped`; all of them for a limit of -1. */
export function seqsOf(walk: Walk, isOldestFirst: boolean, limit: number, skipped: number): Condition {
  const { from, seq, where, values } = stepsOf(walk);
  const order = isOldestFirst ? 'ASC' : 'DESC';
  const sql = `SELECT ${seq} AS seq ${from} ${where} ORDER BY ${seq} ${order} LIMIT ? OFFSET ?`;
  return { sql, values: [...values, limit, skipped] };
}

/** How many there are, and how many of them are unread. Without conditions the counters know. */
export function countOf(walk: Walk): Condition {
  const counters = countersOf(walk);
  if (counters) return counters;
  const { from, seq, where, values } = stepsOf(walk);
  // small beside the messages themselves, and most often there is nothing in it
  const read = `(SELECT count(*) FROM messages r INDEXED BY messages_read WHERE r.is_read = 1 AND r.seq = ${seq})`;
  return {
    sql: `SELECT count(*) AS messages, count(*) - coalesce(sum(${read}), 0) AS unread ${from} ${where}`,
    values,
  };
}

/** How many there are, but no more than `most`. */
export function countTo(walk: Walk, most: number): Condition {
  const counters = countersOf(walk);
  if (counters) return counters;
  const { from, where, values } = stepsOf(walk);
  return { sql: `SELECT count(*) AS messages FROM (SELECT 1 ${from} ${where} LIMIT ?)`, values: [...values, most] };
}

/** What is counted as it comes and goes. */
export function countersOf({ along, inbox, condition, above, below }: Walk): Condition | undefined {
  if (inbox !== undefined || condition || above !== undefined || below !== undefined) return undefined;
  if (along.kind === 'store') return { sql: 'SELECT messages, unread FROM totals', values: [] };
  if (along.kind === 'index') return undefined;
  return { sql: 'SELECT messages, unread FROM inboxes WHERE inbox = ?', values: [along.key] };
}

/** The tables of a walk, joined so that it goes along the index that it is meant to. */
function stepsOf({ along, inbox, condition, above, below }: Walk) {
  const texts = condition ? 'LEFT JOIN texts t ON t.seq = m.seq' : '';
  const messages = (seq: string): string => (condition ? `CROSS JOIN messages m ON m.seq = ${seq} ${texts}` : '');
  const [from, seq, first, value] =
    along.kind === 'store'
      ? [`FROM messages m ${texts}`, 'm.seq', undefined, undefined]
      : along.kind === 'inbox'
        ? [`FROM placements l ${messages('l.seq')}`, 'l.seq', 'l.inbox = ?', along.key]
        : [`FROM search s ${messages('s.rowid')}`, 's.rowid', 's.search MATCH ?', along.match];
  const conditions = [
    ...(first === undefined ? [] : [first]),
    ...(above === undefined ? [] : [`${seq} > ?`]),
    ...(below === undefined ? [] : [`${seq} < ?`]),
    ...(inbox === undefined ? [] : [`EXISTS (SELECT 1 FROM placements p WHERE p.inbox = ? AND p.seq = ${seq})`]),
    // with the messages themselves on the way there is no need to ask
    ...(along.kind === 'store' || condition ? [] : [isThere(seq)]),
    ...(along.kind === 'inbox' ? [isOfOurTime(seq)] : []),
    ...(condition === undefined ? [] : [`(${condition.sql})`]),
  ];
  const values: SQLInputValue[] = [value, whole(above), whole(below), inbox].filter((bound) => bound !== undefined);
  return {
    from,
    seq,
    where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`,
    values: [...values, ...(condition?.values ?? [])],
  };
}

/** FTS5 goes straight to a bound that is an integer; every number of JavaScript's arrives as a fraction. */
function whole(seq: number | undefined): bigint | undefined {
  return seq === undefined ? undefined : BigInt(seq);
}

function all(conditions: readonly Condition[]): Condition | undefined {
  return conditions.length === 0 ? undefined : joined('and', conditions);
}

/** Names that are the same however they are folded, and no globs. */
const SURE = /^[\x20-\x29\x2b-\x7e]+$/;

/** Finds the one inbox that all must lie in, where the query says so, for then there is an index to walk. */
function takeInbox(
  inbox: string | undefined,
  query: Query,
): { readonly inbox: string | undefined; readonly rest: Query } {
  if (inbox !== undefined) return { inbox, rest: query };
  const parts = query.kind === 'and' ? query.parts : [query];
  for (const [place, part] of parts.entries()) {
    if (part.kind !== 'field' || part.field !== 'inbox' || part.prefix || !SURE.test(part.text)) continue;
    const others = parts.toSpliced(place, 1);
    return { inbox: fold(part.text), rest: others.length === 0 ? { kind: 'all' } : { kind: 'and', parts: others } };
  }
  return { inbox, rest: query };
}
