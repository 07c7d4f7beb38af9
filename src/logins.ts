import { anybody } from './auth/anybody.ts';
import type { Hasher } from './auth/hasher.ts';
import { createUsers } from './auth/users.ts';
import type { Config } from './config.ts';
import type { Reporter } from './mail/report.ts';
import type { Logins } from './smtp/session.ts';

/**
 * Makes what a configuration says of logins to mail sessions; undefined where there are none.
 * @param hasher computes hashes for the whole process
 * @throws UsersError
 */
export async function openLogins(config: Config, report: Reporter, hasher: Hasher): Promise<Logins | undefined> {
  const { auth, authRequired: required, authPlaintext: plaintext } = config;
  if (auth.kind === 'off') return undefined;
  const authenticator = auth.kind === 'file' ? await createUsers({ file: auth.path, report, hasher }) : anybody;
  return { authenticator, required, plaintext };
}
