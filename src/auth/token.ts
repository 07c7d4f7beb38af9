import { randomBytes } from 'node:crypto';

const TOKEN_ID = /^[0-9a-hjkmnp-tv-z]{10}$/;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TOKEN = /^inboxd_([0-9a-hjkmnp-tv-z]{10})_([\w-]{43})$/;

/** A token as its bearer has it, and the id that it is listed by. */
export function createToken(): { readonly id: string; readonly secret: string; readonly text: string } {
  const id = Array.from(randomBytes(10), (byte) => ALPHABET[byte & 31]).join('');
  const secret = randomBytes(32).toString('base64url');
  return { id, secret, text: `inboxd_${id}_${secret}` };
}

/** Takes a token apart; undefined if it is none of ours. */
export function parseToken(text: string): { readonly id: string; readonly secret: string } | undefined {
  const match = TOKEN.exec(text);
  return match === null ? undefined : { id: match[1]!, secret: match[2]! };
}

export function isTokenId(text: string): boolean {
  return TOKEN_ID.test(text);
}
