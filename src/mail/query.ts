import { matchesGlob } from './glob.ts';
import type { STATES } from './query-parser.ts';
import type { Address, Summary } from './store.ts';
import { type AuthMethod, type AuthResult, hasResult } from './verification.ts';
import { fold, spacedPhrase, spacedWords } from './words.ts';

export { parseQuery, type QueryParsed } from './query-parser.ts';

/*
 * What a search means, apart from how it is written (query-parser.ts) and how a store finds it. Texts are compared as
 * words.ts says: folded, by whole words next to each other. A text without a single word, such as `%`, and one with
 * `infix` are looked for as they stand, wherever they stand.
 */

export const TEXT_FIELDS = [
  'from', 'to', 'cc', 'bcc', 'reply-to', 'addressed', 'subject', 'message-id', 'filename', 'tag', 'inbox',
] as const; // biome-ignore format: a list of names
export type TextField = (typeof TEXT_FIELDS)[number];

export type State = (typeof STATES)[number];

export type Query =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Query[] }
  | { readonly kind: 'not'; readonly part: Query }
  /** In any header field or the text, or among the names of the attachments; with `infix` not in the fields that lists do not show. */
  | {
      readonly kind: 'text';
      readonly text: string;
      readonly prefix: boolean;
      readonly phrase: boolean;
      readonly infix?: boolean;
    }
  /** `tag` and `inbox` are compared as a whole; an inbox may hold `*`. `addressed` is any address, the envelope's too. */
  | {
      readonly kind: 'field';
      readonly field: TextField;
      readonly text: string;
      readonly prefix: boolean;
      readonly infix?: boolean;
    }
  /** Words in a field of that name; without `text` it is enough that there is one. */
  | { readonly kind: 'header'; readonly name: string; readonly text: string }
  | { readonly kind: 'is'; readonly what: State }
  /** What a method of verification found. */
  | { readonly kind: 'result'; readonly method: AuthMethod; readonly result: AuthResult }
  | { readonly kind: 'has'; readonly what: 'attachment' | 'inline' }
  /** `after` is that very time or later. */
  | { readonly kind: 'before' | 'after'; readonly at: Date }
  | { readonly kind: 'larger' | 'smaller'; readonly bytes: number };

/** A message as far as a query can look at it. */
export interface Matchable extends Omit<Summary, 'id' | 'snippet' | 'attachments' | 'bareNewlines' | 'login'> {
  /** The addresses of the envelope. */
  readonly envelope?: readonly string[];
  /** All header fields with their decoded values. */
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
  /** Text of the mail and of its HTML and the names of its attachments. */
  readonly text?: string;
  readonly fileNames?: readonly string[];
  readonly attachments?: number;
  readonly inline?: number;
}

/** True if the answer depends on what a summary does not hold; `matches` is then right for a whole `Matchable` only. */
export function needsContent(query: Query): boolean {
  switch (query.kind) {
    case 'and':
    case 'or':
      return query.parts.some(needsContent);
    case 'not':
      return needsContent(query.part);
    case 'text':
    case 'header':
    case 'has':
      return true;
    case 'field':
      return query.field === 'filename' || query.field === 'addressed';
    default:
      return false;
  }
}

/** True if a message is what the query asks for. */
export function matches(query: Query, message: Matchable): boolean {
  switch (query.kind) {
    case 'all':
      return true;
    case 'and':
      return query.parts.every((part) => matches(part, message));
    case 'or':
      return query.parts.some((part) => matches(part, message));
    case 'not':
      return !matches(query.part, message);
    case 'text':
      return holds(query, textsOf(message, query));
    case 'field':
      return matchesField(query, message);
    case 'header':
      return matchesHeader(query.name, query.text, message.headers ?? []);
    case 'is':
      return matchesState(query.what, message);
    case 'result':
      return hasResult(message.verification, query.method, query.result);
    case 'has':
      return ((query.what === 'attachment' ? message.attachments : message.inline) ?? 0) > 0;
    case 'before':
      return message.receivedAt < query.at;
    case 'after':
      return message.receivedAt >= query.at;
    case 'larger':
      return message.bytes > query.bytes;
    case 'smaller':
      return message.bytes < query.bytes;
  }
}

