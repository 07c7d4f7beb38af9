import { hasUnseenCharacters, isNonAscii, PATH_OCTETS } from '../../mail/address.ts';
import { fault, type Parsed, parsed, trimBlanks } from './parsed.ts';
import type { PathArg, PathPrefix } from './path.ts';

const NO_PREFIX = fault('prefix', 'No such user');
const NO_ADDRESS = fault('syntax', 'No such user');
const UNSAFE = fault('unsafe', 'No such user');

/**
 * Reads the argument of MAIL or RCPT as the origin did: the address is the first word with an `@` in it, with or without
 * angle brackets; everything around it is ignored. `<>` is acceptable as a sender. Nothing is quoted and nothing routed:
 * the domain is what follows the last `@`.
 */
export function parseMailinatorPath(prefix: PathPrefix, arg: string): Parsed<PathArg> {
  const text = trimBlanks(arg);
  if (text.slice(0, prefix.length).toUpperCase() !== prefix) return NO_PREFIX;
  const words = text.slice(prefix.length).split(' ');
  const found = words.findIndex((word) => word.includes('@'));
  if (found < 0) {
    if (prefix === 'TO:' || words.find((word) => word !== '') !== '<>') return NO_ADDRESS;
    return parsed({ path: null, rest: '', nonAscii: false });
  }
  const mailbox = betweenBrackets(words[found]!);
  if (hasUnseenCharacters(mailbox)) return UNSAFE;
  const at = mailbox.lastIndexOf('@');
  const domain = mailbox.slice(at + 1);
  if (at < 1 || domain === '' || Buffer.byteLength(mailbox) > PATH_OCTETS) return NO_ADDRESS;
  const path = { local: mailbox.slice(0, at), domain, text: mailbox };
  return parsed({ path, rest: words.slice(found + 1).join(' '), nonAscii: isNonAscii(mailbox) });
}

/** `Bob<bob@x>SIZE=1` without what stands outside the brackets; a missing bracket is not missed. */
function betweenBrackets(word: string): string {
  const open = word.lastIndexOf('<', word.indexOf('@'));
  const close = word.indexOf('>', word.indexOf('@'));
  return word.slice(open + 1, close < 0 ? word.length : close);
}
