import type { Protocol } from '../wire/connection.ts';
import { compile, END, type Row } from '../wire/machine.ts';
import type { Reply } from '../wire/reply.ts';
import * as directory from './handlers/directory.ts';
import * as login from './handlers/login.ts';
import * as other from './handlers/other.ts';
import type { Session } from './session.ts';

/**
 * A session with the directory of eurechat, as a table: USER, PASS, and then where one wants to be told of mail. Whatever
 * goes wrong is the end of the session.
 */
type EurechatState = 'idle' | 'user' | 'pass';

const ALL: readonly EurechatState[] = ['idle', 'user', 'pass'];

// biome-ignore format: one row a line
const ROWS: readonly Row<EurechatState, Session, string, Reply>[] = [
  { in: ['idle'], on: 'connect',   run: other.greet },
  { in: ['idle'], on: 'USER',      run: login.user,          ok: 'user', fail: END },
  { in: ['idle'], on: 'LOGIN',     run: login.user,          ok: 'user', fail: END },
  { in: ['idle'], on: 'misplaced', run: login.userExpected,  fail: END },
  { in: ['idle'], on: 'unknown',   run: login.userExpected,  fail: END },
  { in: ['idle'], on: 'badFrame',  run: login.userExpected,  fail: END },
  { in: ['user'], on: 'PASS',      run: login.pass,          ok: 'pass', fail: END },
  { in: ['user'], on: 'misplaced', run: login.passExpected,  fail: END },
  { in: ['user'], on: 'unknown',   run: login.passExpected,  fail: END },
  { in: ['user'], on: 'badFrame',  run: login.passExpected,  fail: END },
  { in: ['pass'], on: 'BIND',      run: directory.bind,      fail: END },
  { in: ['pass'], on: 'QUERY',     run: directory.query,     fail: END },
  { in: ['pass'], on: 'LEAVE',     run: directory.leave,     fail: END },
  { in: ['pass'], on: 'misplaced', run: other.notUnderstood, fail: END },
  { in: ['pass'], on: 'unknown',   run: other.notUnderstood, fail: END },
  { in: ['pass'], on: 'badFrame',  run: other.malformed,     fail: END },
  { in: ALL,      on: 'timeout',   run: other.timeout,       fail: END },
  { in: ALL,      on: 'shutdown',  run: other.shutdown,      fail: END },
  { in: ALL,      on: 'crash',     run: other.crash,         fail: END },
];

const EURECHAT: Protocol<EurechatState, Session> = {
  name: 'eurechat',
  start: 'idle',
  states: {
    idle: { read: 'frame', deadline: 'idleMs' },
    user: { read: 'frame', deadline: 'idleMs' },
    pass: { read: 'frame', deadline: 'idleMs' },
  },
  rows: ROWS,
};

export const eurechat = compile(EURECHAT);
