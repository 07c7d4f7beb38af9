import { fileWordOf, OPTIONS, type Option } from '../config/options.ts';
import { DEFAULT, describeOrigin } from '../config/origin.ts';
import type { Config } from '../config/settings.ts';
import type { LoadedConfig } from '../config.ts';
import { EXIT } from './exit-codes.ts';
import { oneLine, print, printJson } from './output.ts';
import { displayWidth } from './table.ts';

interface Line {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

const SHORTHANDS = ['host', 'port', 'http-port', 'smtp', 'http'];
const DEFAULT_PROTOCOLS = ['smtp', 'http'] as const;

/**
 * `inboxd config`: the effective configuration and where each value came from.
 * What it prints is a TOML file that gives the same configuration: the shorthands have become the listeners they stand for.
 */
export function showConfig(loaded: LoadedConfig, options: { json?: boolean }): number {
  const lines = configLines(loaded);
  if (options.json) printJson(Object.fromEntries(lines.map(({ key, value, origin }) => [key, { value, origin }])));
  else print(asToml(lines));
  return EXIT.OK;
}

function configLines({ config, origins }: LoadedConfig): Line[] {
  const lines: Line[] = [];
  for (const option of OPTIONS as readonly Option[]) {
    const { key, kind, property } = option;
    if (SHORTHANDS.includes(key)) continue;
    const value = kind.print(config[property as keyof Config] as never);
    lines.push({
      key: fileWordOf(key),
      value,
      origin: key === 'listen' ? listenOrigin(origins) : describeOrigin(origins[key] ?? DEFAULT),
    });
  }
  for (const protocol of DEFAULT_PROTOCOLS) {
    if (config.listen.some((address) => address.protocol === protocol)) continue;
    lines.push({ key: protocol, value: false, origin: describeOrigin(origins[protocol] ?? DEFAULT) });
  }
  return lines;
}

/** The listeners may come of several options. */
function listenOrigin(origins: LoadedConfig['origins']): string {
  const shaping = SHORTHANDS.map((key) => ({ key, origin: origins[key] ?? DEFAULT })).filter(
    ({ origin }) => origin.source !== 'default',
  );
  const parts = shaping.map(({ key, origin }) => `${key} from ${describeOrigin(origin)}`);
  return [describeOrigin(origins.listen ?? DEFAULT), ...parts].join(', ');
}

function asToml(lines: readonly Line[]): string {
  const keyWidth = Math.max(...lines.map(({ key }) => key.length));
  const values = lines.map(
    ({ key, value }) => `${key.padEnd(keyWidth)} = ${JSON.stringify(value).replaceAll('","', '", "')}`,
  );
  const width = Math.max(...values.map(displayWidth));
  return lines
    .map(
      ({ origin }, index) =>
        `${values[index]}${' '.repeat(width - displayWidth(values[index]!))}  # ${oneLine(origin)}`,
    )
    .join('\n');
}
