import type { Query, TextField } from '../../mail/query.ts';
import { QUERY_LIMITS } from '../../mail/query-parser.ts';
import { parseBytes, parseMoment } from '../../mail/query-values.ts';
import { parseDate } from './mailpit-request.ts';

/** A search, or a text for the client that says what is wrong with it. */
export type MailpitQuery = { readonly ok: true; readonly value: Query } | Refused;
interface Refused {
  readonly ok: false;
  readonly why: string;
}

/**
 * Reads Mailpit's search language: terms at spaces outside quotes, all of which must hold; `-` or `!` negates. Texts
 * are found wherever they stand, also inside words.
 *
 * Mailpit skips what it cannot use (an empty value, a bad date), and so gives more than was asked for, which before a
 * DELETE is no small thing. Here such a term is an error that says what is wrong.
 * @param zone IANA name of the time zone of dates without one; that of the system when absent or unknown
 */
export function parseMailpitQuery(query: string, zone?: string): MailpitQuery {
  if (query.length > QUERY_LIMITS.characters)
    return refuse(`a search has at most ${QUERY_LIMITS.characters} characters`);
  const words = splitWords(query);
  if (words.length === 0) return { ok: false, why: NO_QUERY };
  if (words.length > QUERY_LIMITS.terms) return refuse(`a search has at most ${QUERY_LIMITS.terms} terms`);
  const parts: Query[] = [];
  for (const word of words) {
    const term = parseTerm(word, knownZone(zone));
    if ('ok' in term) return term;
    parts.push(term);
  }
  return { ok: true, value: parts.length === 1 ? parts[0]! : { kind: 'and', parts } };
}

export const NO_QUERY = 'Error: no search query';

const TEXT_TERMS: ReadonlySet<string> = new Set<TextField>([
  'to',
  'from',
  'cc',
  'bcc',
  'reply-to',
  'addressed',
  'subject',
  'message-id',
  'tag',
]);

type MakeTerm = (value: string, zone: string) => Query | string | undefined;

/** Terms that are no text: the query, what is wrong, or undefined for what is text after all. */
const OTHER_TERMS: ReadonlyMap<string, MakeTerm> = new Map<string, MakeTerm>([
  ['is', (value) => oneOf(value, { read: is('read'), unread: is('unread'), tagged: is('tagged') }, 'is')],
  [
    'has',
    (value) => {
      const [attachment, inline] = [
        { kind: 'has', what: 'attachment' },
        { kind: 'has', what: 'inline' },
      ] as const;
      return oneOf(value, { attachment, attachments: attachment, inline, inlines: inline }, 'has');
    },
  ],
  ['after', (value, zone) => moment(value, zone, (at) => ({ kind: 'after', at }))],
  // up to that very time, where `before` of our own is earlier than it
  ['before', (value, zone) => moment(value, zone, (at) => ({ kind: 'before', at: new Date(at.getTime() + 1) }))],
  ['larger', (value) => size(value, 'larger')],
  ['smaller', (value) => size(value, 'smaller')],
]);

/** Splits at white space outside double quotes; the quotes go, an unclosed one reaches to the end. */
function splitWords(query: string): string[] {
  const words: string[] = [];
  let word = '';
  let quoted = false;
  for (const char of query) {
    if (char === '"') quoted = !quoted;
    else if (!quoted && /\s/.test(char)) {
      words.push(word);
      word = '';
    } else word += char;
  }
  words.push(word);
  return words.map((text) => text.replace(/\s+/g, ' ').trim()).filter((text) => text !== '');
}

function parseTerm(word: string, zone: string): Query | Refused {
  const isNegated = word.length > 1 && (word.startsWith('-') || word.startsWith('!'));
  const bare = isNegated ? word.slice(1) : word;
  const part = parsePart(bare, zone);
  if (typeof part === 'string') return refuse(part);
  return isNegated ? { kind: 'not', part } : part;
}

function parsePart(word: string, zone: string): Query | string {
  const colon = word.indexOf(':');
  const name = colon > 0 ? word.slice(0, colon).toLowerCase() : '';
  const value = word.slice(colon + 1).trim();
  const make = OTHER_TERMS.get(name);
  const isText = TEXT_TERMS.has(name);
  if ((isText || make !== undefined) && value === '') return `${name}: needs a value`;
  if (isText) return { kind: 'field', field: name as TextField, text: value, prefix: false, infix: name !== 'tag' };
  return make?.(value, zone) ?? { kind: 'text', text: word.trim(), prefix: false, phrase: true, infix: true };
}

function is(what: 'read' | 'unread' | 'tagged'): Query {
  return { kind: 'is', what };
}

function oneOf(value: string, known: Readonly<Record<string, Query>>, name: string): Query | string {
  const found = Object.hasOwn(known, value.toLowerCase()) ? known[value.toLowerCase()] : undefined;
  return found ?? `${name}: can be ${Object.keys(known).join(', ')}`;
}

function moment(value: string, zone: string, make: (at: Date) => Query): Query | string {
  const parsed = parseMoment(value, zone, Date.now());
  const at = parsed.ok ? parsed.value : parseDate(value);
  return at === undefined ? `there is no such date as ${value}` : make(at);
}

/** A bad number is text, as in Mailpit. */
function size(value: string, kind: 'larger' | 'smaller'): Query | undefined {
  const parsed = parseBytes(value);
  return parsed.ok ? { kind, bytes: parsed.value } : undefined;
}

function refuse(why: string): Refused {
  return { ok: false, why: `Error: ${why}` };
}

function knownZone(zone: string | undefined): string {
  const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone === undefined || zone === '') return own;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return own; // RangeError is Intl's way of saying that it does not know the zone
  }
}
