/**
 * What is wrong with an argument. The reply is the handler's choice; those of RFC 5321 and RFC 6531 stand beside each.
 */
export type Why =
  | 'missing' // no argument where one is needed: 501 5.5.4
  | 'prefix' // no `FROM:` or `TO:`, or nothing behind it: 501 5.5.4
  | 'syntax' // not a path: 501 5.1.7 for a sender, 501 5.1.3 for a recipient
  | 'length' // too long: as `syntax` for a path, 501 5.5.4 for EHLO
  | 'unsafe' // control, invisible or bidi characters: as `syntax` for a path, 501 5.5.2 for EHLO
  | 'non-ascii' // needs SMTPUTF8: MAIL 550 5.6.7, RCPT 553 5.6.7
  | 'malformed' // not keyword=value, or not a size: 501 5.5.4
  | 'duplicate' // a keyword given twice: 501 5.5.4
  | 'too-many' // more parameters than any client needs: 501 5.5.4
  | 'value' // a known keyword with a value it cannot have: 501 5.5.4
  | 'unknown'; // a keyword that nothing announced: 555 5.5.4

export interface Fault {
  readonly ok: false;
  readonly why: Why;
  /** One line of printable ASCII for the client; never holds what the client sent. */
  readonly text: string;
}

/** What a parser gives: the value, or why there is none. Parsers never throw. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | Fault;

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function fault(why: Why, text: string): Fault {
  return { ok: false, why, text };
}

/**
 * Drops spaces and tabs at the end, which a server is to tolerate (RFC 5321 §4.1.1).
 * Not `trimEnd`, which would hide a NO-BREAK SPACE; not a regular expression, which would try at every blank.
 */
export function trimBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  return end === text.length ? text : text.slice(0, end);
}

/** Gives the index of the first character at or behind `from` that is no space. */
export function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ') at++;
  return at;
}
