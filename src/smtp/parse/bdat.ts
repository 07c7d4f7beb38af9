import { type Fault, fault, type Parsed, parsed, skipSpaces, trimBlanks } from './parsed.ts';

/** The argument of BDAT (RFC 3030 §2). */
export interface Bdat {
  /** Octets that follow the command; beyond 2^53 no longer exact, and beyond any limit by far. */
  readonly octets: number;
  readonly last: boolean;
}

/** As `Parsed`; a fault tells how many octets follow all the same, if that much could be read. */
export type ParsedBdat =
  | { readonly ok: true; readonly value: Bdat }
  | (Fault & { readonly octets: number | undefined });

const NO_SIZE = { ...fault('missing', 'Syntax: BDAT size [LAST]'), octets: undefined };
const BAD_SIZE = { ...fault('malformed', 'BDAT size must be 1 to 20 digits'), octets: undefined };

/**
 * Reads the argument of BDAT: a size of 1 to 20 digits, then perhaps LAST in any case.
 * After a fault without `octets` nobody knows where the next command starts: reply and close. With `octets`, that many
 * can be skipped first.
 */
export function parseBdatArg(arg: string): ParsedBdat {
  const text = trimBlanks(arg.slice(skipSpaces(arg, 0)));
  if (text === '') return NO_SIZE;
  const space = text.indexOf(' ');
  const size = parseSize(space < 0 ? text : text.slice(0, space));
  if (!size.ok) return BAD_SIZE;
  const word = space < 0 ? '' : text.slice(skipSpaces(text, space));
  if (word !== '' && word.toUpperCase() !== 'LAST') {
    return { ...fault('malformed', 'Only LAST may follow the size of BDAT'), octets: size.value };
  }
  return { ok: true, value: { octets: size.value, last: word !== '' } };
}

/** Reads a number of octets, as SIZE (RFC 1870 §4) and BDAT have it: 1 to 20 digits and nothing else. */
export function parseSize(text: string): Parsed<number> {
  return /^\d{1,20}$/.test(text) ? parsed(Number(text)) : fault('value', 'Size must be 1 to 20 digits');
}
