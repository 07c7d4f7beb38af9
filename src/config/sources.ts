import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { ConfigError } from './error.ts';
import { type Environment, fileWordOf, flagOf, OPTIONS, variableOf } from './options.ts';
import { describeOrigin, flagOrigin, type Origin, variableOrigin } from './origin.ts';

/** Values of one source as they were written, by the word that the source has for them. */
export interface Source {
  readonly values: ReadonlyMap<string, unknown>;
  /** Folder that relative paths start at. */
  readonly base: string;
  /** The word that this source has for a key. */
  readonly wordOf: (key: string) => string;
  readonly originOf: (key: string) => Origin;
  /** Where an unknown word stood, e.g. `in file /etc/inboxd.toml`. */
  readonly place: string;
}

/** Raw values from the command line by key; undefined is not given. */
export type Flags = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

/**
 * Reads a TOML file; relative paths in it start at its own folder, so that it means the same from wherever the daemon is started.
 * @throws ConfigError CONFIG_UNREADABLE or CONFIG_SYNTAX
 */
export function fileSource(file: string, namedBy: Origin, folder: string): Source {
  const path = resolve(folder, file);
  const values = parseToml(readText(path, namedBy), path);
  const origin: Origin = { source: 'file', path };
  return { values, base: dirname(path), wordOf: fileWordOf, originOf: () => origin, place: `in file ${path}` };
}

/** Takes every `INBOXD_*` variable; an empty one counts as not set, as `${VARIABLE:-}` in a compose file leaves it. */
export function environmentSource(environment: Environment, except: readonly string[], folder: string): Source {
  const given = Object.entries(environment).filter(
    ([name, text]) => name.startsWith('INBOXD_') && !except.includes(name) && text,
  );
  return {
    values: new Map(given),
    base: folder,
    wordOf: variableOf,
    originOf: variableOrigin,
    place: 'in the environment',
  };
}

/** Takes what the command line gave. */
export function flagSource(flags: Flags, folder: string): Source {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  return {
    values: new Map(given.map(([key, value]) => [flagOf(key), value])),
    base: folder,
    wordOf: flagOf,
    originOf: (key) => flagOrigin(key, flags[key]),
    place: 'on the command line',
  };
}

/** Every word that a source may use. */
export function knownWords(source: Source): string[] {
  return OPTIONS.map(({ key }) => source.wordOf(key));
}

function readText(path: string, namedBy: Origin): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const reason = readFailure((error as NodeJS.ErrnoException).code);
    const text = `cannot read the configuration file ${path} (${describeOrigin(namedBy)}): ${reason ?? String(error)}`;
    throw new ConfigError([{ code: 'CONFIG_UNREADABLE', text }], { cause: error });
  }
}

function readFailure(code: string | undefined): string | undefined {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8';
  return undefined;
}

function parseToml(text: string, path: string): Map<string, unknown> {
  try {
    return new Map(Object.entries(parse(text)));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, column } = error;
    const reason = error.message.split('\n', 1)[0]?.replace(/^Invalid TOML document: /, '');
    const problem = {
      code: 'CONFIG_SYNTAX',
      text: `${path}:${line}:${column}: not valid TOML: ${reason}`,
      line,
      column,
    } as const;
    throw new ConfigError([problem], { cause: error });
  }
}
