import type { AuthFinding, Verification } from '../mail/verification.ts';
import { oneLine } from './output.ts';

/** Who really sent a message, as names and values for people; empty where nobody asked. */
export function verificationFacts(verification: Verification | null): [string, string][] {
  if (verification === null) return [];
  const { status, reason, spf, dkim, dmarc, arc } = verification;
  if (status === 'pending') return [['Verified', 'not yet']];
  if (status === 'failed') return [['Verified', reason === '' ? 'failed' : `failed: ${oneLine(reason)}`]];
  const facts: [string, string][] = [];
  if (spf) facts.push(['SPF', tell(spf, spf.identity === 'helo' ? ['identity helo'] : [])]);
  if (dkim.length === 0) facts.push(['DKIM', 'none']);
  for (const signature of dkim) {
    const { selector, algorithm } = signature;
    facts.push(['DKIM', tell(signature, [selector === '' ? '' : `selector ${selector}`, algorithm])]);
  }
  if (dmarc) facts.push(['DMARC', tell(dmarc, [dmarc.policy === '' ? '' : `policy ${dmarc.policy}`])]);
  if (arc) facts.push(['ARC', tell(arc, [arc.instances === 0 ? '' : `instances ${arc.instances}`])]);
  return facts;
}

/** `fail for example.org (policy reject): the reason`, without what is not known. */
function tell({ result, domain, reason }: AuthFinding, details: readonly string[]): string {
  const known = details.filter((detail) => detail !== '').map((detail) => oneLine(detail));
  return [
    result,
    domain === '' ? '' : ` for ${oneLine(domain)}`,
    known.length === 0 ? '' : ` (${known.join(', ')})`,
    reason === '' ? '' : `: ${oneLine(reason)}`,
  ].join('');
}
