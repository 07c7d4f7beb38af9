/** XCLIENT, as Postfix has it: what a trusted client says of the one that it speaks for. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { parseHelloArg } from './hello.ts';
import { fault, type Parsed, parsed } from './parsed.ts';
import { decodeXtext } from './xtext.ts';

/** Attributes in the order in which they are announced. */
export const XCLIENT_ATTRIBUTES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'DESTADDR', 'DESTPORT'] as const;
export type XclientAttribute = (typeof XCLIENT_ATTRIBUTES)[number];

/** What was said; undefined where the client says that it does not know. */
export type Claims = ReadonlyMap<XclientAttribute, string | undefined>;

const MALFORMED = fault('malformed', 'Syntax: XCLIENT attribute=value ...');
const UNKNOWN = fault('unknown', `Attributes are ${XCLIENT_ATTRIBUTES.join(', ')}, each once`);
const UNAVAILABLE: ReadonlySet<string> = new Set(['[UNAVAILABLE]', '[TEMPUNAVAIL]']);

/** Reads a value in the form that is kept; undefined if it is none. */
const READERS: Readonly<Record<XclientAttribute, (value: string) => string | undefined>> = {
  NAME: (value) => (/^\w(?:[\w.-]{0,253}\w)?\.?$/.test(value) ? value : undefined),
  ADDR: readAddress,
  PORT: readPort,
  PROTO: (value) => (/^E?SMTP$/i.test(value) ? value.toUpperCase() : undefined),
  HELO: (value) => {
    const name = parseHelloArg(value);
    return name.ok ? name.value : undefined;
  },
  LOGIN: (value) => (value.length <= 255 ? value : undefined),
  DESTADDR: readAddress,
  DESTPORT: readPort,
};

/** Reads the argument of XCLIENT. Nothing of it holds controls or invisible characters (`decodeXtext`). */
export function parseXclient(arg: string): Parsed<Claims> {
  const claims = new Map<XclientAttribute, string | undefined>();
  for (const word of arg.split(' ')) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    const name = word.slice(0, Math.max(equals, 0)).toUpperCase() as XclientAttribute;
    if (equals < 1 || word.length === equals + 1) return MALFORMED;
    if (!XCLIENT_ATTRIBUTES.includes(name) || claims.has(name)) return UNKNOWN;
    const value = decodeXtext(word.slice(equals + 1));
    if (!value.ok) return value;
    const isUnavailable = UNAVAILABLE.has(value.value.toUpperCase());
    const read = isUnavailable ? undefined : READERS[name](value.value);
    if (read === undefined && !isUnavailable) return fault('value', `Value of ${name} is malformed`);
    claims.set(name, read);
  }
  return claims.size === 0 ? MALFORMED : parsed(claims);
}

function readAddress(value: string): string | undefined {
  if (isIPv4(value)) return value;
  const address = /^ipv6:/i.test(value) ? value.slice('IPV6:'.length) : value;
  return isIPv6(address) && !address.includes('%') ? new SocketAddress({ address, family: 'ipv6' }).address : undefined;
}

function readPort(value: string): string | undefined {
  return /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535 ? value : undefined;
}
