import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/**
 * Secrets as they are kept: `scrypt:<log2 N>:<r>:<p>:<salt>:<hash>`, both of the last in base64url (RFC 7914).
 * The parameters stand in each line, so that later ones can be dearer without making earlier ones worthless.
 */

const COST = Object.freeze({ logN: 14, r: 8, p: 1 }); // 16 MiB and some 50 ms
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** What a line may ask of this machine: 256 MiB. */
const MOST_BYTES = 256 * 1024 * 1024;

export interface StoredSecret {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Hashes a secret with a salt of its own. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(secret, salt, COST);
  return ['scrypt', COST.logN, COST.r, COST.p, salt.toString('base64url'), hash.toString('base64url')].join(':');
}

/** Reads what `hashSecret` wrote; undefined if it is none, or asks for more than this machine should give. */
export function parseStoredSecret(text: string): StoredSecret | undefined {
  const match = /^scrypt:(\d{1,2}):(\d{1,3}):(\d{1,2}):([\w-]{22,86}):([\w-]{43})$/.exec(text);
  if (match === null) return undefined;
  const [logN, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (logN < 10 || logN > 20 || r < 1 || p < 1 || p > 16 || memoryOf(logN, r) > MOST_BYTES) return undefined;
  return { logN, r, p, salt: Buffer.from(match[4]!, 'base64url'), hash: Buffer.from(match[5]!, 'base64url') };
}

/** Compares in time that does not tell how much of it was right. */
export async function isSecret(secret: string, stored: StoredSecret): Promise<boolean> {
  return timingSafeEqual(await derive(secret, stored.salt, stored), stored.hash);
}

/** Stands in where a name is unknown, so that finding out takes as long as a wrong secret. */
export const NO_SECRET: StoredSecret = Object.freeze({
  ...COST,
  salt: randomBytes(SALT_BYTES),
  hash: randomBytes(HASH_BYTES),
});

function memoryOf(logN: number, r: number): number {
  return 128 * 2 ** logN * r;
}

function derive(secret: string, salt: Buffer, { logN, r, p }: Pick<StoredSecret, 'logN' | 'r' | 'p'>): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** logN, r, p, maxmem: 2 * memoryOf(logN, r) };
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, HASH_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
