/** The most of one client-supplied text that a log line holds. */
export const VISIBLE_CHARACTERS = 256;

/**
 * What can break a line, move a cursor or turn text around: control characters (ESC, CR, LF, C1), format characters
 * (bidi overrides, zero-width ones), line separators, lone surrogates.
 * The two joiners stay: emoji and several scripts need them, and they move nothing.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const PLAIN = /^[\x20-\x7e]*$/;

/**
 * Makes text of a client safe to print: everything unsafe becomes a visible escape such as `\x1b` or `\u202e`.
 * @param limit most characters of the result; what was cut is marked by an ellipsis
 */
export function visible(text: string, limit: number = VISIBLE_CHARACTERS): string {
  if (text.length <= limit && PLAIN.test(text)) return text;
  // cut before escaping as well: a client may send megabytes, and each step costs by length
  const escaped = text.slice(0, limit + 1).replace(UNSAFE, escapeOf);
  return escaped.length <= limit ? escaped : `${escaped.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function escapeOf(character: string): string {
  const point = character.codePointAt(0)!;
  if (point <= 0xff) return `\\x${point.toString(16).padStart(2, '0')}`;
  return point <= 0xffff ? `\\u${point.toString(16).padStart(4, '0')}` : `\\u{${point.toString(16)}}`;
}
