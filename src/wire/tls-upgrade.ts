import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Peer } from './peer.ts';
import { TcpPeer } from './tcp-peer.ts';

/** What a handshake agreed on, and what the client said in it. */
export interface Handshake {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** IANA name of the cipher suite. */
  readonly cipher: string;
  /** Name that the client asked for (SNI). */
  readonly serverName?: string;
  /** Subject of the certificate that the client gave; nobody has vouched for it. */
  readonly subject?: string;
}

/** Encryption of one listener. */
export interface TlsSettings {
  /** The context for a name that a client asks for; for the empty name the one of clients that ask for none. */
  readonly contextFor: (serverName: string) => SecureContext;
  /** Protocols of ALPN that are spoken here. A client that offers only others is refused (RFC 7301 §3.2, ALPACA). */
  readonly protocols: readonly string[];
  /** Ask clients for a certificate; who has none is served too. */
  readonly asksCertificate: boolean;
}

/** Takes a socket over for a handshake. `secure` is emitted when it is done, `error` and `close` when it fails. */
export type TlsUpgrade = (peer: Peer) => TLSSocket;

/** Octets of what a client says in a handshake that are kept. */
const SUBJECT_CHARACTERS = 1024;

/** Makes the way into encryption for the connections of one listener. */
export function createUpgrade({ contextFor, protocols, asksCertificate }: TlsSettings): TlsUpgrade {
  const options = {
    isServer: true,
    requestCert: asksCertificate,
    rejectUnauthorized: false,
    SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) =>
      done(null, contextFor(name)),
    ALPNCallback: ({ protocols: offered }: { protocols: readonly string[] }) =>
      protocols.find((one) => offered.includes(one)),
  };
  return (peer) => {
    const socket = peer instanceof TcpPeer ? peer.toSocket() : (peer as Socket);
    const secured = new TLSSocket(socket, { ...options, secureContext: contextFor('') });
    secured.disableRenegotiation(); // nobody needs it, and each costs us a handshake
    return secured;
  };
}

/** Tells what a finished handshake agreed on. */
export function describeHandshake(socket: TLSSocket): Handshake {
  const { servername } = socket as { servername?: string | false | null };
  const subject = socket.getPeerX509Certificate()?.subject?.replaceAll('\n', ', ').slice(0, SUBJECT_CHARACTERS);
  return {
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher().standardName,
    ...(servername && { serverName: servername }),
    ...(subject !== undefined && { subject }),
  };
}
