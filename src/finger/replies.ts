import { printable } from '../mail/terminal-text.ts';
import type { Reply } from '../wire/reply.ts';
import type { FingerLimits } from './limits.ts';

/** An answer of one line that refuses. */
function refusal(text: string): Reply {
  return { outcome: 'fail', bytes: Buffer.from(`${text}\r\n`) };
}

export const NOTHING_YET: Reply = { outcome: 'ok', bytes: Buffer.alloc(0) };
export const FORWARDING_DENIED = refusal('Finger forwarding service denied'); // RFC 1288 §3.2.1
export const LIST_DENIED = refusal('Finger online user list denied'); // RFC 1288 §3.2.2
export const NO_SUCH_USER = refusal('No such user');
export const BAD_QUERY = refusal('Malformed query');
export const INTERNAL_ERROR = refusal('Internal error in server');

/**
 * Lines of a source as an answer, made harmless: clients show what they get as it is (RFC 1288 §3.3).
 */
export function answer(lines: readonly string[], { lineCharacters, replyCharacters }: FingerLimits): Reply {
  let text = '';
  for (const line of lines) {
    const shown = printable(line.slice(0, lineCharacters));
    if (text.length + shown.length + 2 > replyCharacters) break;
    text += `${shown}\r\n`;
  }
  return { outcome: 'ok', bytes: Buffer.from(text, 'latin1') };
}
