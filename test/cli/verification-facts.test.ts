import { describe, expect, it } from 'vitest';
import { verificationFacts } from '../../src/cli/verification-facts.ts';
import { failedVerification, PENDING, type Verification } from '../../src/mail/verification.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { startDaemon } from '../support/daemon-process.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { verified } from '../support/verifications.ts';
import { Folder, inboxd } from './support.ts';

const FORGED: Verification = {
  ...verified({ spf: 'softfail', dkim: ['pass', 'permerror'], dmarc: 'fail' }),
  spf: { result: 'softfail', domain: 'mx.example.org', reason: '192.0.2.1 is not permitted', identity: 'helo' },
  dmarc: {
    result: 'fail',
    domain: 'example.org',
    reason: 'no aligned\r\nmechanism \u001b[31mpassed',
    policy: 'reject',
  },
  arc: { result: 'fail', domain: 'list.example', reason: 'body hash did not verify', instances: 2 },
};

describe('what show says of who sent a message', () => {
  it('is a line for each method, with domain, details and reason', () => {
    expect(verificationFacts(FORGED)).toEqual([
      ['SPF', 'softfail for mx.example.org (identity helo): 192.0.2.1 is not permitted'],
      ['DKIM', 'pass for example.org (selector s1, rsa-sha256)'],
      ['DKIM', 'permerror for example.org (selector s1, rsa-sha256)'],
      ['DMARC', 'fail for example.org (policy reject): no aligned mechanism \\x1b[31mpassed'],
      ['ARC', 'fail for list.example (instances 2): body hash did not verify'],
    ]);
  });

  it('says none where there was no signature, and nothing where nobody asked', () => {
    expect(verificationFacts(verified({ spf: 'pass' }))).toEqual([
      ['SPF', 'pass for example.org'],
      ['DKIM', 'none'],
      ['DMARC', 'none for example.org (policy reject)'],
      ['ARC', 'none'],
    ]);
    expect(verificationFacts(null)).toEqual([]);
  });

  it('tells what is still to be found out from what nobody could find out', () => {
    expect(verificationFacts(PENDING)).toEqual([['Verified', 'not yet']]);
    expect(verificationFacts(failedVerification('it took too long'))).toEqual([
      ['Verified', 'failed: it took too long'],
    ]);
  });

  it('is on the page of the message', async () => {
    using folder = new Folder();
    const data = folder.at('data');
    const daemon = await startDaemon({ data });
    const client = await SmtpClient.open(daemon.smtpPort);
    const content = Buffer.from('Subject: hi\r\n\r\nhello\r\n');
    const [id = ''] = await deliver(client, { from: 'a@example.org', to: ['b@here.example'], content });
    await client.quit();
    await daemon.stop();
    const store = await createSqliteStore({
      directory: data,
      naming: 'full',
      keepPerInbox: 0,
      keepBytes: 0,
      keepAgeMs: 0,
      report: () => {},
    });
    await store.annotate(id, { verification: FORGED });
    await store.close();
    const { stdout } = await inboxd(['show', id, '--data', data]);
    expect(stdout).toMatch(/^SPF: +softfail for mx\.example\.org \(identity helo\): 192\.0\.2\.1 is not permitted$/m);
    expect(stdout).toMatch(/^DMARC: +fail for example\.org \(policy reject\): no aligned mechanism \\x1b\[31mpassed$/m);
    expect(stdout).toMatch(/^ARC: +fail for list\.example \(instances 2\): body hash did not verify$/m);
  });
});
