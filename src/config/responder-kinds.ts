import type { Kind, Read } from './kinds.ts';
import { isHostName } from './listen-url.ts';
import { resolvePath } from './resolve-path.ts';
import { parseSmarthost, withoutPassword } from './smarthost-url.ts';

/** Name of an inbox, and the agent that answers it: an absolute path, or `builtin:` and a name. */
export type AgentChoice = readonly [name: string, source: string];

const BUILTIN = ['builtin:time', 'builtin:echo'];
const MODULE = /\.m?[jt]s$/;
const A_MODULE = 'a module ending in .ts, .mts, .js or .mjs, builtin:time or builtin:echo';

/** Agents by inbox: NAME=MODULE in a flag that repeats, in an array, or with commas between; in a file a table too. */
export const AGENTS: Kind<readonly AgentChoice[]> = {
  allowed: `NAME=MODULE, with the name of an inbox, or the local part of several, and ${A_MODULE}`,
  placeholder: 'name=module',
  isList: true,
  read(raw, base) {
    const entries = entriesOf(raw);
    if (!entries) return { ok: false, why: '' };
    const choices: AgentChoice[] = [];
    for (const entry of entries) {
      const [name = '', module] = entry;
      const source = sourceOf(module, base);
      if (name.trim() === '' || source === undefined)
        return { ok: false, why: `${JSON.stringify(entry.join('='))} is none` };
      choices.push([name.trim(), source]);
    }
    const twice = choices.find(([name], at) => choices.some(([other], place) => place < at && other === name));
    if (twice) return { ok: false, why: `${JSON.stringify(twice[0])} has two agents` };
    return { ok: true, value: choices };
  },
  accepts: (value) => Array.isArray(value) && value.every(isChoice),
  print: (value) => value.map((entry) => entry.join('=')),
};

/** One agent; '' for none. */
export const OPTIONAL_AGENT: Kind<string> = {
  allowed: `${A_MODULE}; empty for none`,
  placeholder: 'module',
  read(raw, base) {
    if (raw === '') return { ok: true, value: '' };
    const source = sourceOf(raw, base);
    return source === undefined ? { ok: false, why: '' } : { ok: true, value: source };
  },
  accepts: (value) => value === '' || (typeof value === 'string' && isSource(value)),
  print: (value) => value,
};

/** A server that takes our mail; '' for none. Its password is never printed. */
export const OPTIONAL_SMARTHOST: Kind<string> = {
  allowed:
    'smtp://host:587 or smtps://host:465, user:password@ before the host if it wants a login; ?tls=required|offered|off may follow smtp; empty for none',
  placeholder: 'url',
  read(raw): Read<string> {
    if (OPTIONAL_SMARTHOST.accepts(raw)) return { ok: true, value: raw as string };
    return { ok: false, why: '' };
  },
  accepts: (value) => value === '' || (typeof value === 'string' && parseSmarthost(value) !== undefined),
  print: withoutPassword,
};

/** One mailbox; '' for none. */
export const OPTIONAL_MAILBOX: Kind<string> = {
  allowed: 'an address such as ann@example.org; empty for none',
  placeholder: 'address',
  read: (raw) => (OPTIONAL_MAILBOX.accepts(raw) ? { ok: true, value: raw as string } : { ok: false, why: '' }),
  accepts: (value) => value === '' || (typeof value === 'string' && isMailbox(value)),
  print: (value) => value,
};

/** Names of inboxes: a flag that repeats, a TOML array, or a variable with blanks or commas between. */
export const INBOX_NAMES: Kind<readonly string[]> = {
  allowed: 'names of inboxes, or local parts',
  placeholder: 'name',
  isList: true,
  read(raw) {
    const names = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((name) => name !== '') : raw;
    return INBOX_NAMES.accepts(names) ? { ok: true, value: names as string[] } : { ok: false, why: '' };
  },
  accepts: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string' && /^[^\s,]+$/.test(name)),
  print: (value) => value,
};

/** A plain address: what a person gives as his own. */
function isMailbox(text: string): boolean {
  const at = text.lastIndexOf('@');
  return (
    at > 0 &&
    text.length <= 254 &&
    /^[\w!#$%&'*+/=?^`{|}~.-]+$/.test(text.slice(0, at)) &&
    isHostName(text.slice(at + 1))
  );
}

function entriesOf(raw: unknown): string[][] | undefined {
  if (typeof raw === 'string') return raw === '' ? [] : raw.split(',').map(splitEntry);
  if (Array.isArray(raw)) {
    if (raw.every((one) => typeof one === 'string')) return raw.map(splitEntry);
    return raw.every((one) => Array.isArray(one)) ? raw.map((one) => one.map(String)) : undefined;
  }
  if (typeof raw !== 'object' || raw === null) return undefined;
  return Object.entries(raw).map(([name, module]) => [name, String(module)]);
}

/** An address may hold a `=`, and a path: the first one behind the `@`, if there is an `@` before any slash, divides. */
function splitEntry(text: string): string[] {
  const at = /^[^/]*?@/.exec(text)?.[0].length ?? 0;
  const place = text.indexOf('=', at);
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + 1)];
}

function sourceOf(raw: unknown, base: string): string | undefined {
  if (typeof raw !== 'string') return undefined;
  const text = raw.trim();
  if (!isSource(text)) return undefined;
  return text.startsWith('builtin:') ? text : resolvePath(text, base);
}

function isSource(text: string): boolean {
  return BUILTIN.includes(text) || (!text.startsWith('builtin:') && MODULE.test(text) && !text.includes('\0'));
}

function isChoice(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  return value.every((text) => typeof text === 'string' && text !== '') && isSource(value[1] as string);
}
