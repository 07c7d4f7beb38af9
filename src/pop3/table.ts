import type { Protocol } from '../wire/connection.ts';
import { compile, END, type Row } from '../wire/machine.ts';
import type { Reply } from '../wire/reply.ts';
import * as login from './handlers/login.ts';
import * as mail from './handlers/mail.ts';
import * as other from './handlers/other.ts';
import type { Session } from './session.ts';

/**
 * POP3 as a table (RFC 1939, CAPA of RFC 2449, STLS of RFC 2595). `authorization` and `transaction` are the states of
 * the RFC; `password` is the first of them with USER said. UPDATE is what QUIT of `transaction` does.
 */
type Pop3State = 'authorization' | 'password' | 'transaction' | 'handshake';

const BEFORE: readonly Pop3State[] = ['authorization', 'password'];
const LINE: readonly Pop3State[] = [...BEFORE, 'transaction'];
const INSIDE: readonly Pop3State[] = ['transaction'];

// biome-ignore format: one row a line
const ROWS: readonly Row<Pop3State, Session, string, Reply>[] = [
  { in: ['authorization'], on: 'connect',      run: other.greet },
  { in: BEFORE,            on: 'USER',         run: login.user,         ok: 'password', fail: 'authorization' },
  { in: ['password'],      on: 'PASS',         run: login.pass,         ok: 'transaction', fail: 'authorization' },
  { in: ['authorization'], on: 'PASS',         run: other.userFirst },
  { in: BEFORE,            on: 'STLS',         run: login.stls,         ok: 'handshake' },
  { in: ['handshake'],     on: 'secured',      run: login.secured,      more: 'authorization' },
  { in: LINE,              on: 'CAPA',         run: other.capa },
  { in: INSIDE,            on: 'STAT',         run: mail.stat },
  { in: INSIDE,            on: 'LIST',         run: mail.list },
  { in: INSIDE,            on: 'UIDL',         run: mail.uidl },
  { in: INSIDE,            on: 'RETR',         run: mail.retr },
  { in: INSIDE,            on: 'TOP',          run: mail.top },
  { in: INSIDE,            on: 'DELE',         run: mail.dele },
  { in: INSIDE,            on: 'RSET',         run: mail.rset },
  { in: INSIDE,            on: 'NOOP',         run: other.noop },
  { in: BEFORE,            on: 'QUIT',         run: other.quit,         ok: END },
  { in: INSIDE,            on: 'QUIT',         run: other.update,       ok: END, fail: END },
  { in: LINE,              on: 'misplaced',    run: other.misplaced },
  { in: LINE,              on: 'unknown',      run: other.unknown },
  { in: LINE,              on: 'badLine',      run: other.badLine },
  { in: LINE,              on: 'tooManyFails', run: other.tooManyFails, ok: END, fail: END },
  { in: LINE,              on: 'timeout',      run: other.timeout,      ok: END, fail: END },
  { in: LINE,              on: 'shutdown',     run: other.shutdown,     ok: END, fail: END },
  { in: BEFORE,            on: 'crash',        run: other.crash,        fail: 'authorization' },
  { in: INSIDE,            on: 'crash',        run: other.crash },
];

const POP3: Protocol<Pop3State, Session> = {
  name: 'pop3',
  start: 'authorization',
  states: {
    authorization: { read: 'line', deadline: 'idleMs' },
    password: { read: 'line', deadline: 'idleMs' },
    transaction: { read: 'line', deadline: 'idleMs' },
    handshake: { read: 'handshake', deadline: 'handshakeMs' },
  },
  rows: ROWS,
};

export const pop3 = compile(POP3);
