import type { Config } from '../config/settings.ts';
import { type identityOf, readIdentity } from '../tls/identity.ts';
import { bad, doubtful, type Finding, good } from './finding.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 21;

/** Whether the certificates that are configured can be used, name us and last. */
export async function checkCertificates(config: Config, now: number = Date.now()): Promise<Finding[]> {
  const { tlsCerts, tlsKeys, hostname, mtaSts } = config;
  if (tlsCerts.length === 0) {
    const remedy = 'give --tls-cert and --tls-key with one of a certificate authority';
    return [doubtful('certificate', 'none is given: senders that check will not trust one made by inboxd', remedy)];
  }
  const findings: Finding[] = [];
  const leaves: ReturnType<typeof identityOf>['leaf'][] = [];
  for (const [index, cert] of tlsCerts.entries()) {
    try {
      const { leaf, expires, names } = await readIdentity({ cert, key: tlsKeys[index] ?? cert });
      leaves.push(leaf);
      findings.push(checkExpiry(cert, names, Math.floor((expires.getTime() - now) / DAY_MS)));
    } catch (error) {
      findings.push(bad('certificate', (error as Error).message, 'put the file right; a reload takes it up'));
    }
  }
  for (const name of [hostname, ...mtaSts.map((domain) => `mta-sts.${domain}`)]) {
    if (leaves.length === 0 || leaves.some((leaf) => leaf.checkHost(name) !== undefined)) continue;
    findings.push(bad('certificate', `none is for ${name}`, `have one issued that names ${name}`));
  }
  return findings;
}

function checkExpiry(file: string, names: readonly string[], days: number): Finding {
  const what = `${file} for ${names.join(', ')}`;
  if (days < 0) return bad('certificate', `${what} has expired`, 'renew it; a reload (SIGHUP) takes it up');
  if (days < SOON_DAYS) return doubtful('certificate', `${what} expires in ${days} days`, 'renew it');
  return good('certificate', `${what} is good for ${days} days`);
}
