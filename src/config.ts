import { findConflicts } from './config/conflicts.ts';
import { checkEncryption } from './config/encryption.ts';
import { ConfigError, type ConfigProblem } from './config/error.ts';
import { type Origins, resolveListeners } from './config/listeners.ts';
import { nearest } from './config/nearest.ts';
import {
  CLIENT_VARIABLES,
  CONFIG_FILE_KEY,
  type Environment,
  OPTIONS,
  type Option,
  variableOf,
} from './config/options.ts';
import { DEFAULT, describeOrigin, flagOrigin, type Origin, PROGRAM, variableOrigin } from './config/origin.ts';
import type { Config, ConfigInput, Settings, Shorthands } from './config/settings.ts';
import { withoutPassword } from './config/smarthost-url.ts';
import { environmentSource, type Flags, fileSource, flagSource, knownWords, type Source } from './config/sources.ts';

export type { Config, ConfigInput } from './config/settings.ts';

/** A checked configuration and where each value came from. */
export interface LoadedConfig {
  readonly config: Config;
  /** Origin of every option by key, the shorthands of listeners among them. */
  readonly origins: Origins;
}

const CONFIG_VARIABLE = variableOf(CONFIG_FILE_KEY);
const NO_OPTIONS = [CONFIG_VARIABLE, ...Object.values(CLIENT_VARIABLES)];
const SHORTHANDS: readonly (keyof Shorthands)[] = ['host', 'port', 'httpPort', 'smtp', 'http'];

/**
 * Brings defaults, TOML file, environment and flags together; later wins. A list replaces an earlier list.
 * @param flags raw values by key; `config` names the TOML file, as INBOXD_CONFIG does; without both none is read
 * @throws ConfigError with everything found wrong
 */
export function loadConfig(
  flags: Flags = {},
  environment: Environment = process.env,
  folder: string = process.cwd(),
): LoadedConfig {
  const { [CONFIG_FILE_KEY]: fileFlag, ...others } = flags;
  const sources = [environmentSource(environment, NO_OPTIONS, folder), flagSource(others, folder)];
  const file = typeof fileFlag === 'string' ? fileFlag : environment[CONFIG_VARIABLE];
  if (file !== undefined && (file !== '' || file === fileFlag)) {
    const namedBy = file === fileFlag ? flagOrigin(CONFIG_FILE_KEY) : variableOrigin(CONFIG_FILE_KEY);
    sources.unshift(fileSource(file, namedBy, folder));
  }
  const settings = initialSettings(environment);
  const origins: Record<string, Origin> = Object.fromEntries(OPTIONS.map(({ key }) => [key, DEFAULT]));
  const problems = sources.flatMap((source) => take(source, settings, origins));
  const byProfile: Origin = { source: 'profile', profile: settings.profile };
  for (const key of applyProfile(settings, (one) => origins[one] === DEFAULT)) origins[key] = byProfile;
  return { config: finish(settings, origins, problems), origins: Object.freeze(origins) };
}

/**
 * Completes what a program passes to the full configuration, by the same defaults and checks.
 * Here `listen` is the whole list: no default listener is added to what it names.
 * @throws ConfigError with everything found wrong
 */
export function completeConfig(part: ConfigInput = {}, environment: Environment = process.env): Config {
  const settings = initialSettings(environment);
  const problems: ConfigProblem[] = [];
  const known = OPTIONS.filter(({ property }) => !SHORTHANDS.includes(property as keyof Shorthands)) as Option[];
  for (const [property, value] of Object.entries(part)) {
    if (value === undefined) continue;
    const option = known.find((one) => one.property === property);
    if (!option) {
      const properties = known.map((one) => one.property);
      problems.push(unknownWord(property, 'in the configuration passed', properties));
      continue;
    }
    const { kind } = option;
    const read = kind.accepts(value) ? ({ ok: true, value } as const) : kind.read(value, process.cwd());
    if (read.ok) set(settings, option, structuredClone(read.value));
    else problems.push(badValue(property, value, PROGRAM, option, read.why));
  }
  if (part.listen !== undefined) Object.assign(settings, { smtp: false, http: false });
  applyProfile(settings, (_key, property) => part[property as keyof ConfigInput] === undefined);
  return finish(settings, {}, problems);
}

function take(source: Source, settings: Settings, origins: Record<string, Origin>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const byWord = new Map(OPTIONS.map((option) => [source.wordOf(option.key), option as Option]));
  for (const [word, raw] of source.values) {
    const option = byWord.get(word);
    if (!option) {
      problems.push(unknownWord(word, source.place, knownWords(source)));
      continue;
    }
    const origin = source.originOf(option.key);
    const read = option.kind.read(raw, source.base);
    if (read.ok) set(settings, option, read.value);
    else problems.push(badValue(option.key, raw, origin, option, read.why));
    origins[option.key] = origin;
  }
  return problems;
}

function finish(settings: Settings, origins: Origins, found: readonly ConfigProblem[]): Config {
  const { listen, problems } = resolveListeners(settings, origins);
  problems.push(...findConflicts(settings));
  problems.push(...checkEncryption(settings, listen));
  const { host: _host, port: _port, httpPort: _httpPort, smtp: _smtp, http: _http, ...rest } = settings;
  // what follows from a value that could not be read would only confuse
  const [first, ...others] = found.length > 0 ? found : problems;
  if (first) throw new ConfigError([first, ...others]);
  return deepFreeze({ ...rest, listen });
}

function initialSettings(environment: Environment): Settings {
  return Object.fromEntries(
    OPTIONS.map(({ property, initial }) => [property, initial(environment)]),
  ) as unknown as Settings;
}

/** The profile `public` gives another default to what nobody has set; gives the keys of that. */
function applyProfile(settings: Settings, isDefault: (key: string, property: string) => boolean): string[] {
  if (settings.profile !== 'public') return [];
  const options = (OPTIONS as readonly Option[]).filter(
    ({ key, property, inPublic }) => inPublic !== undefined && isDefault(key, property),
  );
  for (const option of options) set(settings, option, option.inPublic);
  return options.map(({ key }) => key);
}

function set(settings: Settings, option: Option, value: unknown): void {
  Object.assign(settings, { [option.property]: value });
}

function unknownWord(word: string, place: string, known: readonly string[]): ConfigProblem {
  const guess = nearest(word, known);
  const advice = guess === undefined ? 'inboxd --help lists what there is' : `did you mean ${guess}?`;
  return { code: 'CONFIG_UNKNOWN_KEY', text: `unknown key ${quote(word)} ${place}; ${advice}` };
}

function badValue(key: string, value: unknown, origin: Origin, { kind }: Option, why: string): ConfigProblem {
  const guess = typeof value === 'string' ? nearest(value, kind.words ?? []) : undefined;
  const shown = typeof value === 'string' ? withoutPassword(value) : value;
  const quoted = kind.isSecret ? '' : `${quote(shown)} `;
  const parts = [`bad value ${quoted}for ${key} (${describeOrigin(origin)})`];
  if (why !== '') parts.push(why);
  parts.push(`allowed: ${kind.allowed}`);
  if (guess !== undefined) parts.push(`did you mean ${guess}?`);
  return { code: 'CONFIG_BAD_VALUE', text: parts.join('; ') };
}

/** A value as it was written, on one line of bounded length. */
function quote(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
