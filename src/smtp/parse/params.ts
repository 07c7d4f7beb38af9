/**
 * ESMTP parameters of MAIL and RCPT (RFC 5321 §4.1.1.11): first their grammar, then, by one table, their meaning.
 * A further extension is a further row of PARAMETERS.
 */
import { hasUnseenCharacters, isNonAscii, PATH_OCTETS, scanMailbox } from '../../mail/address.ts';
import { NO_PARAMS, type Params } from '../../mail/envelope.ts';
import { parseSize } from './bdat.ts';
import { type Fault, fault, type Parsed, parsed, trimBlanks } from './parsed.ts';
import { decodeXtext } from './xtext.ts';

/** What the session has agreed on, as far as it decides which parameters there are. */
export interface ParamContext {
  /** False after HELO: then no parameter is known (RFC 5321 §4.1.1.11). */
  readonly esmtp: boolean;
  /** EHLO keywords announced, e.g. `SIZE`, `8BITMIME`, `DSN`. */
  readonly announced: ReadonlySet<string>;
}

/** What MAIL's parameters ask of the transaction. */
export interface MailFacts {
  /** Octets that SIZE declared; undefined if it did not. */
  readonly size: number | undefined;
  readonly body: Body;
  readonly smtpUtf8: boolean;
}

export type Body = '7BIT' | '8BITMIME' | 'BINARYMIME';

const MOST_PARAMS = 16; // more than all known keywords together
const KEYWORD = /^\w[\w-]*$/; // with the underscore, which no keyword has: `__proto__` is unknown, not malformed
const VALUE = /^[!-<>-~\u0080-\uffff]+$/; // RFC 5321 §4.1.2, RFC 6531 §3.3

const MALFORMED = fault('malformed', 'Parameters must be KEYWORD or KEYWORD=value');
const DUPLICATE = fault('duplicate', 'A parameter is given twice');
const TOO_MANY = fault('too-many', 'Too many parameters');
const UNKNOWN = fault('unknown', 'Parameter not recognized or not implemented');

/**
 * Reads what follows a path: keywords in upper case, values as sent. One or more spaces part them.
 * Whether anybody knows the keywords is for `checkMailParams` and `checkRcptParams` to say.
 */
export function parseParams(rest: string): Parsed<Params> {
  const text = trimBlanks(rest);
  if (text === '') return parsed(NO_PARAMS);
  const params = new Map<string, string | true>();
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    const keyword = equals < 0 ? word : word.slice(0, equals);
    if (!KEYWORD.test(keyword)) return MALFORMED;
    const value = equals < 0 ? true : word.slice(equals + 1);
    if (value !== true && (!VALUE.test(value) || hasUnseenCharacters(value))) return MALFORMED;
    const name = keyword.toUpperCase();
    if (params.has(name)) return DUPLICATE;
    if (params.size === MOST_PARAMS) return TOO_MANY;
    params.set(name, value);
  }
  return parsed(params);
}

/** Judges one value; undefined means it is good. `context` says what is announced, `utf8` whether SMTPUTF8 is in force. */
type Check = (value: string | true, context: ParamContext, utf8: boolean) => Fault | undefined;

interface Parameter {
  readonly keyword: string;
  readonly of: 'MAIL' | 'RCPT';
  /** EHLO keyword that announces it. */
  readonly extension: string;
  readonly check: Check;
}

// biome-ignore format: one row per line
const PARAMETERS: readonly Parameter[] = [
  { keyword: 'SIZE',        of: 'MAIL', extension: 'SIZE',        check: size },           // RFC 1870 §4
  { keyword: 'BODY',        of: 'MAIL', extension: '8BITMIME',    check: body },           // RFC 6152 §2, RFC 3030 §3
  { keyword: 'SMTPUTF8',    of: 'MAIL', extension: 'SMTPUTF8',    check: noValue },        // RFC 6531 §3.4
  { keyword: 'RET',         of: 'MAIL', extension: 'DSN',         check: ret },            // RFC 3461 §4.3
  { keyword: 'ENVID',       of: 'MAIL', extension: 'DSN',         check: envid },          // RFC 3461 §4.4
  { keyword: 'AUTH',        of: 'MAIL', extension: 'AUTH',        check: auth },           // RFC 4954 §5
  { keyword: 'REQUIRETLS',  of: 'MAIL', extension: 'REQUIRETLS',  check: noValue },        // RFC 8689 §2
  { keyword: 'MT-PRIORITY', of: 'MAIL', extension: 'MT-PRIORITY', check: priority },       // RFC 6710 §4.1
  { keyword: 'NOTIFY',      of: 'RCPT', extension: 'DSN',         check: notify },         // RFC 3461 §4.1
  { keyword: 'ORCPT',       of: 'RCPT', extension: 'DSN',         check: orcpt },          // RFC 3461 §4.2, RFC 6533 §3
];

const BY_KEYWORD = new Map(PARAMETERS.map((row) => [`${row.of} ${row.keyword}`, row]));

/** Checks MAIL's parameters and gives what they ask for. */
export function checkMailParams(params: Params, context: ParamContext): Parsed<MailFacts> {
  const smtpUtf8 = params.has('SMTPUTF8');
  const wrong = checkEach('MAIL', params, context, smtpUtf8);
  if (wrong) return wrong;
  const declared = params.get('SIZE');
  const kind = params.get('BODY');
  return parsed({
    size: typeof declared === 'string' ? Number(declared) : undefined,
    body: typeof kind === 'string' ? (kind.toUpperCase() as Body) : '7BIT',
    smtpUtf8,
  });
}

