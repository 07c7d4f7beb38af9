import { isIPv4, isIPv6 } from 'node:net';

/** Protocols that a listener can speak; a new one needs its name here and a line in doors/table.ts. */
export const LISTEN_PROTOCOLS = [
  'smtp',
  'smtps',
  'lmtp',
  'lmtps',
  'pop3',
  'pop3s',
  'finger',
  'eurechat',
  'eurechats',
  'http',
  'https',
] as const;
export type ListenProtocol = (typeof LISTEN_PROTOCOLS)[number];

/** What a listener says to STARTTLS: nothing happens before it, it may come, there is none. */
export const TLS_POLICIES = ['required', 'offered', 'off'] as const;
export type TlsPolicy = (typeof TLS_POLICIES)[number];

/** What follows the `?` in the URL of a listener. */
interface ListenTraits {
  /** Where it differs from what holds for all listeners; only those that begin in clear text have it. */
  readonly tls?: TlsPolicy;
}

/** Where a listener waits: a TCP address (IPv6 without brackets, port 0 picks a free one) or the path of a UNIX socket. */
export type ListenAddress = ListenTraits &
  (
    | { readonly protocol: ListenProtocol; readonly host: string; readonly port: number; readonly path?: undefined }
    | { readonly protocol: ListenProtocol; readonly path: string; readonly host?: undefined; readonly port?: undefined }
  );

/** True for protocols that begin with a handshake of TLS. */
export function isEncrypted(protocol: ListenProtocol): boolean {
  return protocol.endsWith('s');
}

export type InnerProtocol = 'smtp' | 'lmtp' | 'pop3' | 'finger' | 'eurechat' | 'http';

/** The protocol as it is without encryption. */
export function innerProtocol(protocol: ListenProtocol): InnerProtocol {
  return protocol.replace(/s$/, '') as InnerProtocol;
}

type ParsedAddress =
  | { readonly ok: true; readonly value: ListenAddress }
  | { readonly ok: false; readonly why: string };

/** `sun_path` of Linux holds 108 bytes with the closing NUL; a longer path would silently be cut. */
const SOCKET_PATH_BYTES = 107;

/**
 * Reads the URL of a listener: `smtp://127.0.0.1:1025`, `lmtp:///run/inboxd/lmtp.sock`, `smtp://[::]:25?tls=required`.
 * Done by hand because `URL` drops port 80 from `http:` and reads `smtp://1:2:3` without complaint.
 */
export function parseListenUrl(text: string): ParsedAddress {
  if (!text.isWellFormed()) return { ok: false, why: 'it holds half a character' }; // no URL can carry that
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^?#]*))?$/i.exec(text);
  if (!match) return { ok: false, why: 'write it as smtp://host:port or smtp:///path/of.sock' };
  const [, scheme = '', authority = '', path = '', query] = match;
  const protocol = LISTEN_PROTOCOLS.find((known) => known === scheme.toLowerCase());
  if (!protocol)
    return { ok: false, why: `"${scheme}" is not a protocol of listeners (${LISTEN_PROTOCOLS.join(', ')})` };
  if (authority !== '' && path !== '' && path !== '/') return { ok: false, why: 'nothing may follow the port' };
  const address = authority === '' ? socketAddress(protocol, path) : tcpAddress(protocol, authority);
  if (!address.ok || query === undefined) return address;
  const traits = readTraits(protocol, query);
  return typeof traits === 'string' ? { ok: false, why: traits } : { ok: true, value: { ...address.value, ...traits } };
}

/** Reads what follows the `?`; gives what is wrong with it as text. */
function readTraits(protocol: ListenProtocol, query: string): ListenTraits | string {
  const [word = '', ...rest] = query.split('=');
  const tls = TLS_POLICIES.find((policy) => policy === rest.join('='));
  if (word !== 'tls' || tls === undefined) return `only ?tls= may follow, with ${TLS_POLICIES.join(', ')}`;
  if (isEncrypted(protocol)) return `${protocol} is encrypted from the first octet and takes no ?tls=`;
  if (protocol === 'finger') return 'finger has no STARTTLS';
  if (protocol === 'http' || protocol === 'eurechat')
    return `${protocol} has no STARTTLS; ${protocol}s is the encrypted one`;
  return { tls };
}

/** Reads where another server listens: `host:port` or the path of a UNIX socket; undefined if it is neither. */
export function parseServer(text: string): { host: string; port: number } | { path: string } | undefined {
  const read = parseListenUrl(`smtp://${text}`);
  if (!read.ok) return undefined;
  const { host, port, path } = read.value;
  if (path !== undefined) return { path };
  return port === 0 ? undefined : { host, port };
}

/** Writes the URL that `parseListenUrl` reads. */
export function formatListenUrl({ protocol, path, host, port, tls }: ListenAddress): string {
  const traits = tls === undefined ? '' : `?tls=${tls}`;
  if (path !== undefined) {
    return `${protocol}://${encodeURI(path).replaceAll('?', '%3F').replaceAll('#', '%23')}${traits}`;
  }
  return `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}${traits}`;
}

/** Reads a host to listen on: an IP address (IPv6 with or without brackets) or a name; undefined if it is neither. */
export function parseHost(text: string): string | undefined {
  const inner = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : undefined;
  if (inner !== undefined) return isIPv6(inner) ? inner : undefined;
  if (isIPv4(text) || isIPv6(text) || isHostName(text)) return text;
  return undefined;
}

/** True for a name of letters, digits and hyphens (RFC 5321 §4.1.2 Domain) whose last label is not a number, as in a mistyped IP address. */
export function isHostName(text: string): boolean {
  if (text.length > 255 || /(^|\.)\d+$/.test(text)) return false;
  return text.split('.').every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(label));
}

function tcpAddress(protocol: ListenProtocol, authority: string): ParsedAddress {
  if (authority.includes('@')) return { ok: false, why: 'a listener takes no user name' };
  const colon = authority.lastIndexOf(':');
  const hostText = authority.slice(0, colon);
  if (colon < 0 || authority.endsWith(']')) return { ok: false, why: 'the port is missing' };
  if (hostText === '') return { ok: false, why: 'the host is missing; 0.0.0.0 or [::] means every address' };
  const host = hostText.startsWith('[') || !hostText.includes(':') ? parseHost(hostText) : undefined;
  if (host === undefined)
    return { ok: false, why: `"${hostText}" is neither a host name, an IPv4 address nor an IPv6 address in brackets` };
  const port = parsePort(authority.slice(colon + 1));
  if (port === undefined) return { ok: false, why: 'the port is a number from 0 to 65535' };
  return { ok: true, value: { protocol, host, port } };
}

function socketAddress(protocol: ListenProtocol, encoded: string): ParsedAddress {
  const path = decodePath(encoded);
  if (path === undefined || path.includes('\0')) return { ok: false, why: 'the path of the socket has a bad %-escape' };
  if (path.length < 2 || path.endsWith('/')) return { ok: false, why: 'neither host nor path of a socket is given' };
  const bytes = Buffer.byteLength(path);
  if (bytes > SOCKET_PATH_BYTES)
    return { ok: false, why: `the path of a socket has at most ${SOCKET_PATH_BYTES} bytes, this one ${bytes}` };
  return { ok: true, value: { protocol, path } };
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;
}

function decodePath(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined; // the only thing it throws is URIError, and the caller says so
  }
}
