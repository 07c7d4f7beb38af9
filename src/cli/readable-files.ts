import { closeSync, openSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { SystemError } from '../system/errors.ts';

/** The files that a configuration names for the daemon to read, now and again when they change, by their options. */
function filesOf(config: Config): (readonly [option: string, path: string])[] {
  const { auth, httpAuth, tlsCerts, tlsKeys, sink, webhooks, webhookSecretFile } = config;
  const { responders, responderDefault, smarthostPassword } = config;
  const agents = [...responders.map(([, source]) => source), responderDefault].filter((source) =>
    source.startsWith('/'),
  );
  return [
    ...(auth.kind === 'file' ? [['auth', auth.path] as const] : []),
    ...(httpAuth === '' ? [] : [['http-auth', httpAuth] as const]),
    ...tlsCerts.map((path) => ['tls-cert', path] as const),
    ...tlsKeys.map((path) => ['tls-key', path] as const),
    ...(webhookSecretFile === '' ? [] : [['webhook-secret-file', webhookSecretFile] as const]),
    ...webhooks.flatMap(({ name, secretFile, caFile }) =>
      [secretFile, caFile].filter((path) => path !== '').map((path) => [`webhooks.${name}`, path] as const),
    ),
    ...(sink.kind === 'module' ? [['sink', sink.path] as const] : []),
    ...agents.map((path) => ['responder', path] as const),
    ...(smarthostPassword === '' ? [] : [['smarthost-password', smarthostPassword] as const]),
  ];
}

/**
 * Makes sure, with the rights that the daemon keeps, that it can read its files: root could have, and what only root can
 * read would be missing at the first reload. What is not there at all, whoever reads it says better.
 * @throws SystemError FILE_UNREADABLE that names file, user and remedy
 */
export function requireReadable(config: Config, user: string): void {
  for (const [option, path] of filesOf(config)) {
    if (refusalOf(() => closeSync(openSync(path, 'r'))) === undefined) continue;
    const folder = closedFolder(path);
    const [where, place, right] = folder === undefined ? ['', path, 'r'] : [`: ${folder} is closed to it`, folder, 'x'];
    throw new SystemError(
      'FILE_UNREADABLE',
      `user ${user} cannot read ${path} of ${option}${where}; let it with: setfacl -m u:${user}:${right} ${place} ` +
        `(or chgrp it to a group of ${user} and chmod g+${right})`,
    );
  }
}

/** The first folder on the way to a file, through links as well, that may not be passed; undefined if all may. */
function closedFolder(path: string): string | undefined {
  // it looks at one step after the other, and tells at which it failed
  const { path: at, syscall } = refusalOf(() => realpathSync(path)) ?? {};
  if (at === undefined) return undefined;
  // of a link that can be read, what it leads to is closed
  return syscall === 'stat' ? closedFolder(resolve(dirname(at), readlinkSync(at))) : dirname(at);
}

/** Why the system did not permit something; undefined if it did, or something else was wrong. */
function refusalOf(attempt: () => unknown): NodeJS.ErrnoException | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    const refusal = error as NodeJS.ErrnoException;
    return refusal.code === 'EACCES' || refusal.code === 'EPERM' ? refusal : undefined;
  }
}
