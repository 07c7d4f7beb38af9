import { createHash } from 'node:crypto';
import { parseQuery } from '../mail/query-parser.ts';
import type { Kind, Read } from './kinds.ts';
import { nearest } from './nearest.ts';
import { resolvePath } from './resolve-path.ts';

/** Who is told of mail by HTTP requests. */
export interface WebhookChoice {
  /** What waits for it is kept by this name. */
  readonly name: string;
  readonly url: string;
  /** Globs of the inboxes it is told of; empty is all. */
  readonly inboxes: readonly string[];
  /** Search that a message has to be found by; '' is every message. */
  readonly query: string;
  /** Absolute path of a file of secrets; '' is that of all webhooks, if there is one. */
  readonly secretFile: string;
  /** Absolute path of a file of authorities to trust; '' is those that the system does. */
  readonly caFile: string;
  /** On this machine or in private networks; undefined is as for all webhooks. */
  readonly allowPrivate: boolean | undefined;
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/;
const URL_ALLOWED = 'an http or https URL without user and password';

interface Word {
  readonly allowed: string;
  /** The value of a property of WebhookChoice; undefined if it is not allowed. */
  readonly read: (raw: unknown, base: string) => Partial<WebhookChoice> | undefined;
}

/** What the table of a webhook may say. */
const WORDS: Readonly<Record<string, Word>> = {
  url: { allowed: URL_ALLOWED, read: (raw) => (isHookUrl(raw) ? { url: raw } : undefined) },
  inbox: {
    allowed: 'the name of an inbox, in which * stands for anything, or an array of them',
    read(raw) {
      const globs = typeof raw === 'string' ? [raw] : raw;
      return isGlobs(globs) ? { inboxes: globs.map((glob) => glob.toLowerCase()) } : undefined;
    },
  },
  query: {
    allowed: 'a search such as subject:invoice -is:verified',
    read: (raw) => (typeof raw === 'string' && parseQuery(raw).ok ? { query: raw } : undefined),
  },
  'secret-file': {
    allowed: 'the path of a file',
    read: (raw, base) => (isPath(raw) ? { secretFile: resolvePath(raw, base) } : undefined),
  },
  'ca-file': {
    allowed: 'the path of a file',
    read: (raw, base) => (isPath(raw) ? { caFile: resolvePath(raw, base) } : undefined),
  },
  'allow-private': {
    allowed: 'true, false',
    read: (raw) => (typeof raw === 'boolean' ? { allowPrivate: raw } : undefined),
  },
};

/** Webhooks by name: a table for each in a TOML file, the same as JSON elsewhere. */
export const WEBHOOKS: Kind<readonly WebhookChoice[]> = {
  allowed: `tables by name, as [webhooks.ci] in a file or as JSON, with ${Object.keys(WORDS).join(', ')}`,
  placeholder: 'json',
  isSecret: true,
  read(raw, base) {
    const tables = typeof raw === 'string' ? readJson(raw) : raw;
    if (!isTable(tables)) return { ok: false, why: '' };
    const hooks: WebhookChoice[] = [];
    for (const [name, table] of Object.entries(tables)) {
      const hook = readHook(name, table, base);
      if (!hook.ok) return hook;
      hooks.push(hook.value);
    }
    return { ok: true, value: hooks };
  },
  accepts: (value) => Array.isArray(value) && value.every(isChoice),
  print: (value) => (value.length === 0 ? '{}' : JSON.stringify(Object.fromEntries(value.map(printHook)))),
};

/** URLs of webhooks that are told of all mail. */
export const WEBHOOK_URLS: Kind<readonly string[]> = {
  allowed: `${URL_ALLOWED}, or several`,
  placeholder: 'url',
  isSecret: true,
  isList: true,
  read(raw) {
    const urls = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((url) => url !== '') : raw;
    return WEBHOOK_URLS.accepts(urls) ? { ok: true, value: urls as string[] } : { ok: false, why: '' };
  },
  accepts: (value) => Array.isArray(value) && value.every(isHookUrl),
  print: (value) => value,
};

/**
 * The webhook of a URL that came without a name. It gets one that stays the same whatever else is configured: host, and
 * a few digits that tell the URLs of one host apart and nothing about them.
 */
export function webhookOfUrl(url: string): WebhookChoice {
  const { href, hostname } = new URL(url);
  const host = hostname
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 30);
  const digest = createHash('sha256').update(href).digest('hex').slice(0, 8);
  const name = `${host === '' ? 'webhook' : host}-${digest}`;
  return { name, url, inboxes: [], query: '', secretFile: '', caFile: '', allowPrivate: undefined };
}

function readHook(name: string, table: unknown, base: string): Read<WebhookChoice> {
  if (!NAME.test(name)) {
    const why = `the name ${JSON.stringify(name)} is not 1 to 40 of a-z, 0-9, "_" and "-", with a letter or digit first`;
    return { ok: false, why };
  }
  if (!isTable(table)) return { ok: false, why: `${name} is no table` };
  const hook = { name, url: '', inboxes: [], query: '', secretFile: '', caFile: '', allowPrivate: undefined };
  for (const [word, raw] of Object.entries(table)) {
    const known = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (known === undefined) {
      const guess = nearest(word, Object.keys(WORDS));
      const advice = guess === undefined ? '' : `, did you mean ${guess}?`;
      return { ok: false, why: `${name} has no key ${JSON.stringify(word)}${advice}` };
    }
    const read = known.read(raw, base);
    if (read === undefined) {
      const parsed = word === 'query' && typeof raw === 'string' ? parseQuery(raw) : undefined;
      const fault = parsed && !parsed.ok ? ` (at character ${parsed.at + 1}: ${parsed.why})` : '';
      return { ok: false, why: `${name}.${word} is to be ${known.allowed}${fault}` };
    }
    Object.assign(hook, read);
  }
  return hook.url === '' ? { ok: false, why: `${name}.url is missing` } : { ok: true, value: hook };
}

function printHook({ name, url, inboxes, query, secretFile, caFile, allowPrivate }: WebhookChoice): [string, object] {
  const table = {
    url,
    ...(inboxes.length > 0 && { inbox: inboxes }),
    ...(query !== '' && { query }),
    ...(secretFile !== '' && { 'secret-file': secretFile }),
    ...(caFile !== '' && { 'ca-file': caFile }),
    ...(allowPrivate !== undefined && { 'allow-private': allowPrivate }),
  };
  return [name, table];
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says what it should be
  }
}

function isHookUrl(value: unknown): value is string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function isGlobs(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((glob) => typeof glob === 'string' && glob !== '' && glob.length <= 320 && !/[\s\p{Cc}]/u.test(glob))
  );
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isChoice(value: unknown): boolean {
  if (!isTable(value) || typeof value.name !== 'string') return false;
  const { name, inboxes, secretFile, caFile, query } = value;
  return (
    NAME.test(name) &&
    isHookUrl(value.url) &&
    Array.isArray(inboxes) &&
    (inboxes.length === 0 || isGlobs(inboxes)) &&
    typeof query === 'string' &&
    parseQuery(query).ok &&
    (secretFile === '' || isPath(secretFile)) &&
    (caFile === '' || isPath(caFile)) &&
    ['boolean', 'undefined'].includes(typeof value.allowPrivate)
  );
}
