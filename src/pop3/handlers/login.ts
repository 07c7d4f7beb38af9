import type { Reply } from '../../wire/reply.ts';
import {
  BAD_ARGUMENT,
  BEGIN_TLS,
  err,
  LOGIN_BUSY,
  NO_ARGUMENT_TAKEN,
  NO_STLS,
  ONLY_THIS_MACHINE,
  ok,
  SILENCE,
  TLS_FIRST,
  TLS_IS_ON,
  TOO_MANY_ATTEMPTS,
  WRONG_LOGIN,
} from '../replies.ts';
import type { Session } from '../session.ts';

const WHY = { wrong: WRONG_LOGIN, blocked: TOO_MANY_ATTEMPTS, busy: LOGIN_BUSY, elsewhere: ONLY_THIS_MACHINE };
const USER_TAKEN = ok('Now the token, with PASS');
const NO_CLEAR_TEXT = err('Tokens are not taken in clear text from other machines', 'AUTH');

/** USER (RFC 1939 §7): any name is taken, whether or not there is mail. */
export function user(session: Session, name: string): Reply {
  if (!session.mayLogIn) return session.offersStls ? TLS_FIRST : NO_CLEAR_TEXT;
  if (name === '') return BAD_ARGUMENT;
  session.user = name;
  return USER_TAKEN;
}

/** PASS (RFC 1939 §7) opens the maildrop. */
export async function pass(session: Session, secret: string): Promise<Reply> {
  const admission = await session.services.doorkeeper.admit(session.user, secret, session.address);
  session.user = '';
  session.judged(admission);
  if (!admission.ok) return WHY[admission.why];
  const { count } = await session.open(admission.pass);
  return ok(`${count} message${count === 1 ? '' : 's'}`);
}

/** STLS (RFC 2595 §4). */
export function stls(session: Session, arg: string): Reply {
  if (arg !== '') return NO_ARGUMENT_TAKEN;
  if (session.tls) return TLS_IS_ON;
  return session.offersStls ? BEGIN_TLS : NO_STLS;
}

/** The handshake is done and the session has forgotten what went before; the client speaks next. */
export function secured(): Reply {
  return SILENCE;
}
