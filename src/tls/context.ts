import { randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { TlsError } from './errors.ts';
import type { Identity } from './identity.ts';

/**
 * What is spoken: TLS 1.2 and 1.3, with forward secrecy and authenticated encryption (RFC 9325 §4.2, "intermediate" of
 * Mozilla's). Every sender of this decade can do one of these.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
].join(':');

/** How long a client may come back to its session without a new handshake. */
const SESSION_SECONDS = 7200;

/**
 * The TLS contexts of one listener: one for each set of names, and one for clients that ask for no name we know. No
 * other listener has the same: each context has keys of its own for session tickets, and each listener an id for its
 * sessions, so that what one listener has agreed to opens no other (RFC 8446 §4.6.1 leaves that to us).
 */
export class ListenerContexts {
  readonly #sessionIdContext = randomBytes(16).toString('hex');
  #contexts: readonly { readonly identity: Identity; readonly context: SecureContext }[] = [];
  #options: SecureContextOptions = {};

  /** @throws TlsError when OpenSSL does not take one of them; nothing has changed then */
  constructor(identities: readonly Identity[]) {
    this.use(identities);
  }

  /**
   * Takes new certificates for the sessions to come; those that run keep theirs.
   * @throws TlsError when OpenSSL does not take one of them; nothing has changed then
   */
  use(identities: readonly Identity[]): void {
    const groups = groupByNames(identities);
    const made = groups.map((group) => {
      const options = this.#optionsFor(group);
      try {
        return { identity: group[0]!, options, context: createSecureContext(options) };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new TlsError(`the certificate in ${group[0]!.file} cannot be used: ${reason}`, { cause: error });
      }
    });
    this.#contexts = made;
    this.#options = made[0]!.options;
  }

  /** The same as `contextFor('')`, as a server of Node.js takes it. */
  get options(): SecureContextOptions {
    return this.#options;
  }

  /** The context for a name that a client asks for: exact names win over wildcards, and the first of all is the default. */
  readonly contextFor = (serverName: string): SecureContext => {
    const [first] = this.#contexts;
    if (this.#contexts.length === 1 || !/^[\w.-]{1,255}$/.test(serverName)) return first!.context;
    const name = serverName.replace(/\.$/, '');
    const named =
      this.#contexts.find(({ identity }) => isFor(identity, name, false)) ??
      this.#contexts.find(({ identity }) => isFor(identity, name, true)) ??
      first;
    return named!.context;
  };

  #optionsFor(group: readonly Identity[]): SecureContextOptions {
    return {
      cert: group.map(({ cert }) => cert),
      key: group.map(({ key }) => key),
      minVersion: 'TLSv1.2',
      ciphers: CIPHERS,
      dhparam: 'auto',
      sessionIdContext: this.#sessionIdContext,
      sessionTimeout: SESSION_SECONDS,
    };
  }
}

/** Certificates of one set of names but with keys of different kinds serve together: OpenSSL takes the one that the client knows. */
function groupByNames(identities: readonly Identity[]): Identity[][] {
  const groups = new Map<string, Identity[]>();
  for (const identity of identities) {
    const names = [...identity.names].sort().join(' ');
    const group = groups.get(names) ?? [];
    if (group.some(({ keyType }) => keyType === identity.keyType)) continue;
    group.push(identity);
    groups.set(names, group);
  }
  return [...groups.values()];
}

function isFor({ leaf }: Identity, name: string, wildcards: boolean): boolean {
  return leaf.checkHost(name, { wildcards, partialWildcards: false }) !== undefined;
}
