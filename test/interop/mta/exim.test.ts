import { describe, expect, it } from 'vitest';
import { describeWithPeers } from '../../support/peers.ts';
import { startExim } from './exim.ts';
import { MIXED_SET } from './mixed-set.ts';
import { linesWith, type Mta, relaysUnchanged } from './relay.ts';

/** Exim's lines for deliveries: `=>` for the first recipient of a transaction, `->` for the others; K means CHUNKING. */
const deliveries = (mta: Mta) => linesWith(mta, / [=-]> /);

describeWithPeers('Exim relaying', ['exim4'], ({ exim4 }) => {
  describe('with BDAT (hosts_try_chunking = *)', () => {
    const { mta } = relaysUnchanged({
      mails: MIXED_SET,
      start: ({ smtpPort }) => startExim(exim4, smtpPort, '*'),
    });

    it('used CHUNKING for every message and deferred none', () => {
      expect(deliveries(mta()).length).toBe(MIXED_SET.reduce((sum, mail) => sum + mail.to.length, 0));
      for (const line of deliveries(mta())) expect(line).toMatch(/ K C="250[- ]/);
      expect(linesWith(mta(), / (==|\*\*) /)).toEqual([]);
    });
  });

  describe('with DATA', () => {
    const { mta } = relaysUnchanged({
      mails: MIXED_SET,
      start: ({ smtpPort }) => startExim(exim4, smtpPort, ''),
    });

    it('used no CHUNKING and deferred none', () => {
      for (const line of deliveries(mta())) expect(line).not.toMatch(/ K C="/);
      expect(linesWith(mta(), / (==|\*\*) /)).toEqual([]);
    });
  });

  describe('with hosts_require_tls = *', () => {
    const { mta, daemon } = relaysUnchanged({
      mails: MIXED_SET.slice(0, 6),
      start: ({ smtpPort }) => startExim(exim4, smtpPort, '*', '*'),
    });

    it('encrypted everything it sent', () => {
      for (const line of deliveries(mta())) expect(line).toMatch(/ X=TLS1\.3:/);
      const messages = daemon().log.filter(({ msg }) => msg === 'message');
      expect(messages.length).toBeGreaterThan(0);
      for (const line of messages) expect(line).toMatchObject({ tls: 'TLSv1.3' });
      expect(linesWith(mta(), / (==|\*\*) /)).toEqual([]);
    });
  });
});
