import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate, makeKey } from '../../src/tls/self-signed.ts';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Makes a certificate for a host and puts it with its key into a folder. */
export async function writeCertificate(
  folder: string,
  hostname: string,
  name = hostname,
  now?: number,
): Promise<CertificateFiles> {
  const key = makeKey();
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  replace(files.key, key);
  replace(files.cert, await makeCertificate(hostname, key, now));
  return files;
}

/** As programs do that renew certificates: a new file, renamed into place. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
