import type { Query, TextField } from '../../mail/query.ts';
import { spacedWords, wordsOf } from '../../mail/words.ts';
import { type Condition, compileScan, joined, negated } from './search.ts';

/*
 * The full-text index: an FTS5 table without content of its own, for all it would hold stands elsewhere. It is given
 * words that words.ts has already cut and folded, with spaces between; its own tokenizer then only finds the spaces
 * (`ascii`: everything beyond ASCII belongs to words). Phrases do not reach over the end of a column.
 *
 * `marks` holds words that are in no mail: the inboxes (i and their key in base 36) and what a mail has. With them a
 * search within an inbox is one more list to intersect, however large inbox and store are. A message that has left an
 * inbox keeps the mark, so an inbox found by it is looked at again.
 *
 * There is no index of prefixes: it doubled the work of indexing, and the words themselves are in order already.
 */
export const INDEX_COLUMNS = [
  'sender', 'recipients', 'cc', 'bcc', 'reply_to', 'envelope', 'subject', 'message_id',
  'header_names', 'header_values', 'file_names', 'body', 'marks',
] as const; // biome-ignore format: a list of names

/** Columns that are about a message from its arrival on; the first of the index. */
export const ARRIVAL_COLUMNS = INDEX_COLUMNS.slice(0, 8);

export function inboxMark(key: number): string {
  return `i${key.toString(36)}`;
}

export const MARKS = { attachment: 'hasattachment', inline: 'hasinline' } as const;

/** What parsing gave of a mail, as the index takes it. */
export interface IndexText {
  /** Of `ARRIVAL_COLUMNS`. */
  readonly arrival: readonly string[];
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly fileNames: readonly string[];
  readonly text: string;
}

/** The words of a mail for each column but `marks`. */
export function indexWords({ arrival, headers, fileNames, text }: IndexText): string[] {
  const names = headers.map(({ name }) => name).join('\x1e');
  const values = headers.map(({ value }) => value).join('\x1e');
  return [...arrival, names, values, fileNames.join('\x1e'), text].map(spacedWords);
}

/** A query in two halves: what the index finds, and what then has to hold of each message found. */
export interface IndexedQuery {
  /** In the language of FTS5; undefined when no list of the index holds all that is looked for. */
  readonly match: string | undefined;
  readonly rest: Condition | undefined;
}

/**
 * Makes use of the index for a query; undefined when it is of none.
 * @param scope inboxes that `inbox:` may name; all when absent
 */
export function compileIndexed(query: Query, scope?: readonly string[]): IndexedQuery | undefined {
  const finds: string[] = [];
  const avoids: Query[] = [];
  const rest: Query[] = [];
  for (const part of conjuncts(query)) {
    const match = matchOf(part);
    if (match !== undefined) finds.push(match);
    else if (part.kind === 'not' && matchOf(part.part) !== undefined) avoids.push(part);
    else {
      if (part.kind === 'header') finds.push(...headerMatches(part));
      if (part.kind !== 'all') rest.push(part);
    }
  }
  const others = (parts: readonly Query[]): Condition =>
    joined(
      'and',
      parts.map((part) => leafwise(part, scope)),
    );
  if (finds.length > 0) {
    const found = finds.map((find) => `(${find})`).join(' AND ');
    const match = avoids.reduce((all, avoid) => `(${all}) NOT (${matchOf((avoid as Negation).part)})`, found);
    return { match, rest: rest.length === 0 ? undefined : others(rest) };
  }
  return usesIndex(query) ? { match: undefined, rest: others([...avoids, ...rest]) } : undefined;
}

type Negation = Extract<Query, { kind: 'not' }>;

function usesIndex(query: Query): boolean {
  if (matchOf(query) !== undefined) return true;
  if (query.kind === 'not') return usesIndex(query.part);
  return (query.kind === 'and' || query.kind === 'or') && query.parts.some(usesIndex);
}

function conjuncts(query: Query): readonly Query[] {
  return query.kind === 'and' ? query.parts.flatMap(conjuncts) : [query];
}

/** The query in the language of FTS5, if the index alone can answer it. */
function matchOf(query: Query): string | undefined {
  switch (query.kind) {
    case 'and':
    case 'or': {
      if (query.parts.length === 0) return undefined;
      const parts = query.parts.map(matchOf);
      if (parts.includes(undefined)) return undefined;
      return parts.map((part) => `(${part})`).join(query.kind === 'and' ? ' AND ' : ' OR ');
    }
    case 'text':
      return query.infix ? undefined : phraseIn('- {header_names file_names marks}', query.text, query.prefix);
    case 'field': {
      if (query.infix || query.field === 'tag' || query.field === 'inbox') return undefined;
      return phraseIn(`{${COLUMNS[query.field]}}`, query.text, query.prefix);
    }
    case 'has':
      return `marks : ${MARKS[query.what]}`;
    default:
      return undefined;
  }
}

const COLUMNS: Readonly<Record<Exclude<TextField, 'tag' | 'inbox'>, string>> = {
  from: 'sender',
  to: 'recipients',
  cc: 'cc',
  bcc: 'bcc',
  'reply-to': 'reply_to',
  addressed: 'sender recipients cc bcc reply_to envelope',
  subject: 'subject',
  'message-id': 'message_id',
  filename: 'file_names',
};

/** Messages that may have such a header field; which of them do is then seen in the mail itself. */
function headerMatches({ name, text }: { readonly name: string; readonly text: string }): string[] {
  const finds = [phraseIn('{header_names}', name, false), phraseIn('{header_values}', text, false)];
  return finds.filter((find) => find !== undefined);
}

/** Words hold neither quotes nor anything else that means something to FTS5. */
function phraseIn(columns: string, text: string, isPrefix: boolean): string | undefined {
  const words = wordsOf(text);
  return words.length === 0 ? undefined : `${columns} : "${words.join(' ')}"${isPrefix ? ' *' : ''}`;
}

/** A condition that asks the index wherever a part of the query can be answered by it. */
function leafwise(query: Query, scope: readonly string[] | undefined): Condition {
  const match = matchOf(query);
  if (match !== undefined) {
    return { sql: 'm.seq IN (SELECT rowid FROM search WHERE search MATCH ?)', values: [match] };
  }
  switch (query.kind) {
    case 'and':
    case 'or':
      return joined(
        query.kind,
        query.parts.map((part) => leafwise(part, scope)),
      );
    case 'not':
      return negated(leafwise(query.part, scope));
    default:
      return compileScan(query, scope);
  }
}
