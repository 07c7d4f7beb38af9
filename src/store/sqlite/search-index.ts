import type { Query, TextField } from '../../mail/query.ts';
import { spacedWords, wordsOf } from '../../mail/words.ts';
import { listedStarts, openWords, sealedMatch, sealedStart, sealsOf } from './sealed-words.ts';
import { type Condition, compileScan, joined, negated } from './search.ts';

/** Columns that are about a message from its arrival on; the first of the index. */
// biome-ignore format: a list of names
export const ARRIVAL_COLUMNS = [
  'sender', 'recipients', 'cc', 'bcc', 'reply_to', 'envelope', 'subject', 'message_id',
] as const;

/*
 * The full-text index: an FTS5 table without content of its own, for all it would hold stands elsewhere. It is given
 * words that words.ts has already cut and folded, with spaces between; its own tokenizer then only finds the spaces
 * (`ascii`: everything beyond ASCII belongs to words). Phrases do not reach over the end of a column.
 *
 * `marks` holds words that are in no mail: the inboxes (i and their key in base 36) and what a mail has. With them a
 * search within an inbox is one more list to intersect, however large inbox and store are. A message that has left an
 * inbox keeps the mark, so an inbox found by it is looked at again. A mail whose words are in the index of shared words
 * (shared-words.ts) is marked with its kind (k and a key), and a search asks for the marks of the kinds that have a word.
 *
 * `starts` holds the first one to four characters of every longer word that a search without a field looks at. Half of a
 * language begins with the same few letters: FTS5 would gather all their lists before it gives the first answer, which
 * took seconds with a million mails. Longer beginnings it finds quickly, as words are in order, and its own index of
 * prefixes, with the place of every word, doubled the work of indexing. A beginning is marked, since most are words too,
 * and rare ones: their lists would be long for what stands in no column that is searched. Words of signatures are in no
 * column but by their beginnings in this one: see sealed-words.ts.
 */
// biome-ignore format: a list of names
export const INDEX_COLUMNS = [
  ...ARRIVAL_COLUMNS, 'header_names', 'header_values', 'file_names', 'body', 'starts', 'marks',
] as const;

export type IndexColumn = (typeof INDEX_COLUMNS)[number];

/** What a search without a field looks at. */
export const SEARCHED_COLUMNS = [...ARRIVAL_COLUMNS, 'header_values', 'body'] as const;

export function inboxMark(key: number): string {
  return `i${key.toString(36)}`;
}

export const MARKS = { attachment: 'hasattachment', inline: 'hasinline' } as const;

export function kindMark(kind: number): string {
  return `k${kind.toString(36)}`;
}

/** Phrases of so many words at most are found where words are shared (shared-words.ts); of longer ones the pieces are. */
export const PHRASE_WORDS = 4;

/** The kinds of mail whose words are in the index once. */
export interface Sharing {
  /** False if there are none. */
  readonly isUsed: boolean;
  /** Kinds that have what is looked for, in the language of FTS5. */
  find(match: string): readonly number[];
  /** How a phrase stands in mails of kinds where it is not all in the mail or in the kind, in the language of FTS5. */
  across(columns: readonly IndexColumn[], words: readonly string[], isPrefix: boolean): readonly string[];
  /** Whether the header fields of one of the mails that FTS5 finds hold the words, the last of which may be a beginning. */
  inHeaders(match: string, words: string, isPrefix: boolean): boolean;
}

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
  const { words: values, sealed } = openWords(headers);
  const searched = [...arrival.map(spacedWords), values, spacedWords(text)];
  const last = searched.length - 1;
  const seals = sealsOf(sealed);
  return [
    ...searched.slice(0, -2),
    spacedWords(names),
    searched[last - 1]!,
    spacedWords(fileNames.join('\x1e')),
    searched[last]!,
    [startsOf([...searched, listedStarts(seals)]), ...seals].join(' ').trim(),
  ];
}

/** Beginnings of words up to this long have lists of their own. */
const START_CHARACTERS = 4;
/** In front of a beginning; no word holds it (it is no letter), and to FTS5 it is a part of one. */
const START_MARK = '\ue000';

/** The beginnings of all words of texts that are spaced as words.ts does. */
export function startsOf(texts: readonly string[]): string {
  const starts = new Set<string>();
  for (const word of new Set(texts.flatMap((text) => text.split(' ')))) {
    const length = Math.min(word.length - 1, START_CHARACTERS);
    for (let end = 1; end <= length; end++) starts.add(word.slice(0, end));
  }
  return [...starts]
    .filter((start) => start.isWellFormed())
    .map((start) => START_MARK + start)
    .join(' ');
}

