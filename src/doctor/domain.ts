import type { Config } from '../config/settings.ts';
import { type MtaStsPolicy, mtaStsRecord } from '../http/mta-sts.ts';
import { isAbsent, type Resolver } from '../mail/resolver.ts';
import { mtaStsPolicy } from '../sts-policy.ts';
import { bad, doubtful, type Finding, good } from './finding.ts';

/** Whether mail for a domain finds its way here: MX, addresses, names back, and the record of MTA-STS. */
export async function checkDomain(domain: string, config: Config, resolver: Resolver): Promise<Finding[]> {
  const mx = await ask(() => resolver.resolveMx(domain));
  if (mx.why !== undefined) return [bad('DNS', `MX of ${domain}: ${mx.why}`, 'see that the DNS answers')];
  const findings: Finding[] = [];
  const servers = mx.values.toSorted((a, b) => a.priority - b.priority).map(({ exchange }) => exchange.toLowerCase());
  const { hostname } = config;
  if (servers.length === 0) {
    findings.push(bad('MX', `${domain} has none`, `add to the zone: ${domain}. MX 10 ${hostname}.`));
  } else if (servers.includes(hostname.toLowerCase())) {
    findings.push(good('MX', `of ${domain}: ${servers.join(', ')}`));
  } else {
    const text = `of ${domain}: ${servers.join(', ')}, and we are ${hostname}`;
    findings.push(bad('MX', text, `give --hostname one of those, or add to the zone: ${domain}. MX 10 ${hostname}.`));
  }
  for (const server of servers.includes(hostname.toLowerCase()) ? [hostname] : servers) {
    findings.push(...(await checkServer(server, resolver)));
  }
  if (config.mtaSts.includes(domain.toLowerCase())) {
    findings.push(...(await checkMtaSts(domain, mtaStsPolicy(config), servers, resolver)));
  }
  return findings;
}

async function checkServer(name: string, resolver: Resolver): Promise<Finding[]> {
  const [a, aaaa] = await Promise.all([ask(() => resolver.resolve4(name)), ask(() => resolver.resolve6(name))]);
  const why = a.why ?? aaaa.why;
  if (why !== undefined) return [bad('DNS', `address of ${name}: ${why}`, 'see that the DNS answers')];
  const addresses = [...a.values, ...aaaa.values];
  if (addresses.length === 0) {
    return [
      bad('address', `${name} has neither A nor AAAA`, `add to the zone: ${name}. A and AAAA with our addresses`),
    ];
  }
  const findings = [good('address', `of ${name}: ${addresses.join(', ')}`)];
  for (const address of addresses) findings.push(await checkReverse(address, name, resolver));
  return findings;
}

async function checkReverse(address: string, name: string, resolver: Resolver): Promise<Finding> {
  const { values, why } = await ask(() => resolver.reverse(address));
  if (why !== undefined) return doubtful('PTR', `of ${address}: ${why}`, 'see that the DNS answers');
  const remedy = `ask whoever gave you the address to point it back to ${name}; it matters for mail that you send`;
  if (values.length === 0) return doubtful('PTR', `${address} has none`, remedy);
  const names = values.map((one) => one.toLowerCase());
  if (!names.includes(name.toLowerCase())) return doubtful('PTR', `of ${address}: ${names.join(', ')}`, remedy);
  return good('PTR', `of ${address}: ${name}`);
}

async function checkMtaSts(
  domain: string,
  policy: MtaStsPolicy,
  servers: readonly string[],
  resolver: Resolver,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const at = `_mta-sts.${domain}`;
  const wanted = mtaStsRecord(policy);
  const { values, why } = await ask(() => resolver.resolveTxt(at));
  const records = values.map((parts) => parts.join('')).filter((text) => /^v=STSv1\b/.test(text));
  const add = `add to the zone: ${at}. TXT "${wanted}"`;
  if (why !== undefined) findings.push(bad('MTA-STS', `TXT of ${at}: ${why}`, 'see that the DNS answers'));
  else if (records.length === 0) findings.push(bad('MTA-STS', `${at} has no record, so nobody asks for the policy`, add));
  else if (records.length > 1) findings.push(bad('MTA-STS', `${at} has ${records.length} records, so none counts`, 'leave one'));
  else if (idOf(records[0]!) === idOf(wanted)) findings.push(good('MTA-STS', `${at}: ${records[0]}`));
  else findings.push(doubtful('MTA-STS', `${at}: ${records[0]}; is its id from before the policy last changed?`, `make it TXT "${wanted}"`)); // biome-ignore format: one line
  const host = await ask(() => resolver.resolve4(`mta-sts.${domain}`));
  const host6 = await ask(() => resolver.resolve6(`mta-sts.${domain}`));
  if (host.values.length + host6.values.length === 0) {
    findings.push(
      bad('MTA-STS', `mta-sts.${domain} has no address`, `add to the zone: mta-sts.${domain}. with our addresses`),
    );
  }
  const unnamed = servers.filter((server) => !policy.mx.some((pattern) => covers(pattern, server)));
  if (unnamed.length > 0) {
    findings.push(
      bad('MTA-STS', `the policy does not name ${unnamed.join(', ')}`, `give --mta-sts-mx for each server of the MX`),
    );
  }
  return findings;
}

function idOf(record: string): string | undefined {
  return /;\s*id=([a-z0-9]{1,32})\s*(?:;|$)/i.exec(record)?.[1];
}

function covers(pattern: string, server: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === server;
  return server.slice(server.indexOf('.') + 1) === pattern.slice(2);
}

/** Values, none where the DNS says that there are none, or why it did not say. */
async function ask<T>(question: () => Promise<readonly T[]>): Promise<{ values: readonly T[]; why?: string }> {
  try {
    return { values: await question() };
  } catch (error) {
    return isAbsent(error) ? { values: [] } : { values: [], why: (error as Error).message };
  }
}