/**
 * Checks RCPT's parameters.
 * @param utf8 whether MAIL had SMTPUTF8
 */
export function checkRcptParams(params: Params, context: ParamContext, utf8 = false): Parsed<Params> {
  return checkEach('RCPT', params, context, utf8) ?? parsed(params);
}

function checkEach(of: Parameter['of'], params: Params, context: ParamContext, utf8: boolean): Fault | undefined {
  for (const [keyword, value] of params) {
    const row = BY_KEYWORD.get(`${of} ${keyword}`);
    if (!row || !context.esmtp || !context.announced.has(row.extension)) return UNKNOWN;
    const wrong = row.check(value, context, utf8);
    if (wrong) return wrong;
  }
  return undefined;
}

function bad(text: string): Fault {
  return fault('value', text);
}

function noValue(value: string | true): Fault | undefined {
  return value === true ? undefined : bad('Parameter takes no value');
}

function size(value: string | true): Fault | undefined {
  const octets = parseSize(value === true ? '' : value);
  return octets.ok ? undefined : octets;
}

function body(value: string | true, context: ParamContext): Fault | undefined {
  const kind = value === true ? '' : value.toUpperCase();
  if (kind === '7BIT' || kind === '8BITMIME') return undefined;
  if (kind !== 'BINARYMIME') return bad('BODY must be 7BIT, 8BITMIME or BINARYMIME');
  return context.announced.has('BINARYMIME') ? undefined : UNKNOWN;
}

function ret(value: string | true): Fault | undefined {
  return value !== true && /^(?:full|hdrs)$/i.test(value) ? undefined : bad('RET must be FULL or HDRS');
}

const ENVID_CHARACTERS = 100; // RFC 3461 §4.4, before encoding
const ORCPT_CHARACTERS = 500; // RFC 3461 §4.2

function envid(value: string | true): Fault | undefined {
  const wrong = bad('ENVID must be xtext for at most 100 characters of printable ASCII');
  if (value === true) return wrong;
  const decoded = decodeXtext(value);
  return decoded.ok && !isNonAscii(decoded.value) && decoded.value.length <= ENVID_CHARACTERS ? undefined : wrong;
}

function auth(value: string | true, _context: ParamContext, utf8: boolean): Fault | undefined {
  const wrong = bad('AUTH must be <> or a mailbox in xtext');
  if (value === true) return wrong;
  if (value === '<>') return undefined;
  const decoded = decodeXtext(value);
  if (!decoded.ok || (isNonAscii(decoded.value) && !utf8)) return wrong;
  const mailbox = scanMailbox(decoded.value, 0, false);
  const whole = mailbox.ok && mailbox.end === decoded.value.length && decoded.value.length <= PATH_OCTETS;
  return whole ? undefined : wrong;
}

function priority(value: string | true): Fault | undefined {
  return value !== true && /^(?:0|-?[1-9])$/.test(value) ? undefined : bad('MT-PRIORITY must be -9 to 9');
}

const NOTIFY_WHEN: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'DELAY']);

function notify(value: string | true): Fault | undefined {
  const words = value === true ? [] : value.toUpperCase().split(',');
  if (words.length === 1 && words[0] === 'NEVER') return undefined;
  const known = words.length > 0 && words.every((word) => NOTIFY_WHEN.has(word));
  const once = new Set(words).size === words.length;
  return known && once ? undefined : bad('NOTIFY must be NEVER or a list of SUCCESS, FAILURE, DELAY, each once');
}

const ADDRESS_TYPE = /^[\w!#$%&'*+/=?^`{|}~-]+$/; // atom (RFC 3461 §4.2)

function orcpt(value: string | true, _context: ParamContext, utf8: boolean): Fault | undefined {
  const text = value === true ? '' : value;
  const semicolon = text.indexOf(';');
  const type = text.slice(0, Math.max(semicolon, 0));
  const address = text.slice(semicolon + 1);
  const wrong = bad('ORCPT must be a type, a semicolon and an address in xtext');
  if (!ADDRESS_TYPE.test(type) || address === '' || text.length > ORCPT_CHARACTERS) return wrong;
  if (type.toLowerCase() === 'utf-8') return isUtf8Address(address, utf8) ? undefined : wrong;
  // Postfix writes the UTF-8 of an SMTPUTF8 recipient as xtext under rfc822, which RFC 6533 §3 has no word against
  const decoded = decodeXtext(address);
  return decoded.ok && (utf8 || !isNonAscii(decoded.value)) ? undefined : wrong;
}

const EMBEDDED = /\\x\{([0-9A-F]{2,6})\}/g;

/**
 * The address of type `utf-8` (RFC 6533 §3): characters that a parameter cannot hold are written `\x{221E}`; raw UTF-8
 * is for sessions with SMTPUTF8 only. Hidden controls and invisible characters are refused, as in xtext.
 */
function isUtf8Address(text: string, utf8: boolean): boolean {
  if (isNonAscii(text) && !utf8) return false;
  let hidden = '';
  const rest = text.replace(EMBEDDED, (_all, digits: string) => {
    const code = Number.parseInt(digits, 16);
    hidden += code <= 0x10ffff ? `${String.fromCodePoint(code)} ` : '\0'; // the space keeps two surrogates apart
    return '';
  });
  return !/[\\+=]/.test(rest) && !hasUnseenCharacters(hidden);
}
