import { expect, it } from 'vitest';
import { describeWithPeers } from '../../support/peers.ts';
import { MIXED_SET } from './mixed-set.ts';
import { startPostfix } from './postfix.ts';
import { linesWith, relaysUnchanged } from './relay.ts';

describeWithPeers('Postfix relaying', ['postfix'], ({ postfix }) => {
  const { mta } = relaysUnchanged({
    mails: MIXED_SET,
    start: ({ smtpPort }) => startPostfix(postfix, smtpPort),
  });

  it('has an end-of-data reply with our id for everything it sent', () => {
    const sent = [
      ...mta()
        .log()
        .matchAll(/status=sent \((.*)\)$/gm),
    ].map((match) => match[1]);
    expect(sent.length).toBe(MIXED_SET.reduce((sum, mail) => sum + mail.to.length, 0));
    for (const reply of sent) expect(reply).toMatch(/^250 2\.0\.0 OK queued as [0-9a-z]+$/);
    expect(linesWith(mta(), /warning|fatal|panic|status=(deferred|bounced)/)).toEqual([]);
  });
});

describeWithPeers('Postfix relaying with smtp_tls_security_level = encrypt', ['postfix'], ({ postfix }) => {
  const { mta, daemon } = relaysUnchanged({
    mails: MIXED_SET.slice(0, 6),
    start: ({ smtpPort }) => startPostfix(postfix, smtpPort, 'encrypt'),
  });

  it('encrypted everything it sent', () => {
    expect(linesWith(mta(), /Untrusted TLS connection established/).length).toBeGreaterThan(0);
    const messages = daemon().log.filter(({ msg }) => msg === 'message');
    expect(messages.length).toBeGreaterThan(0);
    for (const line of messages) {
      expect(line).toMatchObject({ tls: 'TLSv1.3', protocol: expect.stringMatching(/^(?:UTF8|E)SMTPS$/) });
    }
    expect(linesWith(mta(), /fatal|panic|status=(deferred|bounced)/)).toEqual([]);
  });
});
