import { parseStoredSecret, type StoredSecret } from './secret.ts';
import { isTokenId } from './token.ts';

/**
 * The file of `auth`: one entry per line, made to be read and edited by people; `#` starts a line of comment.
 *
 *     user  ann@example.org scrypt:14:8:1:...
 *     token 7h2k9x4qwd      scrypt:14:8:1:... user=ann@example.org expires=2026-11-21T10:00:00.000Z
 *
 * A user proves himself by his password, a token speaks for a user wherever a bearer token is asked for.
 */
export interface UserEntry {
  readonly kind: 'user' | 'token';
  /** The user that it is for. */
  readonly user: string;
  /** Id of the token; '' for a user. */
  readonly id: string;
  readonly secret: StoredSecret;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

export type ParsedUsersFile =
  | { readonly ok: true; readonly entries: readonly UserEntry[] }
  | { readonly ok: false; readonly line: number; readonly why: string };

/** White space would end the word in the file, and a name with control characters is refused before it is looked up. */
const USER = /^[^\s#\p{Cc}\p{Cf}][^\s\p{Cc}\p{Cf}]{0,254}$/u;

/** True for a name that a user may have. */
export function isMailUser(text: string): boolean {
  return USER.test(text) && Buffer.byteLength(text) <= 255;
}

/** A name as it is compared: one that looks the same is the same. */
export function normaliseUser(name: string): string {
  return name.normalize('NFC');
}

/** A password as it is hashed: whichever way its characters were typed (RFC 8265 §4.2.2). */
export function normalisePassword(password: string): string {
  return password.replace(/(?! )\p{Zs}/gu, ' ').normalize('NFC');
}

/** Reads the file. */
export function parseUsersFile(text: string): ParsedUsersFile {
  const entries: UserEntry[] = [];
  const names = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const entry = parseUsersLine(line);
    if (typeof entry === 'string') return { ok: false, line: index + 1, why: entry };
    const name = entry.kind === 'user' ? `user ${entry.user}` : `token ${entry.id}`;
    if (names.has(name)) return { ok: false, line: index + 1, why: `there is a ${name} above` };
    names.add(name);
    entries.push(entry);
  }
  return { ok: true, entries };
}

/** Reads one line; a string says what is wrong with it. */
function parseUsersLine(line: string): UserEntry | string {
  const [kind, name = '', hash = '', ...settings] = line.trim().split(/\s+/);
  if (kind !== 'user' && kind !== 'token') return 'a line starts with user or token';
  if (!(kind === 'user' ? isMailUser(name) : isTokenId(name))) return `this is no ${kind === 'user' ? 'name' : 'id'}`;
  const secret = parseStoredSecret(hash);
  if (secret === undefined) return 'the secret is not as "inboxd user add" writes it';
  let user = kind === 'user' ? name : '';
  let expiresAt: number | undefined;
  for (const setting of settings) {
    const equals = setting.indexOf('=');
    const value = setting.slice(equals + 1);
    if (setting.startsWith('expires=')) {
      expiresAt = Date.parse(value);
      if (Number.isNaN(expiresAt)) return 'expires is a date and time such as 2026-11-21T10:00:00Z';
    } else if (setting.startsWith('user=') && kind === 'token') {
      if (!isMailUser(value)) return 'user is the name of the user that the token is for';
      user = value;
    } else return `${JSON.stringify(setting)} is ${kind === 'user' ? 'no expires=' : 'neither user= nor expires='}`;
  }
  if (user === '') return 'user= is missing: a token is for somebody';
  const id = kind === 'token' ? name : '';
  return { kind, user: normaliseUser(user), id, secret, ...(expiresAt !== undefined && { expiresAt }) };
}

/** Writes a line that `parseUsersFile` reads. */
export function formatUsersLine(
  entry: Pick<UserEntry, 'kind' | 'user' | 'id' | 'expiresAt'> & { readonly hash: string },
): string {
  const { kind, user, id, hash, expiresAt } = entry;
  const words = kind === 'user' ? [kind, user, hash] : [kind, id, hash, `user=${user}`];
  if (expiresAt !== undefined) words.push(`expires=${new Date(expiresAt).toISOString()}`);
  return words.join(' ');
}
