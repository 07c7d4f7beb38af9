import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { dkimSign, sealMessage } from 'mailauth';
import type { Resolver } from '../../src/mail/resolver.ts';
import type { Facts } from '../../src/verify/protocol.ts';
import type { Zone } from '../support/dns-server.ts';

/** A key that signs, and the record that DNS has of it. */
export interface SigningKey {
  readonly privateKey: string;
  readonly record: string;
}

export function rsaKey(modulusLength = 2048): SigningKey {
  return asKey(generateKeyPairSync('rsa', { modulusLength }), 'rsa');
}

export function ed25519Key(): SigningKey {
  const pair = generateKeyPairSync('ed25519');
  const raw = pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
  return { ...asKey(pair, 'ed25519'), record: `v=DKIM1; k=ed25519; p=${raw}` };
}

function asKey({ privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }, kind: string): SigningKey {
  const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    record: `v=DKIM1; k=${kind}; p=${spki}`,
  };
}

export interface Signing {
  readonly key: SigningKey;
  readonly domain: string;
  readonly selector?: string;
  readonly algorithm?: string;
  readonly canonicalization?: string;
  readonly maxBodyLength?: number;
}

/** The mail with a DKIM-Signature in front. */
export async function signed(raw: string, signing: Signing): Promise<string> {
  const { key, domain: signingDomain, selector = 's1', algorithm = 'rsa-sha256', ...rest } = signing;
  const { signatures, errors } = await dkimSign(raw, {
    canonicalization: rest.canonicalization ?? 'relaxed/relaxed',
    signingDomain,
    selector,
    privateKey: key.privateKey,
    signatureData: [
      {
        signingDomain,
        selector,
        privateKey: key.privateKey,
        algorithm,
        ...(rest.maxBodyLength !== undefined && { maxBodyLength: rest.maxBodyLength }),
      },
    ],
  });
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return signatures + raw;
}

/** The mail as a relay passes it on: with an ARC set in front. */
export async function sealed(
  raw: string,
  seal: Omit<Signing, 'maxBodyLength'>,
  verdict: 'none' | 'pass',
): Promise<string> {
  const instance = (raw.match(/^ARC-Seal:/gim)?.length ?? 0) + 1;
  const headers = await sealMessage(raw, {
    signingDomain: seal.domain,
    selector: seal.selector ?? 's1',
    privateKey: seal.key.privateKey,
    algorithm: 'rsa-sha256',
    canonicalization: 'relaxed/relaxed',
    i: instance,
    cv: verdict,
    authResults: `${seal.domain}; dkim=pass`,
  } as Parameters<typeof sealMessage>[1]);
  return headers.toString() + raw;
}

/** Lines with CR LF. */
export function lines(...text: readonly string[]): string {
  return `${text.join('\r\n')}\r\n`;
}

export function plainMail(from = 'Ann <ann@example.org>', body = 'Hello'): string {
  return lines(`From: ${from}`, 'To: bob@example.com', 'Subject: Hello', 'Date: Sat, 21 Nov 2026 08:00:00 +0000',
    'Message-ID: <1@example.org>', '', body); // biome-ignore format: a mail
}

export interface ZoneResolver extends Resolver {
  /** Every question, as `TXT name`. */
  readonly questions: string[];
}

/** DNS of a zone that is in memory. */
export function zoneResolver(zone: Zone): ZoneResolver {
  const questions: string[] = [];
  async function find<T>(name: string, type: 'A' | 'AAAA' | 'MX' | 'TXT' | 'PTR' | 'CNAME'): Promise<T> {
    questions.push(`${type} ${name}`);
    const entry = zone[name.toLowerCase().replace(/\.$/, '')];
    if (entry?.fails === 'silent') throw Object.assign(new Error('no answer'), { code: 'ETIMEOUT' });
    if (entry?.fails) throw Object.assign(new Error(entry.fails), { code: `E${entry.fails}` });
    const records = entry?.[type];
    if (!records) throw Object.assign(new Error(`${name}`), { code: entry ? 'ENODATA' : 'ENOTFOUND' });
    return (type === 'TXT' ? records.map((text) => (typeof text === 'string' ? [text] : text)) : records) as T;
  }
  return {
    questions,
    resolve4: (name) => find(name, 'A'),
    resolve6: (name) => find(name, 'AAAA'),
    resolveTxt: (name) => find(name, 'TXT'),
    resolveMx: (name) => find(name, 'MX'),
    resolveCname: (name) => find(name, 'CNAME'),
    reverse: (address) => find(`reverse of ${address}`, 'PTR'),
  };
}

/** Sent by 192.0.2.1, which calls itself mail.example.org. */
export const FACTS: Facts = { mailFrom: 'ann@example.org', hello: 'mail.example.org', address: '192.0.2.1' };
