import type { AuthFinding, Verification } from './verification.ts';

/*
 * The field Authentication-Results (RFC 8601). It goes in front where a message leaves the daemon, never into what is
 * stored; and what came in with our own name on it was not written by us and does not leave (§5).
 */

/**
 * Writes the field, CR LF at its end; empty if nothing is known.
 * @param hostname our own name, the authserv-id
 */
export function authenticationResults(verification: Verification | undefined | null, hostname: string): string {
  if (verification?.status !== 'done') return '';
  const { spf, dkim, dmarc, arc } = verification;
  const results: string[] = [];
  if (spf) results.push(clause('spf', spf, { [`smtp.${spf.identity}`]: spf.domain }));
  if (dkim.length === 0) results.push('dkim=none');
  for (const one of dkim) {
    results.push(clause('dkim', one, { 'header.d': one.domain, 'header.s': one.selector, 'header.a': one.algorithm }));
  }
  if (dmarc) results.push(clause('dmarc', dmarc, { 'policy.dmarc': dmarc.policy, 'header.from': dmarc.domain }));
  if (arc) results.push(clause('arc', arc, { 'header.d': arc.domain }));
  return `Authentication-Results: ${value(hostname)};\r\n\t${results.join(';\r\n\t')}\r\n`;
}

function clause(method: string, { result, reason }: AuthFinding, properties: Readonly<Record<string, string>>): string {
  const given = Object.entries(properties).filter(([, text]) => text !== '');
  return [
    `${method}=${result}`,
    ...(reason === '' ? [] : [`reason=${quoted(reason)}`]),
    ...given.map(([name, text]) => `${name}=${value(text)}`),
  ].join('\r\n\t ');
}

/** A token as it stands, anything else in quotes (RFC 2045 §5.1); printable ASCII only. */
function value(text: string): string {
  return /^[!#$%&'*+.0-9A-Z^_`a-z{|}~-]+$/.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;
}

const LF = 0x0a;
const CR = 0x0d;
/** A field that is longer is passed on as it stands, unless it claims to be a result: then nobody can say whose. */
const FIELD_BYTES = 64 * 1024;

/**
 * Takes fields Authentication-Results with our name out of a header on its way out; all else passes byte for byte.
 * @param hostname our own name
 */
export async function* withoutForgedResults(content: AsyncIterable<Buffer>, hostname: string): AsyncGenerator<Buffer> {
  const filter = new FieldFilter(hostname);
  for await (const view of content) yield* filter.pass(view);
  yield* filter.end();
}

class FieldFilter {
  readonly #hostname: string;
  #isBody = false;
  /** The field at hand, which may go on with the next line. */
  #field: Buffer[] = [];
  #fieldBytes = 0;
  /** A line whose end has not come. */
  #part: Buffer | undefined;
  /** The field at hand has grown too long to be held. */
  #overflow: 'pass' | 'drop' | undefined;

  constructor(hostname: string) {
    this.#hostname = hostname.toLowerCase();
  }

  *pass(view: Buffer): Generator<Buffer> {
    if (this.#isBody) {
      yield view;
      return;
    }
    let rest = this.#part ? Buffer.concat([this.#part, view]) : view;
    this.#part = undefined;
    for (let end = rest.indexOf(LF); end >= 0 && !this.#isBody; end = rest.indexOf(LF)) {
      yield* this.#line(rest.subarray(0, end + 1));
      rest = rest.subarray(end + 1);
    }
    if (this.#isBody) {
      if (rest.length > 0) yield rest;
    } else if (rest.length > FIELD_BYTES) yield* this.#line(rest);
    else if (rest.length > 0) this.#part = rest;
  }

  *end(): Generator<Buffer> {
    if (this.#part) yield* this.#line(this.#part);
    yield* this.#flush();
  }

  *#line(line: Buffer): Generator<Buffer> {
    const isContinuation = line[0] === 0x20 || line[0] === 0x09 || this.#isOpen;
    this.#isOpen = line.at(-1) !== LF;
    if (!isContinuation) {
      yield* this.#flush();
      if (line[0] === LF || (line[0] === CR && line[1] === LF)) {
        this.#isBody = true;
        yield line;
        return;
      }
    }
    if (this.#overflow) {
      if (this.#overflow === 'pass') yield line;
      return;
    }
    this.#field.push(line);
    this.#fieldBytes += line.length;
    if (this.#fieldBytes <= FIELD_BYTES) return;
    const isResult = RESULTS.test(this.#text.slice(0, 64));
    if (!isResult) yield* this.#field;
    this.#overflow = isResult ? 'drop' : 'pass';
    this.#field = [];
  }
  /** The last line had no end. */
  #isOpen = false;

  *#flush(): Generator<Buffer> {
    const isForged = this.#field.length > 0 && this.#isForged(this.#text);
    if (!isForged) yield* this.#field;
    this.#field = [];
    this.#fieldBytes = 0;
    this.#overflow = undefined;
  }

  get #text(): string {
    return Buffer.concat(this.#field).toString('latin1');
  }

  #isForged(field: string): boolean {
    const match = RESULTS.exec(field);
    return match !== null && authservId(field.slice(match[0].length)) === this.#hostname;
  }
}

const RESULTS = /^authentication-results[ \t]*:/i;

/** The first word of the value, comments and quotes taken off. */
function authservId(text: string): string {
  let depth = 0;
  let id = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '\\' && at + 1 < text.length) {
      at++;
      if (depth === 0) id += text[at];
    } else if (character === '(') depth++;
    else if (character === ')' && depth > 0) depth--;
    else if (depth > 0 || character === '"') continue;
    else if (/[\s;]/.test(character)) {
      if (id !== '' || character === ';') break;
    } else id += character;
  }
  return id.toLowerCase();
}
