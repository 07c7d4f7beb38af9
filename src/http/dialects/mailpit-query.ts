import type { Term } from '../../mail/store.ts';

/** A search, or a text for the client that says what is wrong with it. */
export type Query = { readonly ok: true; readonly terms: readonly Term[] } | Refused;
interface Refused {
  readonly ok: false;
  readonly why: string;
}

/**
 * Reads Mailpit's search language: terms at spaces outside quotes, all of which must hold; `-` or `!` negates.
 *
 * Mailpit skips what it cannot use (an empty value, a bad date), and so gives more than was asked for, which before a
 * DELETE is no small thing. Here such a term is an error that says what is wrong.
 */
export function parseMailpitQuery(query: string): Query {
  const terms: Term[] = [];
  for (const word of splitWords(query)) {
    const term = parseTerm(word);
    if ('ok' in term) return term;
    terms.push(term);
  }
  return terms.length > 0 ? { ok: true, terms } : { ok: false, why: NO_QUERY };
}

export const NO_QUERY = 'Error: no search query';

const FIELDS: ReadonlyMap<string, Term['field']> = new Map([
  ['to', 'to'],
  ['from', 'from'],
  ['cc', 'cc'],
  ['bcc', 'bcc'],
  ['reply-to', 'reply-to'],
  ['addressed', 'addressed'],
  ['subject', 'subject'],
  ['message-id', 'message-id'],
  ['is', 'is'],
]);
/** Terms of Mailpit's that we cannot answer: better refused than taken for text. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['tag', 'has', 'after', 'before', 'larger', 'smaller']);

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

function parseTerm(word: string): Term | Refused {
  const negated = word.length > 1 && (word.startsWith('-') || word.startsWith('!'));
  const bare = negated ? word.slice(1) : word;
  const colon = bare.indexOf(':');
  const prefix = colon > 0 ? bare.slice(0, colon).toLowerCase() : '';
  if (UNSUPPORTED.has(prefix)) return { ok: false, why: `Error: ${prefix}: is not supported in searches` };
  const field = FIELDS.get(prefix);
  if (field === undefined) return { field: 'any', text: bare.trim(), negated };
  const text = bare.slice(colon + 1).trim();
  if (text === '') return { ok: false, why: `Error: ${prefix}: needs a value` };
  if (field !== 'is') return { field, text, negated };
  const state = text.toLowerCase();
  if (state === 'read' || state === 'unread') return { field, text: state, negated };
  return { ok: false, why: 'Error: is: can be is:read or is:unread' };
}
