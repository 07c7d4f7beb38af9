import { expect, it } from 'vitest';
import type { Message } from '../../src/mail/message.ts';
import type { Report } from '../../src/mail/report.ts';
import { createCounters } from '../../src/report/counters.ts';

it('counts what was accepted, with its octets, and what was refused once it had come', () => {
  const counters = createCounters();
  const message = (code: number, bytes: number): Report => ({
    type: 'message',
    protocol: 'SMTP',
    session: 's',
    message: { content: { bytes } } as Message,
    code,
    text: '',
    milliseconds: 0,
  });
  for (const report of [message(250, 100), message(250, 11), message(550, 7), message(451, 7)]) counters.report(report);
  counters.report({ type: 'stored', ids: ['x'], commitMs: 1 });
  expect(counters.counts()).toEqual({ smtpAccepted: 2, smtpAcceptedBytes: 111, smtpRejected: 2, smtpIgnored: 0 });
});