/** The words of a beginning that `starts` knows; undefined when there is none or FTS5 finds it well enough. */
function shortStart(text: string, isPrefix: boolean): { readonly before: string; readonly start: string } | undefined {
  const words = wordsOf(text);
  const start = words.pop();
  if (!isPrefix || start === undefined || start.length > START_CHARACTERS) return undefined;
  return { before: words.join(' '), start };
}

/** A query in two halves: what the index finds, and what then has to hold of each message found. */
export interface IndexedQuery {
  /** In the language of FTS5; undefined when no list of the index holds all that is looked for. */
  readonly match: string | undefined;
  readonly rest: Condition | undefined;
}

/**
 * Makes use of the index for a query; undefined when it is of none.
 * @param scope inboxes that `inbox:` may name; all when undefined
 */
export function compileIndexed(
  query: Query,
  scope: readonly string[] | undefined,
  sharing: Sharing,
): IndexedQuery | undefined {
  const finds: string[] = [];
  const avoids: Query[] = [];
  const rest: Query[] = [];
  for (const part of conjuncts(query)) {
    const match = matchOf(part, sharing);
    if (match !== undefined) finds.push(match);
    else if (part.kind === 'not' && matchOf(part.part, sharing) !== undefined) avoids.push(part);
    else {
      finds.push(...candidates(part, sharing));
      if (part.kind !== 'all') rest.push(part);
    }
  }
  const others = (parts: readonly Query[]): Condition =>
    joined(
      'and',
      parts.map((part) => leafwise(part, scope, sharing)),
    );
  if (finds.length > 0) {
    const found = finds.map((find) => `(${find})`).join(' AND ');
    const match = avoids.reduce((all, avoid) => `(${all}) NOT (${matchOf((avoid as Negation).part, sharing)})`, found);
    return { match, rest: rest.length === 0 ? undefined : others(rest) };
  }
  return usesIndex(query, sharing) ? { match: undefined, rest: others([...avoids, ...rest]) } : undefined;
}

type Negation = Extract<Query, { kind: 'not' }>;

function usesIndex(query: Query, sharing: Sharing): boolean {
  if (matchOf(query, sharing) !== undefined) return true;
  if (query.kind === 'not') return usesIndex(query.part, sharing);
  return (query.kind === 'and' || query.kind === 'or') && query.parts.some((part) => usesIndex(part, sharing));
}

function conjuncts(query: Query): readonly Query[] {
  return query.kind === 'and' ? query.parts.flatMap(conjuncts) : [query];
}

/** The query in the language of FTS5, if the index alone can answer it. */
function matchOf(query: Query, sharing: Sharing): string | undefined {
  switch (query.kind) {
    case 'and':
    case 'or': {
      if (query.parts.length === 0) return undefined;
      const parts = query.parts.map((part) => matchOf(part, sharing));
      if (parts.includes(undefined)) return undefined;
      return parts.map((part) => `(${part})`).join(query.kind === 'and' ? ' AND ' : ' OR ');
    }
    case 'text': {
      if (query.infix || isSealed(query, sharing)) return undefined;
      const short = shortStart(query.text, query.prefix);
      if (short === undefined) return phraseIn(SEARCHED_COLUMNS, query.text, query.prefix, sharing);
      return short.before === '' ? startIn(SEARCHED_COLUMNS, short.start, sharing) : undefined;
    }
    case 'field': {
      if (query.infix || query.field === 'tag' || query.field === 'inbox') return undefined;
      if (shortStart(query.text, query.prefix)) return undefined;
      return phraseIn(COLUMNS[query.field], query.text, query.prefix, sharing);
    }
    case 'has':
      return `marks : ${MARKS[query.what]}`;
    default:
      return undefined;
  }
}

const COLUMNS: Readonly<Record<Exclude<TextField, 'tag' | 'inbox'>, readonly IndexColumn[]>> = {
  from: ['sender'],
  to: ['recipients'],
  cc: ['cc'],
  bcc: ['bcc'],
  'reply-to': ['reply_to'],
  addressed: ['sender', 'recipients', 'cc', 'bcc', 'reply_to', 'envelope'],
  subject: ['subject'],
  'message-id': ['message_id'],
  filename: ['file_names'],
};

/** Columns in the language of FTS5. */
function filterOf(columns: readonly IndexColumn[]): string {
  return columns === SEARCHED_COLUMNS ? '- {header_names file_names starts marks}' : `{${columns.join(' ')}}`;
}

