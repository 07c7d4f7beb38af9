import { randomBytes } from 'node:crypto';
import { chmod, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../mail/make-directory.ts';
import { type Identity, identityOf } from './identity.ts';

const DAY_MS = 86_400_000;
/** A certificate of ours is made anew when this little is left of it. */
const RENEWAL_MS = 30 * DAY_MS;

/** A certificate that we made for ourselves. */
export interface OwnIdentity {
  readonly identity: Identity;
  /** It was made just now. */
  readonly isNew: boolean;
  /** Why it could not be written down, if so: it lasts as long as this process then. */
  readonly unkept?: unknown;
}

/** Of processes that keep nothing: one for each host, since a test suite may start many daemons. */
const inMemory = new Map<string, Identity>();

/**
 * Finds the certificate that the daemon made for a host, or makes it: at the first start, when its end is near, and when
 * the host has another name now. The key stays the same, so that who has pinned it (RFC 7672 §3.1.1) need do nothing.
 * @param directory folder of `cert.pem` and `key.pem`; undefined to keep nothing
 */
export async function ownIdentity(
  hostname: string,
  directory: string | undefined,
  now: number = Date.now(),
): Promise<OwnIdentity> {
  if (directory === undefined) {
    const known = inMemory.get(hostname);
    if (known && isGood(known, hostname, now)) return { identity: known, isNew: false };
    const identity = await make(hostname, undefined, '', now);
    inMemory.set(hostname, identity);
    return { identity, isNew: true };
  }
  const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  const cert = await readFile(files.cert, 'latin1').catch(() => undefined);
  const key = await readFile(files.key, 'latin1').catch(() => undefined);
  const known = cert !== undefined && key !== undefined ? tryIdentity(cert, key, files.cert) : undefined;
  if (known && isGood(known, hostname, now)) {
    await chmod(files.key, 0o600).catch(() => {}); // somebody else's file, as after a restore: readable, which is enough
    return { identity: known, isNew: false };
  }
  const identity = await make(hostname, known?.key, files.cert, now);
  try {
    makeDirectory(directory);
    await replaceFile(files.key, identity.key, 0o600);
    await replaceFile(files.cert, identity.cert, 0o600);
  } catch (error) {
    return { identity, isNew: true, unkept: error };
  }
  return { identity, isNew: true };
}

function isGood({ leaf, expires }: Identity, hostname: string, now: number): boolean {
  return expires.getTime() - now > RENEWAL_MS && leaf.checkHost(hostname, { wildcards: false }) !== undefined;
}

async function make(hostname: string, key: string | undefined, file: string, now: number): Promise<Identity> {
  const { makeCertificate, makeKey } = await import('./self-signed.ts');
  const used = key ?? makeKey();
  return identityOf(await makeCertificate(hostname, used, now), used, file);
}

/** What lies there is ours to replace if it is no certificate with its key. */
function tryIdentity(cert: string, key: string, file: string): Identity | undefined {
  try {
    return identityOf(cert, key, file);
  } catch {
    return undefined;
  }
}

/** Puts a file in place at once and with its rights: nobody sees half of it, or a key before it is locked away. */
async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
