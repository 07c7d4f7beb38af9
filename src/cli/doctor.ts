import type { Config } from '../config/settings.ts';
import { createResolver } from '../dns/resolver.ts';
import { checkCertificates } from '../doctor/certificates.ts';
import { checkDomain } from '../doctor/domain.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkFolder, checkMachine } from '../doctor/machine.ts';
import { checkPorts } from '../doctor/ports.ts';
import { checkStore } from '../doctor/store.ts';
import { checkWebhooks } from '../doctor/webhooks.ts';
import { EXIT } from './exit-codes.ts';
import { oneLine, print, printJson } from './output.ts';
import { daemonPid } from './running-daemon.ts';

const DNS_MS = 5000;
const MARK = { good: 'ok  ', doubtful: 'hmm ', bad: 'BAD ' } as const;

/**
 * `inboxd doctor`: looks at everything that the daemon of this configuration needs, and says what to put right.
 * @returns UNUSABLE if anything is bad; what is doubtful is told and passes
 */
export async function doctor(config: Config, domain: string | undefined, options: { json?: boolean }): Promise<number> {
  const findings: Finding[] = [
    ...checkMachine(config),
    ...checkFolder(config),
    ...checkStore(config),
    ...(await checkPorts(config.listen, daemonPid(config.data))),
    ...(await checkCertificates(config)),
  ];
  const servers = config.dnsServer === '' ? [] : [config.dnsServer];
  const resolver = createResolver({ servers, deadlineMs: DNS_MS });
  findings.push(...(await checkWebhooks(config, resolver)));
  if (domain !== undefined) findings.push(...(await checkDomain(domain, config, resolver)));
  if (options.json) printJson(findings);
  else for (const finding of findings) tell(finding);
  return findings.some(({ level }) => level === 'bad') ? EXIT.UNUSABLE : EXIT.OK;
}

function tell({ check, level, text, remedy }: Finding): void {
  print(`${MARK[level]} ${check.padEnd(12)} ${oneLine(text)}`);
  if (remedy !== undefined) print(`${' '.repeat(18)}-> ${oneLine(remedy)}`);
}
