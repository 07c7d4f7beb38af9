import { UsersError } from '../auth/errors.ts';
import { hashSecret } from '../auth/secret.ts';
import { createToken } from '../auth/token.ts';
import {
  formatUsersLine,
  isMailUser,
  normalisePassword,
  normaliseUser,
  parseUsersFile,
  type UserEntry,
} from '../auth/users-file.ts';
import { EXIT } from './exit-codes.ts';
import { complain, oneLine, print, printJson, readableTime } from './output.ts';
import { appendLine, choosePassword, dropLines, readExpiry, readSecretFile, refuse } from './secret-file.ts';
import { type Column, table } from './table.ts';

export interface AddOptions {
  readonly token?: boolean;
  readonly passwordStdin?: boolean;
  readonly expires?: string;
  readonly json?: boolean;
}

/**
 * `inboxd user add`: adds a line to the file, which is made if needed, for its owner's eyes only.
 * A line is appended, so that two commands at once both keep theirs.
 */
export async function addUser(file: string, name: string, options: AddOptions): Promise<number> {
  if (!isMailUser(name)) refuse(`${JSON.stringify(name)} is no name: no blanks, no # in front, at most 255 octets`);
  const user = normaliseUser(name);
  const entries = await readEntries(file, true);
  const expiresAt = readExpiry(options.expires);
  const facts = { user, expires: expiresAt === undefined ? null : new Date(expiresAt).toISOString() };
  const lasts = expiresAt === undefined ? {} : { expiresAt };
  if (options.token) {
    if (options.passwordStdin) refuse('--password-stdin goes with no --token');
    const { id, secret, text } = createToken();
    await appendLine(file, formatUsersLine({ kind: 'token', user, id, hash: await hashSecret(secret), ...lasts }));
    if (options.json) printJson({ id, token: text, ...facts });
    else print(text);
    return EXIT.OK;
  }
  if (entries.some((entry) => entry.kind === 'user' && entry.user === user)) {
    refuse(`there is a user ${user} already; remove it first`);
  }
  const password = await choosePassword(options.passwordStdin === true);
  const hash = await hashSecret(normalisePassword(password));
  await appendLine(file, formatUsersLine({ kind: 'user', user, id: '', hash, ...lasts }));
  if (options.json) printJson({ ...facts, ...(!options.passwordStdin && { password }) });
  else if (!options.passwordStdin) print(password);
  return EXIT.OK;
}

const COLUMNS: readonly Column<UserEntry>[] = [
  { title: 'USER', cell: ({ user }) => oneLine(user) },
  { title: 'WITH', cell: ({ kind, id }) => (kind === 'user' ? 'password' : `token ${id}`) },
  {
    title: 'EXPIRES',
    cell: ({ expiresAt }) => (expiresAt === undefined ? 'never' : readableTime(new Date(expiresAt))),
  },
];

/** `inboxd user list`. */
export async function listUsers(file: string, options: { readonly json?: boolean }): Promise<number> {
  const entries = await readEntries(file, false);
  if (options.json) {
    const shown = entries.map(({ kind, user, id, expiresAt }) => ({
      user,
      with: kind === 'user' ? 'password' : 'token',
      ...(id !== '' && { id }),
      expires: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
    }));
    printJson(shown);
  } else if (entries.length === 0) complain('no users yet');
  else print(table(COLUMNS, entries, process.stdout.columns));
  return EXIT.OK;
}

/** `inboxd user remove`: users with all their tokens, or single tokens by id. */
export async function removeUsers(file: string, names: readonly string[]): Promise<number> {
  const gone = new Set(names.map(normaliseUser));
  const entries = await readEntries(file, false);
  const known = new Set(entries.flatMap(({ user, id }) => [user, id]));
  await dropLines(file, ([kind, name = '', ...settings]) => {
    if (gone.has(normaliseUser(name))) return true;
    const owner = settings.find((setting) => setting.startsWith('user='));
    return kind === 'token' && owner !== undefined && gone.has(normaliseUser(owner.slice('user='.length)));
  });
  const missing = [...gone].filter((name) => !known.has(name));
  for (const name of missing) complain(`no user or token ${oneLine(name)}`);
  return missing.length > 0 ? EXIT.NOTHING : EXIT.OK;
}

async function readEntries(file: string, mayBeMissing: boolean): Promise<readonly UserEntry[]> {
  const parsed = parseUsersFile((await readSecretFile(file, mayBeMissing)) ?? '');
  if (!parsed.ok) throw new UsersError(`${file}:${parsed.line}: ${parsed.why}`);
  return parsed.entries;
}
