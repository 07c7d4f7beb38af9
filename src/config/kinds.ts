import { isIP } from 'node:net';
import { parseBlockList } from '../dns/block-list.ts';
import { parseNetwork } from '../wire/networks.ts';
import { isCommand, printCommand, readCommand } from './command.ts';
import {
  formatListenUrl,
  isHostName,
  LISTEN_PROTOCOLS,
  type ListenAddress,
  parseHost,
  parseListenUrl,
  parseServer,
} from './listen-url.ts';
import { resolvePath } from './resolve-path.ts';
import { parseSyslog } from './syslog-url.ts';
import { formatBytes, formatDuration, parseBytes, parseDuration } from './units.ts';

/** What came of reading a value; `why` adds to what the kind says is allowed, '' if there is nothing to add. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

/** A value as TOML writes it and JSON too. */
export type PlainValue = string | number | boolean | readonly string[];

/**
 * A type of option: how its value is written, checked and printed.
 * `read` takes text from a flag or variable, or what a TOML file holds; `base` is the folder that relative paths start at.
 * `accepts` says whether a program may pass the value as it is; `print` gives what `read` reads back.
 */
export interface Kind<T> {
  /** What may be written, for error messages and tables. */
  readonly allowed: string;
  /** Stands for the value in the help; '' for a switch that takes none. */
  readonly placeholder: string;
  /** Every allowed word, when there are only so many. */
  readonly words?: readonly string[];
  /** True if values may hold secrets: no message quotes them. */
  readonly isSecret?: true;
  /** True if a flag may be given many times, and a variable may hold a list. */
  readonly isList?: true;
  read(raw: unknown, base: string): Read<T>;
  accepts(value: unknown): boolean;
  print(value: T): PlainValue;
}

/** What becomes of a finished message. */
export type SinkChoice =
  | { readonly kind: 'store' | 'discard' }
  | { readonly kind: 'maildir' | 'module'; readonly path: string }
  | { readonly kind: 'pipe'; readonly command: readonly string[] };

/** Who may log in to mail sessions: nobody, anybody, or who a file names. */
export type AuthChoice = { readonly kind: 'off' | 'any' } | { readonly kind: 'file'; readonly path: string };

const BAD = Object.freeze({ ok: false, why: '' });

/** A number without fraction between two bounds. */
export function wholeNumber(least: number, most: number, note = ''): Kind<number> {
  const accepts = isWithin(least, most);
  return {
    allowed: `a whole number from ${least} to ${most}${note}`,
    placeholder: 'number',
    read(raw) {
      const value = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
      return accepts(value) ? { ok: true, value: value as number } : BAD;
    },
    accepts,
    print: (value) => value,
  };
}

/** A number of bytes. */
export function size(least: number, most: number, allowed: string): Kind<number> {
  const accepts = isWithin(least, most);
  return {
    allowed,
    placeholder: 'size',
    read(raw) {
      const value = typeof raw === 'string' ? parseBytes(raw) : raw;
      return accepts(value) ? { ok: true, value: value as number } : BAD;
    },
    accepts,
    print: formatBytes,
  };
}

/** A number of milliseconds, written with a unit. */
export function duration(least: number, most: number, allowed: string): Kind<number> {
  const accepts = isWithin(least, most);
  return {
    allowed,
    placeholder: 'duration',
    read(raw) {
      const value = typeof raw === 'string' || raw === 0 ? parseDuration(String(raw)) : undefined;
      if (accepts(value)) return { ok: true, value: value as number };
      const bare = typeof raw === 'number' || (typeof raw === 'string' && /^\d+$/.test(raw));
      return { ok: false, why: bare && value === undefined ? 'the unit is missing' : '' };
    },
    accepts,
    print: formatDuration,
  };
}

/** On or off. */
export const SWITCH: Kind<boolean> = {
  allowed: 'true, false',
  placeholder: '',
  read(raw) {
    if (typeof raw === 'boolean') return { ok: true, value: raw };
    if (raw === 'true' || raw === '1') return { ok: true, value: true };
    if (raw === 'false' || raw === '0') return { ok: true, value: false };
    return BAD;
  },
  accepts: (value) => typeof value === 'boolean',
  print: (value) => value,
};

