import { describe, expect, it } from 'vitest';
import { authenticationResults, withoutForgedResults } from '../../src/mail/authentication-results.ts';
import { traceHeaders } from '../../src/mail/trace.ts';
import { PENDING } from '../../src/mail/verification.ts';
import { sampleMessage } from '../store/support.ts';
import { verified } from '../support/verifications.ts';

describe('Authentication-Results (RFC 8601)', () => {
  it('says what was found, a line for each', () => {
    const found = verified({ spf: 'pass', dkim: ['pass', 'fail'], dmarc: 'pass' });
    expect(authenticationResults(found, 'mx.example.com').split('\r\n\t')).toEqual([
      'Authentication-Results: mx.example.com;',
      'spf=pass',
      ' smtp.mailfrom=example.org;',
      'dkim=pass',
      ' header.d=example.org',
      ' header.s=s1',
      ' header.a=rsa-sha256;',
      'dkim=fail',
      ' header.d=example.org',
      ' header.s=s1',
      ' header.a=rsa-sha256;',
      'dmarc=pass',
      ' policy.dmarc=reject',
      ' header.from=example.org;',
      'arc=none\r\n',
    ]);
  });

  it('says that there was no signature', () => {
    expect(authenticationResults(verified({}), 'mx')).toContain('dkim=none;');
  });

  it('says nothing while nothing is known', () => {
    expect(authenticationResults(PENDING, 'mx')).toBe('');
    expect(authenticationResults(undefined, 'mx')).toBe('');
    expect(traceHeaders(sampleMessage(), 'mx').toString()).not.toContain('Authentication-Results');
  });

  it('Metadata injection: nothing that a mail or DNS says leaves its quotes', () => {
    const found = verified({ dkim: ['fail'] });
    const hostile = 'x"; dkim=pass\r\nBcc: all@example.com\u2028\\';
    const dkim = found.dkim.map((one) => ({ ...one, reason: hostile, selector: hostile }));
    const text = authenticationResults({ ...found, dkim }, 'mx');
    expect(text).toContain('reason="x\\"; dkim=pass??Bcc: all@example.com?\\\\"');
    for (const line of text.trimEnd().split('\r\n').slice(1)) expect(line).toMatch(/^\t[\x20-\x7e]+$/);
  });

  it('stands above our Received', () => {
    const message = { ...sampleMessage(), verification: verified({ dmarc: 'pass' }) };
    const names = traceHeaders(message, 'mx')
      .toString()
      .match(/^[\w-]+(?=:)/gm);
    expect(names).toEqual(['Return-Path', 'Authentication-Results', 'Received']);
  });
});

describe('withoutForgedResults (RFC 8601 §5)', () => {
  async function pass(text: string, step: number): Promise<string> {
    const bytes = Buffer.from(text, 'latin1');
    async function* views() {
      for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
    }
    const out: Buffer[] = [];
    for await (const view of withoutForgedResults(views(), 'MX.example.com')) out.push(Buffer.from(view));
    return Buffer.concat(out).toString('latin1');
  }
  const steps = [1, 7, 1_000_000];
  const inEverySize = async (text: string, expected: string): Promise<void> => {
    for (const step of steps) expect(await pass(text, step)).toBe(expected);
  };

  it.each([
    'Authentication-Results: mx.example.com; spf=pass\r\n',
    'authentication-RESULTS : mx.EXAMPLE.com 1; spf=pass\r\n',
    'Authentication-Results:\r\n\tmx.example.com;\r\n dkim=pass\r\n',
    'Authentication-Results: (a comment; (in one)) "mx.example.com"; none\r\n',
    'Authentication-Results: m\\x.example.com; none\r\n',
    'Authentication-Results: mx.example.com\n',
    'Authentication-Results: mx.example.com',
    `Authentication-Results: (${'x'.repeat(70_000)}) mx.example.com; none\r\n`,
    `Authentication-Results: (${'\r\n x'.repeat(30_000)}) mx.example.com; none\r\n`,
  ])('takes out what claims to be ours: %.50j', async (forged) => {
    await inEverySize(`A: 1\r\n${forged}`, 'A: 1\r\n');
    if (forged.endsWith('\n')) await inEverySize(`${forged}B: 2\r\n\r\n${forged}`, `B: 2\r\n\r\n${forged}`);
  });

  it.each([
    'Authentication-Results: other.example.com; spf=pass\r\n\r\n',
    'X-Authentication-Results: mx.example.com; spf=pass\r\n\r\nx',
    'ARC-Authentication-Results: i=1; mx.example.com; spf=pass\r\n\r\n',
    '\r\nAuthentication-Results: mx.example.com; spf=pass\r\n',
    '\nAuthentication-Results: mx.example.com; spf=pass\n',
    'no field\r\n\0\r\n',
    '',
    '\r',
    `${'x'.repeat(200_000)}\r\nA: 1\r\n y\r\n\r\nbody\rwith\n\0bytes\xff`,
    ' begins with a blank\r\nA: 1',
  ])('leaves everything else as it is: %.50j', async (text) => {
    await inEverySize(text, text);
  });
});
