/**
 * The arguments of MAIL and RCPT: `FROM:<path> parameters` and `TO:<path> parameters` (RFC 5321 §4.1.1.2, §4.1.1.3).
 *
 * SMTPUTF8 stands behind the path it allows, so a MAIL handler cannot know of it before the path is read. It therefore
 * passes `utf8: true` where the extension is announced at all, reads the parameters from `rest`, and refuses when
 * `nonAscii` is true and SMTPUTF8 is not among them. A RCPT handler knows, and passes what MAIL said.
 *
 * Limits: a path has at most 256 octets with its brackets and source route, a domain 255. As a domain of more than 250
 * would leave no room for a local part, such a path is bounded by the limits of its parts instead (64 + 255).
 */
import {
  DOMAIN_OCTETS,
  hasUnseenCharacters,
  isLonger,
  isNonAscii,
  PATH_OCTETS,
  type Path,
  scanDomain,
  scanMailbox,
} from '../../mail/address.ts';
import { type Fault, fault, type Parsed, parsed, skipSpaces, trimBlanks } from './parsed.ts';

export type PathPrefix = 'FROM:' | 'TO:';

export interface PathOptions {
  /**
   * Accepts what many clients send and the grammar forbids: no angle brackets, any number of spaces around the colon,
   * dots anywhere in a local part, underscores and a trailing dot in a domain.
   */
  readonly lenient: boolean;
  /** False refuses every path that is not of ASCII (`non-ascii`). */
  readonly utf8: boolean;
}

export interface PathArg {
  /** Null for the null reverse-path `<>`, which only `FROM:` may have. */
  readonly path: Path | null;
  /** What follows the path, for `parseParams`; '' if nothing does. */
  readonly rest: string;
  /** True if the path or its source route needs SMTPUTF8 (RFC 6531 §3.3). */
  readonly nonAscii: boolean;
}

const LOCAL_OCTETS = 64; // RFC 5321 §4.5.3.1.1: what must be accepted
const ROOMY_DOMAIN_OCTETS = 250;
const POSTMASTER = /postmaster/iy;

const FAULTS = {
  'FROM:': fault('prefix', 'Syntax: MAIL FROM:<address>'),
  'TO:': fault('prefix', 'Syntax: RCPT TO:<address>'),
} as const;
const NO_BRACKETS = fault('syntax', 'Address must stand in angle brackets');
const UNCLOSED = fault('syntax', 'Address does not end with > and then a space or nothing');
const BAD_ROUTE = fault('syntax', 'Source route is malformed');
const NULL_RECIPIENT = fault('syntax', 'Null path is no recipient');
const LONG_PATH = fault('length', 'Path is longer than 256 octets');
const UNSAFE = fault('unsafe', 'Address contains control or invisible characters');
const NEEDS_UTF8 = fault('non-ascii', 'Address needs SMTPUTF8');

/** Reads the argument of MAIL or RCPT: the path, and what follows it. Source routes are checked and dropped. */
export function parsePathArg(prefix: PathPrefix, arg: string, options: PathOptions): Parsed<PathArg> {
  const text = trimBlanks(arg);
  const start = skipPrefix(prefix, text, options.lenient);
  if (start < 0) return FAULTS[prefix];
  const found = scanPath(prefix, text, start, options.lenient);
  if (!found.ok) return hasUnseenCharacters(text) ? UNSAFE : found;
  const { path, end } = found.value;
  const whole = text.slice(start, end);
  const nonAscii = isNonAscii(whole);
  if (nonAscii && !options.utf8) return NEEDS_UTF8;
  if (nonAscii && hasUnseenCharacters(whole)) return UNSAFE;
  if (path && isTooLong(whole, path)) return LONG_PATH;
  return parsed({ path, rest: text.slice(end + 1), nonAscii });
}

/** Gives the index where the path starts, or -1. One space behind the colon is what every server accepts. */
function skipPrefix(prefix: PathPrefix, text: string, lenient: boolean): number {
  const word = prefix.slice(0, -1);
  if (text.slice(0, word.length).toUpperCase() !== word) return -1;
  let at = word.length;
  if (lenient) at = skipSpaces(text, at);
  if (text[at] !== ':') return -1;
  at++;
  if (lenient) at = skipSpaces(text, at);
  else if (text[at] === ' ') at++;
  return at === text.length || text[at] === ' ' ? -1 : at;
}

type FoundPath = { readonly ok: true; readonly value: { readonly path: Path | null; readonly end: number } } | Fault;

function scanPath(prefix: PathPrefix, text: string, start: number, lenient: boolean): FoundPath {
  const bracketed = text[start] === '<';
  if (!bracketed && !lenient) return NO_BRACKETS;
  let at = bracketed ? start + 1 : start;
  if (bracketed && text[at] === '>') {
    return prefix === 'TO:' ? NULL_RECIPIENT : endPath(text, at, true, null);
  }
  const postmaster = prefix === 'TO:' ? readPostmaster(text, at) : undefined;
  if (postmaster) return endPath(text, at + postmaster.text.length, bracketed, postmaster);
  if (text[at] === '@') {
    at = skipRoute(text, at, lenient);
    if (at < 0) return BAD_ROUTE;
  }
  const mailbox = scanMailbox(text, at, lenient);
  return mailbox.ok ? endPath(text, mailbox.end, bracketed, mailbox.path) : mailbox;
}

/** Takes the closing bracket, behind which only a space or the end may stand. */
function endPath(text: string, at: number, bracketed: boolean, path: Path | null): FoundPath {
  if (bracketed && text[at] !== '>') return UNCLOSED;
  const end = bracketed ? at + 1 : at;
  if (end < text.length && text[end] !== ' ') return UNCLOSED;
  return { ok: true, value: { path, end } };
}

/** Reads `postmaster` without domain, which every server must accept as a recipient (RFC 5321 §4.5.1). */
function readPostmaster(text: string, from: number): Path | undefined {
  POSTMASTER.lastIndex = from;
  const local = POSTMASTER.exec(text)?.[0];
  const next = local === undefined ? undefined : text[from + local.length];
  if (local === undefined || (next !== undefined && next !== '>' && next !== ' ')) return undefined;
  return { local, domain: '', text: local };
}

/** Skips `@a,@b:` and gives the index behind it, or -1 (RFC 5321 §3.6.1, appendix C: accepted and ignored). */
function skipRoute(text: string, from: number, lenient: boolean): number {
  let at = from;
  while (text[at] === '@') {
    const domain = scanDomain(text, at + 1, lenient);
    if (!domain.ok) return -1;
    at = domain.end;
    if (text[at] === ':') return at + 1;
    if (text[at] !== ',') return -1;
    at++;
  }
  return -1;
}

function isTooLong(whole: string, path: Path): boolean {
  const brackets = whole.startsWith('<') ? 0 : 2; // a bare address is measured as if it had them
  if (!isLonger(whole, PATH_OCTETS - brackets)) return false;
  const domain = Buffer.byteLength(path.domain);
  const local = Buffer.byteLength(path.text) - domain - 1;
  return !(domain > ROOMY_DOMAIN_OCTETS && domain <= DOMAIN_OCTETS && local <= LOCAL_OCTETS);
}
