import type { Query, TextField } from './query.ts';
import { parseBytes, parseMoment } from './query-values.ts';
import { AUTH_METHODS, AUTH_RESULTS, type AuthMethod } from './verification.ts';

export type QueryParsed =
  | { readonly ok: true; readonly value: Query }
  /** `at`: column, counted from 0 in UTF-16 units; `why`: a sentence for people. */
  | { readonly ok: false; readonly at: number; readonly why: string };

/**
 * What `is:` knows. `verified`: DMARC passed, so that the domain of From is proven. `pending`: who sent it is being found
 * out. `quarantined`: a filter wants it kept from its readers' eyes, and nobody has released it.
 */
export const STATES = ['read', 'unread', 'pinned', 'tagged', 'verified', 'pending', 'quarantined'] as const;

/** Bounds of a search; what is longer or deeper is refused. */
export const QUERY_LIMITS = Object.freeze({ characters: 4096, depth: 32, terms: 200 });

/**
 * Reads a search:
 *
 *     either  = all { OR all }
 *     all     = term { [AND] term }
 *     term    = - term | ( either ) | [field:] value
 *     value   = word[*] | "phrase"[*]
 *
 * Fields are those of `FIELDS` below. Inside quotes a backslash makes `"` and `\` plain. A word with `://` in it is a
 * word and not a field. An empty text means everything.
 * @param zone IANA name of the time zone of dates without one; UTC when absent
 * @param now what relative times such as `7d` count from
 */
export function parseQuery(text: string, zone = 'UTC', now: number = Date.now()): QueryParsed {
  if (text.length > QUERY_LIMITS.characters) {
    return {
      ok: false,
      at: QUERY_LIMITS.characters,
      why: `A search has at most ${QUERY_LIMITS.characters} characters`,
    };
  }
  const parser = new Parser(text, zone, now);
  try {
    return { ok: true, value: parser.whole() };
  } catch (error) {
    if (error instanceof Complaint) return { ok: false, at: error.at, why: error.message };
    throw error;
  }
}

/** Leaves the recursion; never seen outside. */
class Complaint extends Error {
  readonly at: number;

  constructor(at: number, why: string) {
    super(why);
    this.at = at;
  }
}

interface Value {
  readonly text: string;
  readonly at: number;
  readonly isQuoted: boolean;
  readonly isPrefix: boolean;
}

type MakeTerm = (value: Value, context: { readonly zone: string; readonly now: number }) => Query;

class Parser {
  readonly #text: string;
  readonly #context: { readonly zone: string; readonly now: number };
  #at = 0;
  #depth = 0;
  #terms = 0;

  constructor(text: string, zone: string, now: number) {
    this.#text = text;
    this.#context = { zone, now };
  }

