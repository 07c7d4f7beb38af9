import type { ConfigProblem } from './error.ts';
import { innerProtocol } from './listen-url.ts';
import type { Settings } from './settings.ts';
import { parseSmarthost } from './smarthost-url.ts';

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
  problems.push(...responderConflicts(settings));
  return problems.map((text) => ({ code: 'CONFIG_CONFLICT', text }));
}

/** True if mail is to be answered or forwarded. */
export function hasResponders(
  settings: Pick<Settings, 'responders' | 'responderDir' | 'responderDefault' | 'forwardTo'>,
): boolean {
  const { responders, responderDir, responderDefault, forwardTo } = settings;
  return responders.length > 0 || responderDir !== '' || responderDefault !== '' || forwardTo !== '';
}

function responderConflicts(settings: Settings): string[] {
  const { sink, data, outbox, smarthost, smarthostPassword, responderSenders, verify } = settings;
  const user = parseSmarthost(smarthost)?.user ?? '';
  const problems: string[] = [];
  if (smarthostPassword !== '' && user === '')
    problems.push('smarthost-password has no effect: smarthost names no user');
  if (smarthost !== '' && outbox !== '') problems.push('outbox has no effect: the smarthost sends');
  if (!hasResponders(settings)) return problems;
  if (sink.kind !== 'store') problems.push('mail is answered and forwarded out of the store: sink has to be store');
  if (data === ':memory:' && outbox === '' && smarthost === '') {
    problems.push('answers have nowhere to go: data is :memory:, so give outbox or smarthost');
  }
  if (responderSenders === 'verified' && verify === 'off') {
    problems.push('responder-senders verified needs verify: nobody looks who sent a mail');
  }
  return problems;
}
