import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { TlsError } from './errors.ts';

/** Who the daemon says it is: a certificate with the chain behind it, and its key, both PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  readonly leaf: X509Certificate;
  /** `ec`, `rsa`, `ed25519` ... */
  readonly keyType: string;
  /** Names and addresses that it is for. */
  readonly names: readonly string[];
  readonly expires: Date;
  /** Where the certificate was read from; '' for one that only memory holds. */
  readonly file: string;
}

/** A certificate file and the file of its key, which may be the same. */
export interface IdentityFiles {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads a certificate and its key.
 * @throws TlsError that names the file and says what is wrong with it
 */
export async function readIdentity({ cert, key }: IdentityFiles): Promise<Identity> {
  const certText = await readText(cert, 'certificate');
  const keyText = key === cert ? certText : await readText(key, 'key');
  return identityOf(certText, keyText, cert, key);
}

/**
 * Takes the text of a certificate with its key.
 * @throws TlsError
 */
export function identityOf(cert: string, key: string, certFile = '', keyFile = certFile): Identity {
  const leaf = readCertificate(cert, certFile);
  const privateKey = readKey(key, keyFile);
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new TlsError(`the key in ${keyFile} does not belong to the certificate in ${certFile}`);
  }
  return {
    cert,
    key,
    leaf,
    keyType: privateKey.asymmetricKeyType ?? '',
    names: namesOf(leaf),
    expires: leaf.validToDate,
    file: certFile,
  };
}

/** SHA-256 fingerprint, as openssl prints it. */
export function fingerprintOf({ leaf }: Identity): string {
  return leaf.fingerprint256;
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = WHY_UNREADABLE[code ?? ''] ?? String(error);
    throw new TlsError(`cannot read the ${what} file ${file}: ${reason}`, { cause: error });
  }
}

const WHY_UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
};

function readCertificate(text: string, file: string): X509Certificate {
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new TlsError(`${file} holds no certificate in PEM form`);
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw new TlsError(`the certificate in ${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

function readKey(text: string, file: string): KeyObject {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    throw new TlsError(`the key in ${file} is locked with a passphrase, which nobody could type in at a restart`);
  }
  if (!/^-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/m.test(text)) {
    throw new TlsError(`${file} holds no private key in PEM form`);
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new TlsError(`the key in ${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** DNS names and addresses of the certificate; its common name where it has none. */
function namesOf({ subjectAltName, subject }: X509Certificate): string[] {
  const names = [...(subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,"\s]+)/g)].map(([, name = '']) =>
    short(name),
  );
  const common = /^CN=(.*)$/m.exec(subject ?? '')?.[1];
  return names.length > 0 || common === undefined ? names : [common];
}

/** An IPv6 address as people write it; OpenSSL writes all of its zeros. */
function short(name: string): string {
  return isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
