import { join } from 'node:path';
import type { Server, TlsOptions } from 'node:tls';
import { policyOf } from './config/encryption.ts';
import { innerProtocol, isEncrypted, type ListenAddress, type TlsPolicy } from './config/listen-url.ts';
import type { Config } from './config.ts';
import type { Reporter } from './mail/report.ts';
import { SMTP_LIMITS } from './smtp/limits.ts';
import { Certificates } from './tls/certificates.ts';
import type { TlsAccess } from './wire/connection.ts';
import { createUpgrade } from './wire/tls-upgrade.ts';

/** What a listener for mail does about encryption. */
export interface MailEncryption {
  readonly access: TlsAccess | undefined;
  /** `off` too where TLS comes before the first word. */
  readonly starttls: TlsPolicy;
}

/**
 * Gets ready what the listeners of a configuration need for encryption; undefined if none of them needs anything.
 * @param keeps whether a certificate of our own may be kept in the data folder
 * @throws TlsError that says what is wrong with a file
 */
export async function openCertificates(
  config: Config,
  report: Reporter,
  keeps: boolean,
): Promise<Certificates | undefined> {
  const { listen, tlsCerts, tlsKeys, hostname, data } = config;
  if (!listen.some((address) => isEncrypted(address.protocol) || starttlsAt(address, config) !== 'off'))
    return undefined;
  return Certificates.open({
    files: tlsCerts.map((cert, index) => ({ cert, key: tlsKeys[index] ?? cert })),
    hostname,
    directory: keeps && data !== ':memory:' ? join(data, 'tls') : undefined,
    report,
  });
}

/** The encryption of one listener for mail, with contexts that no other has. */
export function encryptMail(
  address: ListenAddress,
  config: Config,
  certificates: Certificates | undefined,
): MailEncryption {
  const implicit = isEncrypted(address.protocol);
  const starttls = starttlsAt(address, config);
  if (!certificates || (!implicit && starttls === 'off')) return { access: undefined, starttls: 'off' };
  const { contextFor } = certificates.forListener();
  const protocols = [innerProtocol(address.protocol)];
  const upgrade = createUpgrade({ contextFor, protocols, asksCertificate: config.tlsClientCert });
  return { access: { upgrade, implicit }, starttls };
}

/**
 * What a server of Node.js needs for HTTPS.
 * @param server gives it, for when the certificates change
 */
export function encryptHttp(certificates: Certificates, server: () => Server): TlsOptions {
  const contexts = certificates.forListener(({ options }) => server().setSecureContext(options));
  return {
    ...contexts.options,
    SNICallback: (name, done) => done(null, contexts.contextFor(name)),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: SMTP_LIMITS.handshakeMs,
  };
}

/**
 * True if browsers may be told to use HTTPS alone: with a certificate that others vouch for, and where nobody is shut
 * out by it, since the word of one port holds for all ports of a host (RFC 6797 §8.3).
 */
export function isHttpsOnly({ listen }: Config, certificates: Certificates | undefined): boolean {
  const isLocal = ({ host }: ListenAddress): boolean => host === undefined || /^(?:127\.|::1$|localhost$)/.test(host);
  return !certificates?.areOwn && listen.every((one) => one.protocol !== 'http' || isLocal(one));
}

function starttlsAt(address: ListenAddress, { tls, profile }: Config): TlsPolicy {
  const inner = innerProtocol(address.protocol);
  if (
    isEncrypted(address.protocol) ||
    inner === 'http' ||
    inner === 'finger' ||
    inner === 'eurechat' ||
    (inner === 'smtp' && profile === 'mailinator')
  )
    return 'off';
  return policyOf(address, tls);
}