/** True if one of the fields of a name holds the words. */
export function matchesHeader(
  name: string,
  text: string,
  headers: readonly { readonly name: string; readonly value: string }[],
): boolean {
  const wanted = name.toLowerCase();
  return headers.some(
    (header) => header.name.toLowerCase() === wanted && (text === '' || holds({ text }, [header.value])),
  );
}

interface Needle {
  readonly text: string;
  readonly prefix?: boolean;
  readonly infix?: boolean;
}

/** True if one of the texts holds what is looked for. */
function holds({ text, prefix = false, infix = false }: Needle, texts: readonly string[]): boolean {
  const phrase = infix ? undefined : spacedPhrase(text, prefix);
  if (phrase !== undefined) return texts.some((part) => spacedWords(part).includes(phrase));
  const needle = fold(text);
  return texts.some((part) => fold(part).includes(needle));
}

function textsOf(message: Matchable, { infix = false }: Needle): string[] {
  const { from, to, cc, bcc, replyTo, subject, messageId } = message;
  const lists = [from ? [from] : [], to, cc, bcc, replyTo];
  return [
    ...lists.map(addressText),
    (message.envelope ?? []).join(RECORD),
    subject,
    messageId,
    message.text ?? '',
    ...(infix ? [] : [(message.headers ?? []).map(({ value }) => value).join(RECORD)]),
  ];
}

function matchesField(query: Extract<Query, { kind: 'field' }>, message: Matchable): boolean {
  const { from, to, cc, bcc, replyTo } = message;
  const within = (...lists: readonly (readonly Address[])[]): boolean => holds(query, lists.map(addressText));
  switch (query.field) {
    case 'from':
      return within(from ? [from] : []);
    case 'to':
      return within(to);
    case 'cc':
      return within(cc);
    case 'bcc':
      return within(bcc);
    case 'reply-to':
      return within(replyTo);
    case 'addressed':
      return within(from ? [from] : [], to, cc, bcc, replyTo) || holds(query, [(message.envelope ?? []).join(RECORD)]);
    case 'subject':
      return holds(query, [message.subject]);
    case 'message-id':
      return holds(query, [message.messageId]);
    case 'filename':
      return holds(query, [(message.fileNames ?? []).join(RECORD)]);
    case 'tag':
      return message.tags.some((tag) => isWhole(query, tag));
    case 'inbox':
      return message.inboxes.some((inbox) => matchesGlob(inboxGlob(query), fold(inbox)));
  }
}

/** The glob that `inbox:` stands for, folded like the names it is compared with. */
export function inboxGlob({ text, prefix }: { readonly text: string; readonly prefix: boolean }): string {
  return fold(text) + (prefix ? '*' : '');
}

function isWhole({ text, prefix }: { readonly text: string; readonly prefix: boolean }, tag: string): boolean {
  return prefix ? fold(tag).startsWith(fold(text)) : fold(tag) === fold(text);
}

function matchesState(what: State, message: Matchable): boolean {
  switch (what) {
    case 'read':
      return message.read;
    case 'unread':
      return !message.read;
    case 'pinned':
      return message.pinned;
    case 'tagged':
      return message.tags.length > 0;
    case 'verified':
      return hasResult(message.verification, 'dmarc', 'pass');
    case 'pending':
      return message.verification?.status === 'pending';
    case 'quarantined':
      return message.quarantine !== null;
  }
}

/** Control characters between what no search shall find as one. */
const UNIT = '\x1f';
const RECORD = '\x1e';

function addressText(addresses: readonly Address[]): string {
  return addresses.map(({ name, address }) => `${name}${UNIT}${address}`).join(RECORD);
}