/** Finds messages that may be what a part of a query asks for; which of them are is then seen in the messages themselves. */
function candidates(query: Query, sharing: Sharing): string[] {
  if (query.kind === 'header') {
    return [
      ...piecesIn(['header_names'], query.name, false, sharing),
      ...piecesIn(['header_values'], query.text, false, sharing, true),
    ];
  }
  if (query.kind !== 'text' && query.kind !== 'field') return [];
  if (query.infix || (query.kind === 'field' && (query.field === 'tag' || query.field === 'inbox'))) return [];
  const short = shortStart(query.text, query.prefix);
  const columns = query.kind === 'text' ? SEARCHED_COLUMNS : COLUMNS[query.field as keyof typeof COLUMNS];
  const isText = query.kind === 'text';
  if (short === undefined) return piecesIn(columns, query.text, query.prefix, sharing, isText);
  // what a file is called need not be in the text where that is cut off
  if (query.kind === 'field' && query.field === 'filename') return [`marks : (${Object.values(MARKS).join(' OR ')})`];
  return [startIn(columns, short.start, sharing), ...piecesIn(columns, short.before, false, sharing, isText)];
}

/** A short beginning, or the word that is just that. */
function startIn(columns: readonly IndexColumn[], start: string, sharing: Sharing): string {
  const sealed = sealedStart(start);
  const starts = `(starts : "${START_MARK}${start}")${sealed ? ` OR (${sealed})` : ''}`;
  const across = sharing.isUsed ? sharing.across(SEARCHED_COLUMNS, [start], true) : [];
  return shared(`${starts} OR (${filterOf(columns)} : "${start}")`, sharing, across);
}

/** Whether a mail has what is looked for among words of a signature, which the index does not tell for sure. */
function isSealed({ text, prefix }: { text: string; prefix: boolean }, sharing: Sharing): boolean {
  if (shortStart(text, prefix)) return false; // these are all there
  const match = sealedMatch(wordsOf(text));
  return match !== undefined && sharing.inHeaders(shared(match, sharing), text, prefix);
}

/** Undefined for a text without words, and for a phrase that is longer than the index can tell. */
function phraseIn(
  columns: readonly IndexColumn[],
  text: string,
  isPrefix: boolean,
  sharing: Sharing,
): string | undefined {
  const pieces = piecesIn(columns, text, isPrefix, sharing);
  return pieces.length === 1 ? pieces[0] : undefined;
}

/**
 * What has to be there for a phrase to be: itself, or its pieces where it is longer than the index can tell.
 * @param mayBeSealed whether what may be in signatures is wanted too
 */
function piecesIn(
  columns: readonly IndexColumn[],
  text: string,
  isPrefix: boolean,
  sharing: Sharing,
  mayBeSealed: boolean = false,
): string[] {
  const words = wordsOf(text);
  if (words.length === 0) return [];
  const most = sharing.isUsed ? PHRASE_WORDS : words.length;
  const pieces: string[] = [];
  for (let at = 0; at < words.length; at += most) {
    const isLast = at + most >= words.length;
    // words hold neither quotes nor anything else that means something to FTS5
    const piece = words.slice(at, at + most);
    const isBeginning = isPrefix && isLast;
    const phrase = `${filterOf(columns)} : "${piece.join(' ')}"${isBeginning ? ' *' : ''}`;
    const sealed = mayBeSealed ? sealedMatch(piece) : undefined;
    const across = sharing.isUsed ? sharing.across(columns, piece, isBeginning) : [];
    pieces.push(shared(sealed ? `(${phrase}) OR (${sealed})` : phrase, sharing, across));
  }
  return pieces;
}

/**
 * Finds mails that have something themselves, and those whose kind has it.
 * @param across how it stands in mails of kinds
 */
function shared(match: string, sharing: Sharing, across: readonly string[] = []): string {
  const kinds = sharing.isUsed ? sharing.find(match) : [];
  const ways = [...across, ...(kinds.length === 0 ? [] : [`marks : (${kinds.map(kindMark).join(' OR ')})`])];
  return [ways.length === 0 ? match : `(${match})`, ...ways].join(' OR ');
}

/** A condition that asks the index wherever a part of the query can be answered by it. */
function leafwise(query: Query, scope: readonly string[] | undefined, sharing: Sharing): Condition {
  const match = matchOf(query, sharing);
  if (match !== undefined) return indexed(match);
  switch (query.kind) {
    case 'and':
    case 'or':
      return joined(
        query.kind,
        query.parts.map((part) => leafwise(part, scope, sharing)),
      );
    case 'not':
      return negated(leafwise(query.part, scope, sharing));
    case 'text': {
      // what the index tells need not be looked at again
      const found = query.infix ? undefined : phraseIn(SEARCHED_COLUMNS, query.text, query.prefix, sharing);
      const scan = compileScan(query, scope);
      return found === undefined || shortStart(query.text, query.prefix) ? scan : joined('or', [indexed(found), scan]);
    }
    default:
      return compileScan(query, scope);
  }
}

function indexed(match: string): Condition {
  return { sql: 'm.seq IN (SELECT rowid FROM search WHERE search MATCH ?)', values: [match] };
}
