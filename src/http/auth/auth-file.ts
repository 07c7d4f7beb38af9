import { parseStoredSecret, type StoredSecret } from '../../auth/secret.ts';
import { isTokenId } from '../../auth/token.ts';
import { type Grant, RIGHTS, type Right } from './grant.ts';

/**
 * The file of `http-auth`: one entry per line, made to be read and edited by people; `#` starts a line of comment.
 *
 *     token 7h2k9x4qwd scrypt:14:8:1:... rights=read,delete inbox=ci-42-*@* expires=2026-11-21T10:00:00.000Z
 *     user  ann        scrypt:14:8:1:... rights=admin
 *
 * `inbox=` may stand many times; without one the entry sees every inbox.
 */
export interface AuthEntry {
  readonly kind: 'token' | 'user';
  /** The token's id, or the name of the user. */
  readonly name: string;
  readonly secret: StoredSecret;
  readonly grant: Grant;
}

export type ParsedAuthFile =
  | { readonly ok: true; readonly entries: readonly AuthEntry[] }
  | { readonly ok: false; readonly line: number; readonly why: string };

const MOST_SCOPES = 100;
/** Space would end the word in the file, and no inbox has control characters. */
const GLOB = /^[^\s\u0000-\u001f\u007f-\u009f]{1,320}$/;
const USER = /^[^\s:#\u0000-\u001f\u007f-\u009f]{1,64}$/;

/** Reads the file. */
export function parseAuthFile(text: string): ParsedAuthFile {
  const entries: AuthEntry[] = [];
  const names = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const entry = parseAuthLine(line);
    if (typeof entry === 'string') return { ok: false, line: index + 1, why: entry };
    const name = `${entry.kind} ${entry.name}`;
    if (names.has(name)) return { ok: false, line: index + 1, why: `there is a ${name} above` };
    names.add(name);
    entries.push(entry);
  }
  return { ok: true, entries };
}

/** Reads one line; a string says what is wrong with it. */
function parseAuthLine(line: string): AuthEntry | string {
  const [kind, name = '', hash = '', ...settings] = line.trim().split(/\s+/);
  if (kind !== 'token' && kind !== 'user') return 'a line starts with token or user';
  if (!(kind === 'token' ? isTokenId(name) : USER.test(name))) return `this is no ${kind === 'token' ? 'id' : 'name'}`;
  const secret = parseStoredSecret(hash);
  if (secret === undefined) return 'the secret is not as "inboxd token create" writes it';
  let rights: readonly Right[] | undefined;
  let expiresAt: number | undefined;
  const scope: string[] = [];
  for (const setting of settings) {
    const [key, value] = splitSetting(setting);
    if (key === 'rights') {
      rights = parseRights(value);
      if (rights === undefined) return `rights are some of ${RIGHTS.join(',')}`;
    } else if (key === 'expires') {
      expiresAt = Date.parse(value);
      if (Number.isNaN(expiresAt)) return 'expires is a date and time such as 2026-11-21T10:00:00Z';
    } else if (key === 'inbox') {
      if (!GLOB.test(value) || scope.length >= MOST_SCOPES) return 'inbox is a name in which * stands for anything';
      scope.push(value.toLowerCase());
    } else return `${JSON.stringify(key)} is none of rights, inbox, expires`;
  }
  if (rights === undefined) return 'rights are missing';
  if (scope.length > 0 && rights.includes('admin')) return 'admin is for the whole daemon and goes with no inbox';
  const grant: Grant = {
    name,
    rights,
    ...(scope.length > 0 && { scope }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
  return { kind, name, secret, grant };
}

/** Writes a line that `parseAuthFile` reads. */
export function formatAuthLine(kind: 'token' | 'user', name: string, hash: string, grant: Omit<Grant, 'name'>): string {
  const words: string[] = [kind, name, hash, `rights=${grant.rights.join(',')}`];
  for (const glob of grant.scope ?? []) words.push(`inbox=${glob}`);
  if (grant.expiresAt !== undefined) words.push(`expires=${new Date(grant.expiresAt).toISOString()}`);
  return words.join(' ');
}

export function isUserName(text: string): boolean {
  return USER.test(text);
}

export function isInboxGlob(text: string): boolean {
  return GLOB.test(text);
}

/** Reads rights with commas between; undefined if one of them is none, or there are none. */
export function parseRights(text: string): readonly Right[] | undefined {
  const words = [...new Set(text.split(',').map((word) => word.trim()))];
  return words.every((word) => (RIGHTS as readonly string[]).includes(word)) ? (words as Right[]) : undefined;
}

function splitSetting(setting: string): [string, string] {
  const equals = setting.indexOf('=');
  return equals < 0 ? [setting, ''] : [setting.slice(0, equals), setting.slice(equals + 1)];
}
