import 'reflect-metadata'; // the library below wants it there first
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  type X509CertificateCreateSelfSignedParams,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** As long as public certificates were ever allowed to last. */
const LIFETIME_MS = 397 * DAY_MS;
/** Clocks differ. */
const EARLY_MS = 3_600_000;
/** X.520: the longest common name. */
const COMMON_NAME_CHARACTERS = 64;

/** Makes a key: ECDSA on P-256, PKCS #8 in PEM. */
export function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * Makes a certificate that nobody but its own key vouches for, for a host and for its loopback addresses.
 * @param key a key of `makeKey`
 * @returns PEM
 */
export async function makeCertificate(hostname: string, key: string, now: number = Date.now()): Promise<string> {
  const privateKey = createPrivateKey(key);
  const names: JsonGeneralName[] = [...new Set([hostname, 'localhost'])].map((value) => ({ type: 'dns', value }));
  const addresses: JsonGeneralName[] = ['127.0.0.1', '::1'].map((value) => ({ type: 'ip', value }));
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: `00${randomBytes(15).toString('hex')}`, // positive, and 20 octets at most (RFC 5280 §4.1.2.2)
    name: [{ CN: [hostname.length <= COMMON_NAME_CHARACTERS ? hostname : 'inboxd'] }],
    notBefore: new Date(now - EARLY_MS),
    notAfter: new Date(now + LIFETIME_MS),
    signingAlgorithm: ALGORITHM,
    // one type, unless the types of the DOM are about, as in tests of the page
    keys: {
      privateKey: privateKey.toCryptoKey(ALGORITHM, false, ['sign']),
      publicKey: createPublicKey(privateKey).toCryptoKey(ALGORITHM, true, ['verify']),
    } as X509CertificateCreateSelfSignedParams['keys'],
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([...names, ...addresses]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}
