import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:http';
import { connect, type TLSSocket } from 'node:tls';
import { type CardFacts, cardPath } from '../card.ts';
import {
  formatListenUrl,
  innerProtocol,
  isEncrypted,
  type ListenAddress,
  parseListenUrl,
} from '../config/listen-url.ts';

/** How a daemon on this machine is asked. */
export interface Way {
  readonly url: string;
  /** For `request` of `node:http`, encrypted or not. */
  readonly to: RequestOptions;
}

const HANDSHAKE_MS = 60_000;

/**
 * Reads the card that a daemon leaves in its data folder.
 * @throws the system's error, or a SyntaxError
 */
export function readCard(data: string): CardFacts {
  return JSON.parse(readFileSync(cardPath(data), 'utf8')) as CardFacts;
}

/** The best of a card's listeners: one that browsers reach, and HTTP before HTTPS; undefined if neither is there. */
export function wayTo({ listeners, fingerprints = [] }: CardFacts): Way | undefined {
  const [address] = listeners
    .map(({ url }) => parseListenUrl(url))
    .filter((parsed) => parsed.ok)
    .map(({ value }) => value)
    .filter(({ protocol }) => innerProtocol(protocol) === 'http')
    .sort((one, other) => rankOf(one) - rankOf(other));
  if (address === undefined) return undefined;
  const isSecure = isEncrypted(address.protocol);
  if (address.path !== undefined) {
    const to = { socketPath: address.path };
    return { url: formatListenUrl(address), to: isSecure ? pinned({ path: address.path }, to, fingerprints) : to };
  }
  const to = { host: connectable(address.host), port: address.port };
  return { url: formatListenUrl({ ...address, host: to.host }), to: isSecure ? pinned(to, to, fingerprints) : to };
}

function rankOf({ path, protocol }: ListenAddress): number {
  return (path === undefined ? 0 : 2) + (isEncrypted(protocol) ? 1 : 0);
}

/** A listener on every address is reached on loopback. */
function connectable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/**
 * Connects with trust in exactly the certificates of the card, whoever else vouches for them, whatever their names are
 * and until whenever they hold. Nothing of a request is sent before the certificate is known to be one of them.
 */
function pinned(
  place: { readonly host: string; readonly port: number } | { readonly path: string },
  to: RequestOptions,
  fingerprints: readonly string[],
): RequestOptions {
  const createConnection: RequestOptions['createConnection'] = (_options, done) => {
    const socket: TLSSocket = connect({ ...place, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    socket.setTimeout(HANDSHAKE_MS, () =>
      socket.destroy(new Error(`no handshake within ${HANDSHAKE_MS / 1000} seconds`)),
    );
    socket.once('error', (error) => done(error, socket));
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate()?.fingerprint256;
      if (shown !== undefined && fingerprints.includes(shown)) done(null, socket.setTimeout(0));
      else
        socket.destroy(new Error('its certificate is not the one of the daemon that left its card in the data folder'));
    });
    return undefined;
  };
  return { ...to, defaultPort: 443, agent: undefined, createConnection };
}
