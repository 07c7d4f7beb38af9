import { randomBytes } from 'node:crypto';
import { chmod, open, readFile, rename, rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { hashSecret } from '../auth/secret.ts';
import { createToken } from '../auth/token.ts';
import { ConfigError } from '../config/error.ts';
import { parseDuration } from '../config/units.ts';
import {
  type AuthEntry,
  formatAuthLine,
  isInboxGlob,
  isUserName,
  parseAuthFile,
  parseRights,
} from '../http/auth/auth-file.ts';
import { HttpError } from '../http/auth/errors.ts';
import type { Grant } from '../http/auth/grant.ts';
import { EXIT } from './exit-codes.ts';
import { complain, oneLine, print, printJson, readableTime } from './output.ts';
import { type Column, table } from './table.ts';

export interface CreateOptions {
  readonly inbox?: readonly string[];
  readonly rights?: string;
  readonly expires?: string;
  readonly user?: string;
  readonly passwordStdin?: boolean;
  readonly json?: boolean;
}

/**
 * `inboxd token create`: adds a line to the file, which is made if needed, for its owner's eyes only.
 * A line is appended, so that two commands at once both keep theirs.
 */
export async function createEntry(file: string, options: CreateOptions): Promise<number> {
  const grant = readGrant(options);
  const entries = await readEntries(file, true);
  const { user } = options;
  if (user === undefined) {
    if (options.passwordStdin) refuse('--password-stdin goes with --user');
    const token = createToken();
    await append(file, formatAuthLine('token', token.id, await hashSecret(token.secret), grant));
    if (options.json) printJson({ id: token.id, token: token.text, ...toJson(grant) });
    else print(token.text);
    return EXIT.OK;
  }
  if (!isUserName(user)) refuse(`${JSON.stringify(user)} is no name: no spaces, no colon, at most 64 characters`);
  if (entries.some(({ kind, name }) => kind === 'user' && name === user))
    refuse(`there is a user ${user} already; revoke it first`);
  const password = options.passwordStdin
    ? (await text(process.stdin)).replace(/\r?\n$/, '')
    : randomBytes(18).toString('base64url');
  if (password === '') refuse('the password is empty');
  await append(file, formatAuthLine('user', user, await hashSecret(password), grant));
  if (options.json) printJson({ user, ...(!options.passwordStdin && { password }), ...toJson(grant) });
  else if (!options.passwordStdin) print(password);
  return EXIT.OK;
}

const COLUMNS: readonly Column<AuthEntry>[] = [
  { title: 'NAME', cell: ({ name }) => oneLine(name) },
  { title: 'KIND', cell: ({ kind }) => kind },
  { title: 'RIGHTS', cell: ({ grant }) => grant.rights.join(',') },
  {
    title: 'EXPIRES',
    cell: ({ grant }) => (grant.expiresAt === undefined ? 'never' : readableTime(new Date(grant.expiresAt))),
  },
  { title: 'INBOXES', cell: ({ grant }) => oneLine(grant.scope?.join(' ') ?? 'all') },
];

/** `inboxd token list`. */
export async function listEntries(file: string, options: { readonly json?: boolean }): Promise<number> {
  const entries = await readEntries(file, false);
  if (options.json) printJson(entries.map(({ kind, name, grant }) => ({ kind, name, ...toJson(grant) })));
  else if (entries.length === 0) complain('no tokens yet');
  else print(table(COLUMNS, entries, process.stdout.columns));
  return EXIT.OK;
}

/** `inboxd token revoke`: writes the file anew without the lines of some names; comments stay. */
export async function revokeEntries(file: string, names: readonly string[]): Promise<number> {
  const entries = await readEntries(file, false);
  const missing = names.filter((name) => !entries.some((entry) => entry.name === name));
  const gone = new Set(names);
  const lines = (await readFile(file, 'utf8')).split('\n');
  const kept = lines.filter((line) => /^\s*(?:#|$)/.test(line) || !gone.has(line.trim().split(/\s+/)[1] ?? ''));
  if (kept.length < lines.length) await replace(file, kept.join('\n'));
  for (const name of missing) complain(`no token or user ${oneLine(name)}`);
  return missing.length > 0 ? EXIT.NOTHING : EXIT.OK;
}

function readGrant({ inbox = [], rights: words = 'read', expires }: CreateOptions): Omit<Grant, 'name'> {
  const rights =
    parseRights(words) ?? refuse(`bad value ${JSON.stringify(words)} for --rights; allowed: some of read,delete,admin`);
  const wrong = inbox.find((glob) => !isInboxGlob(glob));
  if (wrong !== undefined)
    refuse(
      `bad value ${JSON.stringify(wrong)} for --inbox; allowed: a name without blanks in which * stands for anything`,
    );
  if (inbox.length > 0 && rights.includes('admin'))
    refuse('the right admin is for the whole daemon and goes with no --inbox');
  const lasts = expires === undefined ? undefined : parseDuration(expires);
  if (expires !== undefined && (lasts === undefined || lasts === 0)) {
    refuse(`bad value ${JSON.stringify(expires)} for --expires; allowed: a duration such as 30m, 2h or 7d`);
  }
  return {
    rights,
    ...(inbox.length > 0 && { scope: inbox.map((glob) => glob.toLowerCase()) }),
    ...(lasts !== undefined && { expiresAt: Date.now() + lasts }),
  };
}

function toJson({ rights, scope, expiresAt }: Omit<Grant, 'name'>): object {
  return {
    rights,
    inboxes: scope ?? ['*'],
    expires: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
  };
}

async function readEntries(file: string, mayBeMissing: boolean): Promise<readonly AuthEntry[]> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if (mayBeMissing && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const parsed = parseAuthFile(content);
  if (!parsed.ok) throw new HttpError('AUTH_UNUSABLE', `${file}:${parsed.line}: ${parsed.why}`);
  return parsed.entries;
}

/** Adds a line at the end, on a line of its own even if the last one was left without an end. */
async function append(path: string, line: string): Promise<void> {
  await using file = await open(path, 'a+', 0o600);
  const { size } = await file.stat();
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
  await file.appendFile(`${size > 0 && buffer[0] !== 0x0a ? '\n' : ''}${line}\n`);
  await file.sync();
}

/** Replaces a file by a new one in a single step, so that no reader ever sees half of it. */
async function replace(path: string, content: string): Promise<void> {
  const next = `${path}.${process.pid}.new`;
  try {
    await using file = await open(next, 'wx', 0o600);
    await file.writeFile(content);
    await file.sync();
    await chmod(next, 0o600);
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}

function refuse(why: string): never {
  throw new ConfigError([{ code: 'CONFIG_BAD_VALUE', text: why }]);
}
