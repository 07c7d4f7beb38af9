import { ehlo } from '../smtp/handlers/hello.ts';
import { requireTls } from '../smtp/require-tls.ts';
import type { Session } from '../smtp/session.ts';
import { SMTP_STATES, type SmtpState, TRANSACTION_ROWS, TWO_WORDS } from '../smtp/table.ts';
import type { Protocol } from '../wire/connection.ts';
import { compile } from '../wire/machine.ts';

/** LMTP (RFC 2033): SMTP's rows under LHLO; the session answers the message once for each recipient. */
const LMTP: Protocol<SmtpState, Session> = {
  name: 'lmtp',
  start: 'idle',
  states: SMTP_STATES,
  twoWords: TWO_WORDS,
  rows: [
    { in: ['idle', 'ehlo', 'mail', 'rcpt', 'bdat', 'dataDone'], on: 'LHLO', run: ehlo, ok: 'ehlo' },
    ...TRANSACTION_ROWS,
  ],
};

export const lmtp = compile(LMTP);
export const lmtpTlsRequired = compile(requireTls(LMTP));
