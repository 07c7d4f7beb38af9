/** xtext: how parameters carry octets that the command grammar has no room for (RFC 3461 §4). */
import { hasUnseenCharacters } from '../../mail/address.ts';
import { fault, type Parsed, parsed } from './parsed.ts';

const MALFORMED = fault('value', 'Value is not xtext');
const UNSAFE = fault('value', 'Value hides control or invisible characters');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes xtext. What it stands for must be UTF-8 without controls: a CR LF hidden in `+0D+0A` would be a line of its
 * own in every later trace, log or report. `+` wants two upper-case hexadecimal digits.
 */
export function decodeXtext(text: string): Parsed<string> {
  if (!/^[!-*,-<>-~+]*$/.test(text)) return MALFORMED;
  if (!text.includes('+')) return parsed(text);
  const octets = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let octet = text.charCodeAt(at);
    if (octet === 0x2b) {
      const high = hexDigit(text.charCodeAt(at + 1));
      const low = hexDigit(text.charCodeAt(at + 2));
      if (high < 0 || low < 0) return MALFORMED;
      octet = high * 16 + low;
      at += 2;
    }
    octets[length++] = octet;
  }
  const decoded = decodeUtf8(octets.subarray(0, length));
  if (decoded === undefined) return MALFORMED;
  return hasUnseenCharacters(decoded) ? UNSAFE : parsed(decoded);
}

/** Value of one upper-case hexadecimal digit, -1 for anything else (NaN too). */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x41 && code <= 0x46 ? code - 0x37 : -1;
}

function decodeUtf8(octets: Uint8Array): string | undefined {
  try {
    return utf8.decode(octets);
  } catch {
    return undefined; // the platform's only way to say "not UTF-8"
  }
}
