import { isCommand, printCommand, readCommand } from './command.ts';
import type { Kind } from './kinds.ts';
import { resolvePath } from './resolve-path.ts';

/** Who knows the users that finger is asked about. */
export type FingerSourceChoice =
  | { readonly kind: 'store' }
  | { readonly kind: 'map'; readonly users: readonly (readonly [name: string, text: string])[] }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'command'; readonly command: readonly string[] }
  | { readonly kind: 'http'; readonly prefix: string };

export const FINGER_SOURCE: Kind<FingerSourceChoice> = {
  allowed:
    'store, map:NAME=TEXT;NAME=TEXT, file:PATH, command:COMMAND, or an http or https URL that names are put behind',
  placeholder: 'source',
  words: ['store'],
  read(raw, base) {
    if (typeof raw !== 'string') return { ok: false, why: '' };
    const value = readSource(raw, base);
    return typeof value === 'string' ? { ok: false, why: value } : { ok: true, value };
  },
  accepts(value) {
    const { kind, users, path, command, prefix } = (value ?? {}) as Record<string, unknown>;
    if (kind === 'map') return Array.isArray(users) && users.every(isEntry);
    if (kind === 'file') return typeof path === 'string' && path !== '' && !path.includes('\0');
    if (kind === 'command') return isCommand(command);
    if (kind === 'http') return typeof prefix === 'string' && isPrefix(prefix);
    return kind === 'store';
  },
  print(value) {
    if (value.kind === 'map') return `map:${value.users.map((entry) => entry.join('=')).join(';')}`;
    if (value.kind === 'file') return `file:${value.path}`;
    if (value.kind === 'command') return `command:${printCommand(value.command)}`;
    return value.kind === 'http' ? value.prefix : value.kind;
  },
};

function readSource(raw: string, base: string): FingerSourceChoice | string {
  if (raw === 'store') return { kind: 'store' };
  if (isPrefix(raw)) return { kind: 'http', prefix: raw };
  const rest = raw.slice(raw.indexOf(':') + 1);
  if (raw.startsWith('file:')) {
    return rest === '' ? 'the path after file: is missing' : { kind: 'file', path: resolvePath(rest, base) };
  }
  if (raw.startsWith('command:')) {
    const command = readCommand(rest, base);
    return typeof command === 'string' ? command : { kind: 'command', command };
  }
  if (!raw.startsWith('map:')) return '';
  const users = rest.split(';').map((entry) => /^([^=]+)=(.*)$/s.exec(entry.trim()));
  const wrong = users.indexOf(null);
  if (wrong >= 0) return `${JSON.stringify(rest.split(';')[wrong])} is not NAME=TEXT`;
  return { kind: 'map', users: users.map((match) => [match![1]!, match![2]!] as const) };
}

function isEntry(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === 'string') && value[0] !== ''
  );
}

/** What a name can be put behind: no query and no fragment, which would swallow it. */
function isPrefix(text: string): boolean {
  return /^https?:\/\/[^?#@\s]+$/i.test(text) && URL.canParse(text);
}