/** One of a few words. */
export function oneOf<W extends string>(words: readonly W[]): Kind<W> {
  const accepts = (value: unknown): value is W => words.includes(value as W);
  return {
    allowed: words.join(', '),
    placeholder: words.join('|').length <= 24 ? words.join('|') : 'word',
    words,
    read: (raw) => (accepts(raw) ? { ok: true, value: raw } : BAD),
    accepts,
    print: (value) => value,
  };
}

/** Text of a form. */
export function text(form: RegExp, allowed: string, placeholder: string): Kind<string> {
  const accepts = (value: unknown): value is string => typeof value === 'string' && form.test(value);
  return {
    allowed,
    placeholder,
    read: (raw) => (accepts(raw) ? { ok: true, value: raw } : BAD),
    accepts,
    print: (value) => value,
  };
}

/** A name to be known by: no CR, LF or non-ASCII can get into a greeting (reply injection). */
export const HOST_NAME: Kind<string> = {
  allowed: 'a host name of ASCII letters, digits, hyphens and dots, at most 255 characters',
  placeholder: 'name',
  read: (raw) => (HOST_NAME.accepts(raw) ? { ok: true, value: raw as string } : BAD),
  accepts: (value) => typeof value === 'string' && isHostName(value),
  print: (value) => value,
};

/** A host to listen on. */
export const LISTEN_HOST: Kind<string> = {
  allowed: 'an IP address or host name; 0.0.0.0 or :: for every address',
  placeholder: 'host',
  read(raw) {
    const host = typeof raw === 'string' ? parseHost(raw) : undefined;
    return host === undefined ? BAD : { ok: true, value: host };
  },
  accepts: (value) => typeof value === 'string' && parseHost(value) !== undefined,
  print: (value) => value,
};

/** URLs of listeners: a flag that repeats, a TOML array, or a variable with white space or commas between. */
export const LISTEN_URLS: Kind<readonly ListenAddress[]> = {
  allowed: `URLs such as ${LISTEN_PROTOCOLS.map((name) => `${name}://host:port`).join(', ')} or smtp:///path/of.sock; ?tls=required|offered|off may follow smtp, lmtp and pop3`,
  placeholder: 'url',
  isList: true,
  read(raw) {
    const urls = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((url) => url !== '') : raw;
    if (!Array.isArray(urls) || urls.length === 0) return BAD;
    const addresses: ListenAddress[] = [];
    for (const url of urls) {
      const parsed = typeof url === 'string' ? parseListenUrl(url) : BAD;
      if (!parsed.ok) return { ok: false, why: parsed.why === '' ? '' : `${url}: ${parsed.why}` };
      addresses.push(parsed.value);
    }
    return { ok: true, value: addresses };
  },
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isListenAddress),
  print: (value) => value.map(formatListenUrl),
};

/** Where another server listens; '' for none. */
export const OPTIONAL_SERVER: Kind<string> = {
  allowed: 'host:port, or the path of a UNIX socket; empty for none',
  placeholder: 'address',
  read: (raw) => (OPTIONAL_SERVER.accepts(raw) ? { ok: true, value: raw as string } : BAD),
  accepts: (value) => value === '' || (typeof value === 'string' && parseServer(value) !== undefined),
  print: (value) => value,
};

/** Who may log in to mail sessions. */
export const AUTH: Kind<AuthChoice> = {
  allowed: 'off, any, or the path of a file of users (one called any is ./any)',
  placeholder: 'file|any|off',
  words: ['off', 'any'],
  read(raw, base) {
    if (raw === 'off' || raw === 'any') return { ok: true, value: { kind: raw } };
    return isPath(raw) ? { ok: true, value: { kind: 'file', path: resolvePath(raw, base) } } : BAD;
  },
  accepts(value) {
    const { kind, path } = (value ?? {}) as { kind?: unknown; path?: unknown };
    return kind === 'off' || kind === 'any' || (kind === 'file' && isPath(path));
  },
  print: (value) => (value.kind === 'file' ? value.path : value.kind),
};

/** IP address and port of a server; '' for none. */
export const OPTIONAL_ADDRESS: Kind<string> = {
  allowed: 'an IP address and a port, such as 127.0.0.1:53 or [::1]:53; empty for none',
  placeholder: 'address:port',
  read: (raw) => (OPTIONAL_ADDRESS.accepts(raw) ? { ok: true, value: raw as string } : BAD),
  accepts(value) {
    if (value === '') return true;
    const server = typeof value === 'string' ? parseServer(value) : undefined;
    return server !== undefined && 'host' in server && isIP(server.host) !== 0;
  },
  print: (value) => value,
};

