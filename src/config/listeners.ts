import type { ConfigProblem } from './error.ts';
import type { ListenAddress } from './listen-url.ts';
import { DEFAULT, describeOrigin, isLater, type Origin } from './origin.ts';
import type { Settings, Shorthands } from './settings.ts';

export type Origins = Readonly<Record<string, Origin>>;

type DefaultListener = {
  readonly protocol: 'smtp' | 'http';
  readonly portKey: string;
  readonly port: keyof Shorthands & ('port' | 'httpPort');
};
const DEFAULT_LISTENERS: readonly DefaultListener[] = [
  { protocol: 'smtp', portKey: 'port', port: 'port' },
  { protocol: 'http', portKey: 'http-port', port: 'httpPort' },
];

/**
 * Works out the listeners: those that `listen` names, and the default one of SMTP and HTTP unless `listen` names that
 * protocol or its switch is off. A `listen` from a later source sets earlier shorthands aside; a shorthand from the
 * same or a later source that could have no effect is a mistake and is reported, never ignored.
 */
export function resolveListeners(
  settings: Settings,
  origins: Origins,
): { listen: ListenAddress[]; problems: ConfigProblem[] } {
  const listen: ListenAddress[] = [];
  const problems: ConfigProblem[] = [];
  const named = new Set(settings.listen.map(({ protocol }) => protocol as string));
  for (const { protocol, portKey, port } of DEFAULT_LISTENERS) {
    const wants = (key: string) => isWanted(origins, key);
    if (named.has(protocol)) {
      if (wants(portKey)) problems.push(conflict(origins, portKey, `listen names the ${protocol} listeners`));
      if (!settings[protocol] && wants(protocol))
        problems.push(conflict(origins, protocol, `listen names the ${protocol} listeners`));
    } else if (settings[protocol]) {
      listen.push({ protocol, host: settings.host, port: settings[port] });
    } else if (isSet(origins, portKey) && !isLater(originOf(origins, protocol), originOf(origins, portKey))) {
      problems.push(conflict(origins, portKey, `${protocol} is off`));
    }
  }
  if (listen.length === 0 && isWanted(origins, 'host'))
    problems.push(conflict(origins, 'host', 'no default listener is left'));
  listen.push(...settings.listen);
  if (listen.length === 0 && problems.length === 0) {
    problems.push({
      code: 'CONFIG_CONFLICT',
      text: 'nothing to listen on: smtp and http are off and listen names nothing',
    });
  }
  return { listen, problems };
}

/** True if a shorthand was given and no later `listen` sets it aside. */
function isWanted(origins: Origins, key: string): boolean {
  return isSet(origins, key) && !isLater(originOf(origins, 'listen'), originOf(origins, key));
}

function isSet(origins: Origins, key: string): boolean {
  return originOf(origins, key).source !== 'default';
}

function originOf(origins: Origins, key: string): Origin {
  return origins[key] ?? DEFAULT;
}

function conflict(origins: Origins, key: string, why: string): ConfigProblem {
  return { code: 'CONFIG_CONFLICT', text: `${key} (${describeOrigin(originOf(origins, key))}) has no effect: ${why}` };
}
