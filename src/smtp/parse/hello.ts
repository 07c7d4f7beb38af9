import { fault, type Parsed, parsed, skipSpaces, trimBlanks } from './parsed.ts';

const HELLO_OCTETS = 255; // RFC 5321 §4.5.3.1.2

const MISSING = fault('missing', 'Name yourself: a domain or an address literal is needed');
const UNSAFE = fault('unsafe', 'Name contains control or 8-bit characters');
const TOO_LONG = fault('length', 'Name is longer than 255 octets');

/**
 * Reads the argument of EHLO, HELO or LHLO: 1 to 255 octets of printable ASCII.
 *
 * It is recorded and never a reason to refuse mail (RFC 5321 §4.1.4), so its grammar is not held against the client:
 * underscores, single labels, trailing dots and wrong literals pass, and of `EHLO my laptop` all is recorded.
 */
export function parseHelloArg(arg: string): Parsed<string> {
  const name = trimBlanks(arg.slice(skipSpaces(arg, 0)));
  if (name === '') return MISSING;
  if (!/^[ -~]*$/.test(name)) return UNSAFE;
  return name.length > HELLO_OCTETS ? TOO_LONG : parsed(name);
}