  whole(): Query {
    this.#skipSpace();
    if (this.#isAtEnd) return { kind: 'all' };
    const query = this.#either();
    if (!this.#isAtEnd) throw new Complaint(this.#at, 'There is no ( for this )');
    return query;
  }

  #either(): Query {
    const parts = [this.#all()];
    while (this.#takeKeyword('OR')) parts.push(this.#all());
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts };
  }

  #all(): Query {
    const parts = [this.#term()];
    for (;;) {
      if (this.#isAtEnd || this.#text[this.#at] === ')' || this.#isKeyword('OR')) break;
      this.#takeKeyword('AND');
      parts.push(this.#term());
    }
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts };
  }

  #term(): Query {
    this.#skipSpace();
    const at = this.#at;
    if (this.#isAtEnd) throw new Complaint(at, 'Something to search for is missing at the end');
    if (this.#text[at] === ')') throw new Complaint(at, 'Something to search for is missing before this )');
    if (this.#isKeyword('OR') || this.#isKeyword('AND')) {
      throw new Complaint(
        at,
        'Something to search for is missing before this; to find the word itself, put it in quotes',
      );
    }
    if (++this.#terms > QUERY_LIMITS.terms) throw new Complaint(at, `A search has at most ${QUERY_LIMITS.terms} terms`);
    if (++this.#depth > QUERY_LIMITS.depth)
      throw new Complaint(at, `A search is at most ${QUERY_LIMITS.depth} levels deep`);
    const query =
      this.#text[at] === '-' ? this.#negation() : this.#text[at] === '(' ? this.#group() : this.#fieldOrText();
    this.#depth--;
    this.#skipSpace();
    return query;
  }

  #negation(): Query {
    const at = this.#at++;
    if (this.#isAtEnd || /\s/.test(this.#text[this.#at]!)) {
      throw new Complaint(at, 'A - stands right before what must not be; to find the sign itself, put it in quotes');
    }
    return { kind: 'not', part: this.#term() };
  }

  #group(): Query {
    const at = this.#at++;
    const query = this.#either();
    if (this.#text[this.#at] !== ')') throw new Complaint(at, 'There is no ) for this (');
    this.#at++;
    return query;
  }

  #fieldOrText(): Query {
    const at = this.#at;
    const name = /^([A-Za-z][A-Za-z-]*):(?!\/\/)/.exec(this.#text.slice(at, at + 64))?.[1];
    if (name !== undefined) {
      const make = FIELDS.get(name.toLowerCase());
      if (make === undefined) {
        throw new Complaint(
          at,
          `There is no field ${name}:, only ${[...FIELDS.keys()].join(', ')}; to find it as text, put it in quotes`,
        );
      }
      this.#at += name.length + 1;
      const value = this.#value();
      if (value.text === '') throw new Complaint(value.at, `${name}: needs a value right behind it`);
      return make(value, this.#context);
    }
    const { text, isPrefix, isQuoted } = this.#value();
    if (text === '') throw new Complaint(at, 'Something to search for is missing in these quotes');
    return { kind: 'text', text, prefix: isPrefix, phrase: isQuoted };
  }

  /** Reads a word or a phrase, with the star behind it; an empty one if neither is there. */
  #value(): Value {
    const at = this.#at;
    const isQuoted = this.#text[at] === '"';
    let text = isQuoted ? this.#quoted() : this.#word();
    // header:Name="a value": the quotes begin inside the word
    if (!isQuoted && text.endsWith('=') && this.#text[this.#at] === '"') text += this.#quoted();
    let isPrefix = false;
    if (isQuoted && this.#text[this.#at] === '*') {
      this.#at++;
      isPrefix = true;
    } else if (!isQuoted && text.length > 1 && text.endsWith('*')) {
      text = text.slice(0, -1);
      isPrefix = true;
    }
    return { text: isQuoted ? text.trim() : text, at, isQuoted, isPrefix };
  }

  #word(): string {
    const found = /^[^\s"()]*/.exec(this.#text.slice(this.#at))![0];
    this.#at += found.length;
    return found;
  }

  #quoted(): string {
    const from = this.#at;
    let text = '';
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at]!;
      const next = this.#text[this.#at + 1];
      if (char === '\\' && (next === '"' || next === '\\')) {
        text += next;
        this.#at++;
      } else if (char === '"') {
        this.#at++;
        return text;
      } else text += char;
    }
    throw new Complaint(from, 'These quotes are never closed');
  }

  #isKeyword(word: 'OR' | 'AND'): boolean {
    const end = this.#at + word.length;
    return this.#text.startsWith(word, this.#at) && (end === this.#text.length || /[\s()]/.test(this.#text[end]!));
  }

  #takeKeyword(word: 'OR' | 'AND'): boolean {
    if (!this.#isKeyword(word)) return false;
    this.#at += word.length;
    this.#skipSpace();
    return true;
  }

  #skipSpace(): void {
    while (!this.#isAtEnd && /\s/.test(this.#text[this.#at]!)) this.#at++;
  }

  get #isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }
}

const textField =
  (field: TextField): MakeTerm =>
  ({ text, isPrefix }) => ({ kind: 'field', field, text, prefix: isPrefix });

function oneOf<W extends string>(name: string, words: readonly W[], make: (what: W) => Query): MakeTerm {
  return ({ text, at }) => {
    const what = words.find((word) => word === text.toLowerCase());
    if (what === undefined) throw new Complaint(at, `${name}: is one of ${words.join(', ')}`);
    return make(what);
  };
}

const moment =
  (kind: 'before' | 'after'): MakeTerm =>
  ({ text, at }, { zone, now }) => {
    const parsed = parseMoment(text, zone, now);
    if (!parsed.ok) throw new Complaint(at, parsed.why);
    return { kind, at: parsed.value };
  };

const size =
  (kind: 'larger' | 'smaller'): MakeTerm =>
  ({ text, at }) => {
    const parsed = parseBytes(text);
    if (!parsed.ok) throw new Complaint(at, parsed.why);
    return { kind, bytes: parsed.value };
  };

const result = (method: AuthMethod): MakeTerm =>
  oneOf(method, AUTH_RESULTS, (result) => ({ kind: 'result', method, result }));

const header: MakeTerm = ({ text: value, at }) => {
  const [, name = '', text = ''] = /^([^=]*)=?(.*)$/s.exec(value)!;
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) throw new Complaint(at, 'header: wants Name=value, or a Name alone');
  return { kind: 'header', name, text };
};

/** What may stand before a colon. */
const FIELDS: ReadonlyMap<string, MakeTerm> = new Map<string, MakeTerm>([
  ['from', textField('from')],
  ['to', textField('to')],
  ['cc', textField('cc')],
  ['bcc', textField('bcc')],
  ['reply-to', textField('reply-to')],
  ['addressed', textField('addressed')],
  ['subject', textField('subject')],
  ['message-id', textField('message-id')],
  ['filename', textField('filename')],
  ['tag', textField('tag')],
  ['inbox', textField('inbox')],
  ['header', header],
  ['is', oneOf('is', STATES, (what) => ({ kind: 'is', what }))],
  ...AUTH_METHODS.map((method) => [method, result(method)] as const),
  ['has', oneOf('has', ['attachment', 'inline'] as const, (what) => ({ kind: 'has', what }))],
  ['before', moment('before')],
  ['after', moment('after')],
  ['larger', size('larger')],
  ['smaller', size('smaller')],
]);
