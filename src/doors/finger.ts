import type { FingerSourceChoice } from '../config/finger-source.ts';
import { formatListenUrl, type ListenAddress } from '../config/listen-url.ts';
import type { Config } from '../config.ts';
import { StartError } from '../errors.ts';
import { FINGER_LIMITS } from '../finger/limits.ts';
import { FingerSession } from '../finger/session.ts';
import type { UserSource } from '../finger/source.ts';
import { createCommandSource } from '../finger/sources/command.ts';
import { createFileSource } from '../finger/sources/file.ts';
import { createHttpSource } from '../finger/sources/http.ts';
import { createMapSource } from '../finger/sources/map.ts';
import { createStoreSource } from '../finger/sources/store.ts';
import { finger } from '../finger/table.ts';
import type { Store } from '../mail/store.ts';
import { whyNotRunnable } from '../system/command.ts';
import { Connection } from '../wire/connection.ts';
import type { ListenerOptions } from '../wire/listener.ts';
import { type MakeDoor, machineDoor } from './door.ts';

/** finger: tells whose mail is here. */
export const fingerDoor: MakeDoor = async (address, parts) => {
  const { config, keep, report, guard, users } = parts;
  if (!users) requireFingerHere(address, formatListenUrl(address), config);
  const source = users ?? chooseSource(config.fingerSource, config, keep.store);
  const services = { source, limits: FINGER_LIMITS, list: config.fingerList, report };
  const serve: ListenerOptions['serve'] = (peer, { address: from }) =>
    new Connection(peer, finger, new FingerSession(services, from));
  const gate = guard.gate('finger', { isSilent: true }); // it has no words for that
  return machineDoor(address, parts, { gate, serve });
};

/**
 * Nobody proves to be anybody over finger: inboxes are shown to whoever asks.
 * @throws StartError FINGER_OPEN where other machines could ask without anybody having said so
 */
function requireFingerHere(address: ListenAddress, url: string, { fingerOpen, fingerSource }: Config): void {
  if (fingerOpen || fingerSource.kind !== 'store' || address.path !== undefined) return;
  if (address.host === '::1' || address.host === 'localhost' || address.host.startsWith('127.')) return;
  const text = `${url} would show other machines whose mail is here: give --finger-open if everybody may see that`;
  throw new StartError('FINGER_OPEN', text);
}

function chooseSource(choice: FingerSourceChoice, { naming }: Config, store: Store): UserSource {
  switch (choice.kind) {
    case 'store':
      return createStoreSource(store, naming);
    case 'map':
      return createMapSource(new Map(choice.users));
    case 'file':
      return createFileSource(choice.path);
    case 'http':
      return createHttpSource(choice.prefix);
    case 'command': {
      const [program = ''] = choice.command;
      const wrong = whyNotRunnable(program);
      if (wrong !== undefined) throw new StartError('FINGER_UNUSABLE', `finger-source command:${program}: ${wrong}`);
      return createCommandSource(choice.command, FINGER_LIMITS.sourceMs);
    }
  }
}
