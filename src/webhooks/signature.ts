import { createHmac } from 'node:crypto';

/*
 * Signatures as https://www.standardwebhooks.com has them: HMAC-SHA256 over id, timestamp and body, so that neither can
 * be replaced and an old request not be played again much later. Libraries for most languages check them.
 */

/** What becomes of reading a secret. */
export type SecretRead = { readonly ok: true; readonly value: Buffer } | { readonly ok: false; readonly why: string };

const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/** Reads a secret as it is written: `whsec_` and 24 to 64 octets in base64. */
export function parseSecret(text: string): SecretRead {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  if (encoded === undefined) return { ok: false, why: 'it is not whsec_ and base64' };
  const value = Buffer.from(encoded, 'base64');
  if (value.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) {
    return { ok: false, why: 'its base64 is not whole' };
  }
  if (value.length < LEAST_BYTES || value.length > MOST_BYTES) {
    return { ok: false, why: `it has ${value.length} octets and not ${LEAST_BYTES} to ${MOST_BYTES}` };
  }
  return { ok: true, value };
}

/**
 * Headers that say which delivery a body is of and prove who made it.
 * @param secrets each makes a signature, so that receivers can change from one to the next
 * @param now milliseconds since 1970
 */
export function signedHeaders(
  secrets: readonly Buffer[],
  id: string,
  now: number,
  body: Buffer,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = secrets.map((secret) => {
    const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body);
    return `v1,${mac.digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(signatures.length > 0 && { 'webhook-signature': signatures.join(' ') }),
  };
}
