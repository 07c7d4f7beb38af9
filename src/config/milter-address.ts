import {
  MILTER_DEFAULTS,
  MILTER_LIMITS,
  MILTER_VERSIONS,
  type MilterDefault,
  type MilterSettings,
  type MilterVersion,
} from '../milter/limits.ts';
import type { Kind } from './kinds.ts';
import { parseHost } from './listen-url.ts';
import { resolvePath } from './resolve-path.ts';
import { formatDuration, parseDuration } from './units.ts';

/**
 * Milters as people write them: where one is, and behind a `?` what is to be otherwise than usual. Where it is can be
 * said as Postfix says it (`inet:host:port`, `unix:path`) and as sendmail does (`inet:port@host`, `local:path`).
 */

type Place = MilterSettings['address'];
type Traits = Omit<MilterSettings, 'address' | 'name'> & { readonly name?: string };

const USUAL: Traits = Object.freeze({
  version: 6,
  whenFailing: 'tempfail',
  connections: MILTER_LIMITS.connections,
  connectMs: MILTER_LIMITS.connectMs,
  commandMs: MILTER_LIMITS.commandMs,
  contentMs: MILTER_LIMITS.contentMs,
  endMs: MILTER_LIMITS.endMs,
});

/** What can be said of a milter: by which word, what may be written, and what that is. */
interface Trait {
  readonly word: string;
  readonly property: keyof Traits;
  readonly allowed: string;
  read(text: string): unknown;
  print(value: never): string;
}

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const LONGEST_WAIT_MS = MILTER_LIMITS.messageMs;
const MOST_CONNECTIONS = 100_000;
const WAIT = 'a duration above 0 and at most 9m';

const wait = (text: string): number | undefined => {
  const milliseconds = parseDuration(text);
  return milliseconds !== undefined && isWait(milliseconds) ? milliseconds : undefined;
};
const isWait = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) <= LONGEST_WAIT_MS;
const isCount = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) <= MOST_CONNECTIONS;

// biome-ignore format: one trait a line
const TRAITS: readonly Trait[] = [
  { word: 'name', property: 'name', allowed: 'letters, digits and hyphens, a letter first, 32 at most', read: (text) => (NAME.test(text) ? text : undefined), print: String },
  { word: 'default', property: 'whenFailing', allowed: MILTER_DEFAULTS.join(', '), read: (text) => MILTER_DEFAULTS.find((one) => one === text), print: String },
  { word: 'version', property: 'version', allowed: MILTER_VERSIONS.join(', '), read: (text) => MILTER_VERSIONS.find((one) => String(one) === text), print: String },
  { word: 'connections', property: 'connections', allowed: `a whole number from 1 to ${MOST_CONNECTIONS}`, read: (text) => (/^\d{1,6}$/.test(text) && isCount(Number(text)) ? Number(text) : undefined), print: String },
  { word: 'connect-timeout', property: 'connectMs', allowed: WAIT, read: wait, print: formatDuration },
  { word: 'timeout', property: 'commandMs', allowed: WAIT, read: wait, print: formatDuration },
  { word: 'content-timeout', property: 'contentMs', allowed: WAIT, read: wait, print: formatDuration },
  { word: 'end-timeout', property: 'endMs', allowed: WAIT, read: wait, print: formatDuration },
];

export const MILTERS: Kind<readonly MilterSettings[]> = {
  allowed: `inet:HOST:PORT, inet:PORT@HOST, unix:PATH or local:PATH, at most ${MILTER_LIMITS.milters}, each with ?${TRAITS.map(({ word }) => `${word}=`).join(' &')} behind it as wanted`,
  placeholder: 'milter',
  isList: true,
  read(raw, base) {
    const list: unknown = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((one) => one !== '') : raw;
    if (!Array.isArray(list)) return { ok: false, why: '' };
    const milters: MilterSettings[] = [];
    for (const [index, text] of list.entries()) {
      const read = typeof text === 'string' ? readMilter(text, base) : 'not text';
      if (typeof read === 'string') return { ok: false, why: `${JSON.stringify(text)}: ${read}` };
      milters.push({ name: `milter-${index + 1}`, ...read });
    }
    const why = whyNotTogether(milters);
    return why === '' ? { ok: true, value: milters } : { ok: false, why };
  },
  accepts: (value): value is MilterSettings[] =>
    Array.isArray(value) && value.every(isMilter) && whyNotTogether(value) === '',
  print: (value) => value.map(printMilter),
};

