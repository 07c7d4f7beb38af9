import type { Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { ListenerContexts } from '../../src/tls/context.ts';
import { identityOf } from '../../src/tls/identity.ts';
import { makeCertificate, makeKey } from '../../src/tls/self-signed.ts';
import type { TlsAccess } from '../../src/wire/connection.ts';
import { createUpgrade } from '../../src/wire/tls-upgrade.ts';

let access: Promise<TlsAccess> | undefined;

/** Encryption from the first octet on. */
export function encryption(): Promise<TlsAccess> {
  access ??= makeAccess();
  return access;
}

async function makeAccess(): Promise<TlsAccess> {
  const key = makeKey();
  const { contextFor } = new ListenerContexts([identityOf(await makeCertificate('mx.test', key), key)]);
  return { upgrade: createUpgrade({ contextFor, protocols: [], asksCertificate: false }), implicit: true };
}

/** A client that speaks TLS, and its connection without a network: `FakeSocket`, encrypted. */
export class EncryptedSocket {
  /** All that the daemon has written. */
  readonly written: Buffer[] = [];
  readonly #daemon: Duplex;
  readonly #client: TLSSocket;

  constructor() {
    const [daemon, client] = duplexPair();
    this.#daemon = Object.assign(daemon, { destroySoon: () => daemon.end(() => daemon.destroy()) });
    this.#client = connect({ socket: client as Socket, rejectUnauthorized: false }); // half open, as the pair is
    this.#client.on('data', (view: Buffer) => this.written.push(view));
    this.#client.on('error', () => {}); // 'close' follows
  }

  get asSocket(): Socket {
    return this.#daemon as Socket;
  }

  send(octets: Buffer): void {
    this.#client.write(Buffer.from(octets));
  }

  halfClose(): void {
    this.#client.end();
  }

  /** The daemon says no more: `finish`, as of a FakeSocket; or the connection is gone. */
  on(event: 'finish' | 'close', listener: () => void): void {
    this.#client.on(event === 'finish' ? 'end' : event, listener);
  }

  destroy(): void {
    this.#client.destroy();
    this.#daemon.destroy();
  }
}
