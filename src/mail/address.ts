/**
 * What an address is: the mailbox grammar of RFC 5321 §4.1.2 with the UTF-8 of RFC 6531 §3.3.
 *
 * The scanners read left to right, look at each character once and never throw. Where the grammar leaves room:
 * - `c@192.0.2.1` has a domain that happens to be digits, and is accepted; `c@[192.0.2.1]` is another mailbox.
 * - Of address literals only IPv4 and `IPv6:` are known; numbers with leading zeros are refused, as they are read as
 *   octal by some. Zone indices (`%eth0`) mean nothing to another machine and are refused.
 * - Characters that no reader can see are refused wherever they stand, joiners and variation selectors included:
 *   two addresses that look alike must not be two inboxes.
 * - A local part may be longer than 64 octets; only the path around it is bounded (RFC 5321 §4.5.3.1.3).
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { domainToASCII } from 'node:url';

/** A mailbox of the envelope (RFC 5321 §4.1.2, RFC 6531 §3.3). */
export interface Path {
  /** Local part with quoting undone; case and UTF-8 kept exactly. */
  readonly local: string;
  /** Domain or address literal (with its brackets) as sent; '' for `postmaster` without domain. */
  readonly domain: string;
  /** The mailbox as it stood between the angle brackets, without source route. */
  readonly text: string;
}

/** A mailbox found in a text, and the index behind it; or what is wrong, in words for the client. */
export type ScannedMailbox = { readonly ok: true; readonly path: Path; readonly end: number } | AddressFault;

/** Why there is no mailbox; `length` means a domain over 255 octets, `syntax` everything else. */
export interface AddressFault {
  readonly ok: false;
  readonly why: 'syntax' | 'length';
  readonly text: string;
}

/** The longest domain (RFC 5321 §4.5.3.1.2). */
export const DOMAIN_OCTETS = 255;
/** The longest path with its angle brackets and source route (RFC 5321 §4.5.3.1.3). */
export const PATH_OCTETS = 256;
const LABEL_OCTETS = 63; // RFC 1035 §2.3.4

const ATOMS = /[\w!#$%&'*+/=?^`{|}~.\u0080-\uffff-]+/y; // Dot-string; its dots are looked at afterwards
const LABELS = /[\w.\u0080-\uffff-]+/y; // a superset of Domain; its labels are looked at afterwards
const PLAIN_DOMAIN = /^[a-z0-9.-]*$/;
const DOMAIN_CHARACTERS = /^[\w.\u0080-\uffff-]+$/;
const NON_ASCII = /[^\x00-\x7f]/;
const CONTROL = /[\x00-\x1f\x7f]/;
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]|(?! )\p{Zs}/u;

const BAD_LOCAL = fault('syntax', 'Local part is not a dot-string or a quoted string');
const BAD_DOTS = fault('syntax', 'Local part has a dot at its start or end, or two in a row');
const NO_AT = fault('syntax', 'Address has no @ behind its local part');
const BAD_DOMAIN = fault('syntax', 'Domain is malformed');
const BAD_LABEL = fault('syntax', 'Domain has an empty or over-long label, or one with a hyphen at its edge');
const BAD_LITERAL = fault('syntax', 'Address literal is neither [IPv4] nor [IPv6:...]');
const LONG_DOMAIN = fault('length', 'Domain is longer than 255 octets');

function fault(why: AddressFault['why'], text: string): AddressFault {
  return { ok: false, why, text };
}

/** True if a character is not of ASCII: allowed in an address only with SMTPUTF8. */
export function isNonAscii(text: string): boolean {
  return NON_ASCII.test(text);
}

/** True if a control, format, bidi or otherwise invisible character, or a lone surrogate, stands anywhere in a text. */
export function hasUnseenCharacters(text: string): boolean {
  return CONTROL.test(text) || (NON_ASCII.test(text) && UNSEEN.test(text));
}

/**
 * Reads one mailbox that starts at an index; what follows it is the caller's to judge.
 * Does not look for invisible characters above ASCII: see `hasUnseenCharacters`.
 * @param lenient accepts dots anywhere in a local part, and underscores and a trailing dot in a domain
 */
export function scanMailbox(text: string, from: number, lenient: boolean): ScannedMailbox {
  const local = text[from] === '"' ? scanQuoted(text, from) : scanAtoms(text, from, lenient);
  if (!local.ok) return local;
  if (text[local.end] !== '@') return NO_AT;
  const start = local.end + 1;
  const domain = text[start] === '[' ? scanLiteral(text, start) : scanDomain(text, start, lenient);
  if (!domain.ok) return domain;
  const path = { local: local.value, domain: text.slice(start, domain.end), text: text.slice(from, domain.end) };
  return { ok: true, path, end: domain.end };
}

type Scanned = { readonly ok: true; readonly value: string; readonly end: number } | AddressFault;

function scanAtoms(text: string, from: number, lenient: boolean): Scanned {
  ATOMS.lastIndex = from;
  const value = ATOMS.exec(text)?.[0];
  if (value === undefined) return BAD_LOCAL;
  if (!lenient && (value.startsWith('.') || value.endsWith('.') || value.includes('..'))) return BAD_DOTS;
  return { ok: true, value, end: from + value.length };
}