/** A folder, or `:memory:` for none. */
export const DATA_FOLDER: Kind<string> = {
  allowed: 'a folder, or :memory: to keep nothing',
  placeholder: 'dir',
  read(raw, base) {
    if (!DATA_FOLDER.accepts(raw)) return BAD;
    return { ok: true, value: raw === ':memory:' ? raw : resolvePath(raw as string, base) };
  },
  accepts: isPath,
  print: (value) => value,
};

/** A file, or none. */
export const OPTIONAL_FILE: Kind<string> = {
  allowed: 'the path of a file',
  placeholder: 'file',
  read(raw, base) {
    if (raw === '') return { ok: true, value: '' };
    return isPath(raw) ? { ok: true, value: resolvePath(raw, base) } : BAD;
  },
  accepts: (value) => value === '' || isPath(value),
  print: (value) => value,
};

/** A folder, or none. */
export const OPTIONAL_FOLDER: Kind<string> = { ...OPTIONAL_FILE, allowed: 'the path of a folder', placeholder: 'dir' };

/** Name or number of a user or group; '' for none. */
export const ACCOUNT: Kind<string> = text(
  /^(?:[a-z_][a-z0-9_.-]{0,31}\$?|\d{1,10})?$/i,
  'a name that the system knows, or a number',
  'name',
);

/** Where syslog is; '' for none. */
export const SYSLOG: Kind<string> = {
  allowed: 'local, udp://host:port or tcp://host:port; empty for none',
  placeholder: 'where',
  read: (raw) => (SYSLOG.accepts(raw) ? { ok: true, value: raw as string } : BAD),
  accepts: (value) => value === '' || (typeof value === 'string' && parseSyslog(value) !== undefined),
  print: (value) => value,
};

/** APP-NAME of RFC 5424 §6. */
export const SYSLOG_PREFIX: Kind<string> = text(
  /^[\x21-\x7e]{1,48}$/,
  'at most 48 printable ASCII characters without space',
  'name',
);

/** Files: a flag that repeats, a TOML array, or a variable with commas between. */
export const FILES: Kind<readonly string[]> = {
  allowed: 'paths of files',
  placeholder: 'file',
  isList: true,
  read(raw, base) {
    const paths = typeof raw === 'string' ? raw.split(',').map((path) => path.trim()) : raw;
    if (!Array.isArray(paths) || !paths.every(isPath)) return BAD;
    return { ok: true, value: paths.map((path) => resolvePath(path, base)) };
  },
  accepts: (value) => Array.isArray(value) && value.every(isPath),
  print: (value) => value,
};

/** Origins of pages: a flag that repeats, a TOML array, or a variable with white space or commas between. */
export const ORIGINS: Kind<readonly string[]> = {
  allowed: 'origins such as https://app.example or http://localhost:3000',
  placeholder: 'origin',
  isList: true,
  read(raw) {
    const origins = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((origin) => origin !== '') : raw;
    if (!Array.isArray(origins)) return BAD;
    const wrong = origins.find((origin) => !isOrigin(origin));
    if (wrong !== undefined) return { ok: false, why: `${JSON.stringify(wrong)} is no origin` };
    return { ok: true, value: origins.map((origin: string) => new URL(origin).origin) };
  },
  accepts: (value) => Array.isArray(value) && value.every(isOrigin),
  print: (value) => value,
};

/** Networks: a flag that repeats, a TOML array, or a variable with white space or commas between. */
export const NETWORKS: Kind<readonly string[]> = {
  allowed: 'networks such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7; none for none',
  placeholder: 'network',
  isList: true,
  read(raw) {
    const networks = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((network) => network !== '') : raw;
    if (!Array.isArray(networks)) return BAD;
    if (networks.length === 1 && networks[0] === 'none') return { ok: true, value: [] };
    const wrong = networks.find((network) => !isNetwork(network));
    if (wrong !== undefined) return { ok: false, why: `${JSON.stringify(wrong)} is no network` };
    return { ok: true, value: networks };
  },
  accepts: (value) => Array.isArray(value) && value.every(isNetwork),
  print: (value) => (value.length === 0 ? ['none'] : value),
};

