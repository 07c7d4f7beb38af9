import { hashSecret } from '../auth/secret.ts';
import { createToken } from '../auth/token.ts';
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
import { appendLine, choosePassword, dropLines, readExpiry, readSecretFile, refuse } from './secret-file.ts';
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
    await appendLine(file, formatAuthLine('token', token.id, await hashSecret(token.secret), grant));
    if (options.json) printJson({ id: token.id, token: token.text, ...toJson(grant) });
    else print(token.text);
    return EXIT.OK;
  }
  if (!isUserName(user)) refuse(`${JSON.stringify(user)} is no name: no spaces, no colon, at most 64 characters`);
  if (entries.some(({ kind, name }) => kind === 'user' && name === user))
    refuse(`there is a user ${user} already; revoke it first`);
  const password = await choosePassword(options.passwordStdin === true);
  await appendLine(file, formatAuthLine('user', user, await hashSecret(password), grant));
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
  await dropLines(file, ([, name = '']) => gone.has(name));
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
  const expiresAt = readExpiry(expires);
  return {
    rights,
    ...(inbox.length > 0 && { scope: inbox.map((glob) => glob.toLowerCase()) }),
    ...(expiresAt !== undefined && { expiresAt }),
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
  const parsed = parseAuthFile((await readSecretFile(file, mayBeMissing)) ?? '');
  if (!parsed.ok) throw new HttpError('AUTH_UNUSABLE', `${file}:${parsed.line}: ${parsed.why}`);
  return parsed.entries;
}
