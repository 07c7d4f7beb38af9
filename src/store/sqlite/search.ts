import type { SQLInputValue } from 'node:sqlite';
import { inboxGlob, type Query, type TextField } from '../../mail/query.ts';
import type { AuthMethod, AuthResult } from '../../mail/verification.ts';
import { fold, spacedPhrase } from '../../mail/words.ts';
import { plain } from './address-text.ts';
import { listedText } from './blocks.ts';

/** A condition on `messages m LEFT JOIN texts t`, with the values of its question marks. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
  /** True if the texts of each message have to be read. */
  readonly isSlow?: boolean;
}

export const ALWAYS: Condition = { sql: '1', values: [] };
export const NEVER: Condition = { sql: '0', values: [] };

/** True if the answer depends on what parsing finds out, some time after a message has arrived. */
export function needsText(query: Query | undefined): boolean {
  switch (query?.kind) {
    case 'and':
    case 'or':
      return query.parts.some(needsText);
    case 'not':
      return needsText(query.part);
    case 'text':
    case 'has':
      return true;
    case 'field':
      return query.field === 'filename';
    default:
      return false;
  }
}

const ADDRESSED = (['sender', 'recipients', 'cc', 'bcc', 'reply_to', 'envelope'] as const).map(listedText);
const SHOWN = [...ADDRESSED, listedText('subject'), listedText('message_id'), 'text_of(m.seq)'];
const HEADER_VALUES = 'header_values(m.seq, m.file)';

/** The columns a field looks at, each for itself. */
const COLUMNS: Readonly<Record<Exclude<TextField, 'tag' | 'inbox'>, readonly string[]>> = {
  from: [listedText('sender')],
  to: [listedText('recipients')],
  cc: [listedText('cc')],
  bcc: [listedText('bcc')],
  'reply-to': [listedText('reply_to')],
  addressed: ADDRESSED,
  subject: [listedText('subject')],
  'message-id': [listedText('message_id')],
  filename: ["coalesce(t.file_names, '')"],
};

/**
 * Makes the condition of a query that looks at each message itself, no index needed. It means what `matches` means.
 * @param scope inboxes that `inbox:` may name; all when absent
 */
export function compileScan(query: Query, scope?: readonly string[]): Condition {
  switch (query.kind) {
    case 'all':
      return ALWAYS;
    case 'and':
    case 'or':
      return joined(
        query.kind,
        query.parts.map((part) => compileScan(part, scope)),
      );
    case 'not':
      return negated(compileScan(query.part, scope));
    case 'text':
      return holds(query, query.infix ? SHOWN : [...SHOWN, HEADER_VALUES]);
    case 'field':
      if (query.field === 'tag') return hasTag(query);
      if (query.field === 'inbox') return liesIn(inboxGlob(query), scope);
      return holds(query, COLUMNS[query.field]);
    case 'header':
      return { sql: 'has_header(m.seq, m.file, ?, ?)', values: [query.name, query.text], isSlow: true };
    default:
      return compileFact(query);
  }
}

type Fact = Extract<Query, { kind: 'is' | 'result' | 'has' | 'before' | 'after' | 'larger' | 'smaller' }>;

/** What columns of numbers know. */
export function compileFact(query: Fact): Condition {
  switch (query.kind) {
    case 'is':
      return { sql: STATES[query.what], values: [] };
    case 'result':
      return hasResult(query.method, query.result);
    case 'has':
      return { sql: `coalesce(t.${query.what === 'attachment' ? 'attachments' : 'inline'}, 0) > 0`, values: [] };
    case 'before':
      return { sql: 'm.received_at < ?', values: [query.at.getTime()] };
    case 'after':
      return { sql: 'm.received_at >= ?', values: [query.at.getTime()] };
    case 'larger':
      return { sql: 'm.bytes > ?', values: [query.bytes] };
    case 'smaller':
      return { sql: 'm.bytes < ?', values: [query.bytes] };
  }
}