/** Reads a quoted string and undoes its quoting: the only place where that happens. `""` is legal and empty. */
function scanQuoted(text: string, from: number): Scanned {
  let value = '';
  for (let at = from + 1; at < text.length; at++) {
    let char = text[at]!;
    if (char === '"') return { ok: true, value, end: at + 1 };
    if (char === '\\') {
      char = text[++at] ?? '';
      if (char < ' ' || char > '~') return BAD_LOCAL; // quoted-pairSMTP is of ASCII, in RFC 6531 too
    } else if (char < ' ' || char === '\x7f') return BAD_LOCAL;
    value += char;
  }
  return BAD_LOCAL;
}

/**
 * Reads a Domain (RFC 5321 §4.1.2) with its U-labels (RFC 6531 §3.3), but no address literal.
 * @param lenient accepts underscores and a trailing dot
 */
export function scanDomain(text: string, from: number, lenient: boolean): Scanned {
  LABELS.lastIndex = from;
  const value = LABELS.exec(text)?.[0];
  if (value === undefined) return BAD_DOMAIN;
  if (isLonger(value, DOMAIN_OCTETS)) return LONG_DOMAIN;
  if (!lenient && value.includes('_')) return BAD_DOMAIN;
  const rooted = lenient && value.length > 1 && value.endsWith('.') ? value.slice(0, -1) : value;
  const ascii = isNonAscii(rooted) ? asciiDomain(rooted) : rooted;
  if (ascii === '') return BAD_DOMAIN;
  const good = areLabels(ascii) && (ascii === rooted || rooted.split('.').every(hasCleanEdges));
  return good ? { ok: true, value, end: from + value.length } : BAD_LABEL;
}

/** True if nothing but labels of a usable length, with clean edges, stands between the dots. */
function areLabels(domain: string): boolean {
  let from = 0;
  for (let end = domain.indexOf('.'); from <= domain.length; end = domain.indexOf('.', from)) {
    if (end < 0) end = domain.length;
    const isClean = end > from && domain[from] !== '-' && domain[end - 1] !== '-';
    if (!isClean || end - from > LABEL_OCTETS) return false;
    from = end + 1;
  }
  return true;
}

/** True if a text has more octets in UTF-8; a short one need not be measured. */
export function isLonger(text: string, octets: number): boolean {
  return text.length > octets || (text.length * 3 > octets && Buffer.byteLength(text) > octets);
}

/** A U-label may not hide behind its `xn--` what no label may have. */
function hasCleanEdges(label: string): boolean {
  return label !== '' && !label.startsWith('-') && !label.endsWith('-');
}

function scanLiteral(text: string, from: number): Scanned {
  const close = text.indexOf(']', from);
  if (close < 0) return BAD_LITERAL;
  const value = text.slice(from, close + 1);
  if (value.length > DOMAIN_OCTETS) return LONG_DOMAIN;
  const inner = value.slice(1, -1);
  const v6 = /^ipv6:/i.test(inner) ? inner.slice(5) : undefined;
  const known = v6 === undefined ? isIPv4(inner) : isIPv6(v6) && !v6.includes('%');
  return known ? { ok: true, value, end: close + 1 } : BAD_LITERAL;
}

/**
 * Brings a domain to the one form that names are compared in: lower-case A-labels, no trailing dot.
 * An IPv6 literal gets its shortest spelling (RFC 5952). What IDNA refuses is only lower-cased.
 */
export function normaliseDomain(domain: string): string {
  const plain = domain.endsWith('.') ? domain.slice(0, -1) : domain;
  if (PLAIN_DOMAIN.test(plain)) return plain;
  if (plain.startsWith('[')) return normaliseLiteral(plain.toLowerCase());
  if (!isNonAscii(plain)) return plain.toLowerCase();
  return asciiDomain(plain) || plain.normalize('NFC').toLowerCase().normalize('NFC');
}

function normaliseLiteral(literal: string): string {
  const address = literal.startsWith('[ipv6:') && literal.endsWith(']') ? literal.slice(6, -1) : '';
  if (!isIPv6(address) || address.includes('%')) return literal;
  return `[ipv6:${new SocketAddress({ address, family: 'ipv6' }).address}]`;
}

/** Maps a domain that is not of ASCII to A-labels (UTS 46); '' if it has none. */
function asciiDomain(domain: string): string {
  if (!DOMAIN_CHARACTERS.test(domain)) return ''; // domainToASCII would read `ü:80` or `ü/x` as parts of a URL
  // `１.２` maps to digits, which domainToASCII would go on to read as an IPv4 number; a last label that is none stops it
  const ascii = domainToASCII(`${domain}.x`).slice(0, -2);
  return ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
}

const TYPED_CHARACTERS = 1024; // nobody types more; keeps a pasted novel from being scanned

/**
 * Reads an address typed by a person: with or without angle brackets, blanks around it ignored, lenient grammar.
 * @returns undefined for anything that is not one mailbox with a domain
 */
export function parseAddress(text: string): Path | undefined {
  if (text.length > TYPED_CHARACTERS) return undefined;
  let typed = text.trim();
  if (typed.startsWith('<') && typed.endsWith('>')) typed = typed.slice(1, -1);
  if (hasUnseenCharacters(typed) || Buffer.byteLength(typed) > PATH_OCTETS) return undefined;
  const found = scanMailbox(typed, 0, true);
  return found.ok && found.end === typed.length ? found.path : undefined;
}
