import type { ConfigProblem } from './error.ts';
import { innerProtocol } from './listen-url.ts';
import type { Settings } from './settings.ts';

/** Settings that make no sense together, whatever each may be worth alone. */
export function findConflicts(settings: Settings): ConfigProblem[] {
  const { auth, authRequired, authPlaintext, profile, listen, sink, webhooks, webhookUrls } = settings;
  const hasMaildrops = listen.some(({ protocol }) => innerProtocol(protocol) === 'pop3');
  const problems: string[] = [];
  if (auth.kind === 'off' && authRequired) problems.push('auth-required lets nobody in: auth is off');
  if (auth.kind === 'off' && authPlaintext && !hasMaildrops) problems.push('auth-plaintext has no effect: auth is off');
  if (auth.kind !== 'off' && profile === 'mailinator') problems.push('auth has no effect: profile is mailinator');
  if (sink.kind !== 'store' && webhooks.length + webhookUrls.length > 0) {
    problems.push(`webhooks need the sink store, which keeps what they are yet to be told; sink is ${sink.kind}`);
  }
  return problems.map((text) => ({ code: 'CONFIG_CONFLICT', text }));
}
