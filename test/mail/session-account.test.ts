import { expect, it } from 'vitest';
import type { Report } from '../../src/mail/report.ts';
import { SessionAccount } from '../../src/mail/session-account.ts';

it('the account of a session says what it was from its beginning to its end', () => {
  const reports: Report[] = [];
  const account = new SessionAccount('POP3', '192.0.2.1', (report) => reports.push(report));
  const facts = { protocol: 'POP3', session: account.id, address: '192.0.2.1' };
  account.loginRefused('wrong');
  account.loggedIn('a@x.test');
  account.crashed('RETR', 'transaction', 'cause');
  account.commands += 3;
  account.failures++;
  account.messages += 2;
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  account.ended({ reason: 'error', bytesIn: 10, bytesOut: 20, trouble: 'ECONNRESET' }, tls);
  expect(reports).toEqual([
    { type: 'session-start', ...facts },
    { type: 'login-refused', ...facts, mechanism: 'USER', why: 'wrong', user: '' },
    { type: 'login', ...facts, mechanism: 'USER', user: 'a@x.test' },
    { type: 'crash', where: 'RETR', session: account.id, state: 'transaction', error: 'cause' },
    {
      type: 'session-end',
      ...facts,
      hello: '',
      tls,
      messages: 2,
      commands: 3,
      failures: 1,
      bytesIn: 10,
      bytesOut: 20,
      milliseconds: expect.any(Number),
      reason: 'error',
      trouble: 'ECONNRESET',
    },
  ]);
});