function whyNotTogether(milters: readonly MilterSettings[]): string {
  if (milters.length > MILTER_LIMITS.milters) return `${milters.length} are too many`;
  const names = milters.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? '' : `two are named ${twice}`;
}

/** Gives what is wrong with it as text. */
function readMilter(text: string, base: string): (Traits & { readonly address: Place }) | string {
  const mark = text.indexOf('?');
  const address = readPlace(mark < 0 ? text : text.slice(0, mark), base);
  if (typeof address === 'string') return address;
  const traits = mark < 0 ? USUAL : readTraits(text.slice(mark + 1));
  return typeof traits === 'string' ? traits : { ...traits, address };
}

function readPlace(text: string, base: string): Place | string {
  const colon = text.indexOf(':');
  const kind = text.slice(0, colon);
  const rest = text.slice(colon + 1);
  if (colon > 0 && (kind === 'unix' || kind === 'local')) {
    if (rest === '' || rest.includes('\0')) return `the path after ${kind}: is missing`;
    const path = resolvePath(rest, base);
    return Buffer.byteLength(path) > 107 ? 'the path of a socket has at most 107 bytes' : { path };
  }
  if (colon < 0 || kind !== 'inet') return 'it begins with none of inet:, unix: and local:';
  const at = rest.indexOf('@');
  const last = rest.lastIndexOf(':');
  const [hostText, portText] =
    at >= 0 ? [rest.slice(at + 1), rest.slice(0, at)] : [rest.slice(0, Math.max(last, 0)), rest.slice(last + 1)];
  const host = parseHost(hostText);
  if (host === undefined) return `${JSON.stringify(hostText)} is neither a host name nor an address`;
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  return port < 1 || port > 65_535 ? 'the port is a number from 1 to 65535' : { host, port };
}

function readTraits(query: string): Traits | string {
  const traits: Record<string, unknown> = { ...USUAL };
  const seen = new Set<string>();
  for (const part of query.split('&')) {
    const [word = '', ...rest] = part.split('=');
    const trait = TRAITS.find((one) => one.word === word);
    if (!trait) return `${JSON.stringify(word)} is not one of ${TRAITS.map((one) => one.word).join(', ')}`;
    if (seen.has(word)) return `${word} is given twice`;
    seen.add(word);
    const value = trait.read(rest.join('='));
    if (value === undefined) return `${word} is ${trait.allowed}`;
    traits[trait.property] = value;
  }
  return traits as unknown as Traits;
}

function isMilter(value: unknown): boolean {
  const { name, address, version, whenFailing, connections, ...waits } = (value ?? {}) as Record<string, unknown>;
  const { host, port, path } = (address ?? {}) as Record<string, unknown>;
  const isThere =
    typeof path === 'string'
      ? path !== '' && !path.includes('\0')
      : typeof host === 'string' &&
        parseHost(host) !== undefined &&
        Number.isInteger(port) &&
        Number(port) > 0 &&
        Number(port) <= 65_535;
  return (
    typeof name === 'string' &&
    NAME.test(name) &&
    isThere &&
    MILTER_VERSIONS.includes(version as MilterVersion) &&
    MILTER_DEFAULTS.includes(whenFailing as MilterDefault) &&
    isCount(connections) &&
    ['connectMs', 'commandMs', 'contentMs', 'endMs'].every((property) => isWait(waits[property]))
  );
}

function printMilter(settings: MilterSettings, index: number): string {
  const { address, name } = settings;
  const host =
    'host' in address && address.host.includes(':') ? `[${address.host}]` : 'host' in address && address.host;
  const place = 'path' in address ? `unix:${address.path}` : `inet:${host}:${address.port}`;
  const isUsual = ({ property }: Trait): boolean =>
    property === 'name' ? name === `milter-${index + 1}` : settings[property] === USUAL[property];
  const words = TRAITS.filter((trait) => !isUsual(trait)).map(
    ({ word, property, print }) => `${word}=${print(settings[property] as never)}`,
  );
  return words.length === 0 ? place : `${place}?${words.join('&')}`;
}
