import type { ConfigProblem } from './error.ts';
import { innerProtocol } from './listen-url.ts';
import type { Settings } from './settings.ts';

/** Settings that make no sense together, whatever each may be worth alone. */
export function findConflicts({ auth, authRequired, authPlaintext, profile, listen }: Settings): ConfigProblem[] {
  const hasMaildrops = listen.some(({ protocol }) => innerProtocol(protocol) === 'pop3');
  const problems: string[] = [];
  if (auth.kind === 'off' && authRequired) problems.push('auth-required lets nobody in: auth is off');
  if (auth.kind === 'off' && authPlaintext && !hasMaildrops) problems.push('auth-plaintext has no effect: auth is off');
  if (auth.kind !== 'off' && profile === 'mailinator') problems.push('auth has no effect: profile is mailinator');
  return problems.map((text) => ({ code: 'CONFIG_CONFLICT', text }));
}
