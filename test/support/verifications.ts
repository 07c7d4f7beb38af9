import type { AuthResult, Verification } from '../../src/mail/verification.ts';

/** A finished verification with these results; `dkim` gives one signature for each. */
export function verified(results: {
  readonly spf?: AuthResult;
  readonly dkim?: readonly AuthResult[];
  readonly dmarc?: AuthResult;
  readonly arc?: AuthResult;
}): Verification {
  const { spf = 'none', dkim = [], dmarc = 'none', arc = 'none' } = results;
  const domain = 'example.org';
  return {
    status: 'done',
    reason: '',
    spf: { result: spf, domain, reason: '', identity: 'mailfrom' },
    dkim: dkim.map((result) => ({ result, domain, reason: '', selector: 's1', algorithm: 'rsa-sha256' })),
    dmarc: { result: dmarc, domain, reason: '', policy: 'reject' },
    arc: { result: arc, domain: '', reason: '', instances: 0 },
  };
}