/** Names of domains: a flag that repeats, a TOML array, or a variable with white space or commas between. */
export const DOMAINS: Kind<readonly string[]> = names(isHostName, 'domains in their ASCII form', 'domain');

/** Names of mail servers, `*.` in front for any label (RFC 8461 §4.1); as DOMAINS. */
export const SERVER_NAMES: Kind<readonly string[]> = names(
  (name) => isHostName(name.replace(/^\*\./, '')),
  'host names, *. in front for any label',
  'name',
);

function names(isName: (text: string) => boolean, allowed: string, placeholder: string): Kind<readonly string[]> {
  const accepts = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.every((name) => typeof name === 'string' && isName(name));
  return {
    allowed,
    placeholder,
    isList: true,
    read(raw) {
      const list = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((name) => name !== '') : raw;
      return accepts(list) ? { ok: true, value: list.map((name) => name.toLowerCase()) } : BAD;
    },
    accepts,
    print: (value) => value,
  };
}
/** Block lists of the DNS: a flag that repeats, a TOML array, or a variable with white space or commas between. */
export const BLOCK_LISTS: Kind<readonly string[]> = {
  allowed: 'zones such as zen.example.org, with the answers that count as in zen.example.org=127.0.0.[2..4;10..11]',
  placeholder: 'zone',
  isList: true,
  read(raw) {
    const lists = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((list) => list !== '') : raw;
    if (!Array.isArray(lists)) return BAD;
    const wrong = lists.find((list) => !isBlockList(list));
    if (wrong !== undefined) return { ok: false, why: `${JSON.stringify(wrong)} is no such zone` };
    return { ok: true, value: lists };
  },
  accepts: (value) => Array.isArray(value) && value.every(isBlockList),
  print: (value) => value,
};

/** Where finished messages go. */
export const SINK: Kind<SinkChoice> = {
  allowed: 'store, discard, maildir:DIR, pipe:COMMAND, or the path of a module ending in .ts, .mts, .js or .mjs',
  placeholder: 'sink',
  words: ['store', 'discard'],
  read(raw, base) {
    if (raw === 'store' || raw === 'discard') return { ok: true, value: { kind: raw } };
    if (!isPath(raw)) return BAD;
    if (raw.startsWith('maildir:')) {
      const folder = raw.slice('maildir:'.length);
      if (folder === '') return { ok: false, why: 'the folder after maildir: is missing' };
      return { ok: true, value: { kind: 'maildir', path: resolvePath(folder, base) } };
    }
    if (raw.startsWith('pipe:')) {
      const command = readCommand(raw.slice('pipe:'.length), base);
      return typeof command === 'string' ? { ok: false, why: command } : { ok: true, value: { kind: 'pipe', command } };
    }
    return /\.m?[jt]s$/.test(raw) ? { ok: true, value: { kind: 'module', path: resolvePath(raw, base) } } : BAD;
  },
  accepts(value) {
    const { kind, path, command } = (value ?? {}) as { kind?: unknown; path?: unknown; command?: unknown };
    if (kind === 'pipe') return isCommand(command);
    return kind === 'store' || kind === 'discard' || ((kind === 'maildir' || kind === 'module') && isPath(path));
  },
  print(value) {
    if (value.kind === 'maildir') return `maildir:${value.path}`;
    if (value.kind === 'pipe') return `pipe:${printCommand(value.command)}`;
    return value.kind === 'module' ? value.path : value.kind;
  },
};

function isWithin(least: number, most: number): (value: unknown) => boolean {
  return (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

/** Scheme, host and port and nothing else. Any origin at all cannot be said: every page could then read the mail. */
function isOrigin(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\/[^/?#@*]+\/?$/i.test(value) && URL.canParse(value);
}

function isBlockList(value: unknown): boolean {
  return typeof value === 'string' && parseBlockList(value) !== undefined;
}

function isNetwork(value: unknown): boolean {
  return typeof value === 'string' && parseNetwork(value) !== undefined;
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

function isListenAddress(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const address = value as ListenAddress;
  if (address.path !== undefined && !isPath(address.path)) return false;
  return parseListenUrl(formatListenUrl({ ...address, host: String(address.host) } as ListenAddress)).ok;
}