const STATES = {
  read: 'm.is_read = 1',
  unread: 'm.is_read = 0',
  pinned: 'm.is_pinned = 1',
  tagged: 'm.seq IN (SELECT seq FROM message_tags)',
  verified: "coalesce(json_extract(m.verification, '$.dmarc.result') = 'pass', 0)",
  pending: 'm.is_pending = 1',
  quarantined: 'm.quarantine IS NOT NULL',
} as const;

/** As `hasResult` of mail/verification.ts. */
function hasResult(method: AuthMethod, result: AuthResult): Condition {
  if (method !== 'dkim') {
    return { sql: `coalesce(json_extract(m.verification, '$.${method}.result') = ?, 0)`, values: [result] };
  }
  const isDone = "coalesce(json_extract(m.verification, '$.status') = 'done', 0)";
  if (result === 'none') return { sql: `${isDone} AND json_array_length(m.verification, '$.dkim') = 0`, values: [] };
  const signatures = "SELECT 1 FROM json_each(m.verification, '$.dkim') WHERE json_extract(value, '$.result') = ?";
  return { sql: `m.verification IS NOT NULL AND EXISTS (${signatures})`, values: [result] };
}

export function joined(kind: 'and' | 'or', parts: readonly Condition[]): Condition {
  if (parts.length === 0) return kind === 'and' ? ALWAYS : NEVER;
  const sql = parts.map((part) => `(${part.sql})`).join(kind === 'and' ? ' AND ' : ' OR ');
  return { sql, values: parts.flatMap(({ values }) => values), isSlow: parts.some(({ isSlow }) => isSlow) };
}

export function negated({ sql, ...rest }: Condition): Condition {
  return { sql: `NOT (${sql})`, ...rest };
}

export function hasTag({ text, prefix }: { readonly text: string; readonly prefix: boolean }): Condition {
  const tag = fold(plain(text));
  const folded = prefix ? 'folded >= ? AND folded < ?' : 'folded = ?';
  return {
    sql: `m.seq IN (SELECT seq FROM message_tags WHERE ${folded})`,
    values: prefix ? [tag, `${tag}\u{10ffff}`] : [tag],
  };
}

export function liesIn(glob: string, scope: readonly string[] | undefined): Condition {
  const seen = scope && nameIn('i.name', scope);
  const name = glob.includes('*') ? 'fold(i.name) GLOB ?' : 'fold(i.name) = ?';
  return {
    sql: `m.seq IN (SELECT p.seq FROM inboxes i JOIN placements p ON p.inbox = i.inbox
      WHERE ${name}${seen ? ` AND (${seen.sql})` : ''})`,
    values: [glob.includes('*') ? sqlGlob(glob) : glob, ...(seen?.values ?? [])],
  };
}

/** True for names that fit one of the globs. */
export function nameIn(column: string, globs: readonly string[]): Condition {
  return joined(
    'or',
    globs.map((glob) =>
      glob.includes('*')
        ? { sql: `${column} GLOB ?`, values: [sqlGlob(glob)] }
        : { sql: `${column} = ?`, values: [glob] },
    ),
  );
}

/** In our globs only `*` means anything. */
function sqlGlob(glob: string): string {
  return glob.replace(/[?[]/g, '[$&]');
}

/** True for messages whose header fields hold words, the last of which may be a beginning. */
export function hasInHeaders(text: string, prefix: boolean): Condition {
  return holds({ text, prefix }, [HEADER_VALUES]);
}

interface Needle {
  readonly text: string;
  readonly prefix: boolean;
  readonly infix?: boolean;
}

/** True if one of the columns holds what is looked for. */
function holds({ text, prefix, infix = false }: Needle, columns: readonly string[]): Condition {
  const phrase = infix ? undefined : spacedPhrase(text, prefix);
  // instr() and not LIKE: nothing in what is looked for is a wildcard
  const sql =
    phrase === undefined
      ? (column: string) => `instr(fold(${column}), ?) > 0`
      : (column: string) => `instr(words(${column}), ?) > 0`;
  const value = phrase ?? fold(plain(text));
  return joined(
    'or',
    columns.map((column) => ({ sql: sql(column), values: [value], isSlow: true })),
  );
}
