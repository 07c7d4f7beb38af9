import type { Credentials, Judgement } from '../../mail/authenticator.ts';
import { decodeBase64, parseOauthBearer, parsePassword, parsePlain, parseUser, parseXoauth2 } from '../parse/sasl.ts';
import {
  AUTH_CANCELLED,
  BAD_ARGUMENT,
  BAD_BASE64,
  CANNOT_CHECK_LOGIN,
  EHLO_FIRST,
  EMPTY_CHALLENGE,
  ENCRYPTION_NEEDED,
  HELLO_FIRST,
  LOGGED_IN,
  LOGGED_IN_ALREADY,
  LOGIN_BLOCKED,
  NOT_IMPLEMENTED,
  OAUTHBEARER_REFUSED,
  OUT_OF_SEQUENCE,
  PASSWORD_CHALLENGE,
  SILENCE,
  type SmtpReply,
  UNKNOWN_MECHANISM,
  USER_CHALLENGE,
  WRONG_CREDENTIALS,
  XOAUTH2_REFUSED,
} from '../replies.ts';
import type { Session } from '../session.ts';

type Answer = SmtpReply | Promise<SmtpReply>;
type Handler = (session: Session, cargo: string) => Answer;

/**
 * AUTH (RFC 4954). Each step of a mechanism is a state of the table, and what the client says there is the event
 * `answer`. An initial response is an answer that came along with its command, and is treated as one.
 */

/** AUTH with a mechanism that nobody knows, or with none. */
export function auth(session: Session, arg: string): SmtpReply {
  return barrier(session) ?? (/^[A-Za-z0-9_-]{1,20}(?: \S+)?$/.test(arg) ? UNKNOWN_MECHANISM : BAD_ARGUMENT);
}

/** AUTH before anybody has said hello. */
export function authBeforeHello(session: Session): SmtpReply {
  return session.services.logins ? HELLO_FIRST : NOT_IMPLEMENTED;
}

/** AUTH within a transaction (RFC 4954 §4). */
export function authInTransaction(session: Session): SmtpReply {
  return session.services.logins ? OUT_OF_SEQUENCE : NOT_IMPLEMENTED;
}

/** Why this client may not log in now; undefined if it may. */
function barrier(session: Session): SmtpReply | undefined {
  if (!session.services.logins) return NOT_IMPLEMENTED;
  if (!session.extended) return EHLO_FIRST;
  if (session.login) return LOGGED_IN_ALREADY;
  return session.mayLogIn ? undefined : ENCRYPTION_NEEDED;
}

/** AUTH PLAIN, XOAUTH2 and OAUTHBEARER, in which the client speaks first. */
export function begin(session: Session, response: string): SmtpReply {
  return open(session, response, EMPTY_CHALLENGE);
}

/** AUTH LOGIN, in which the daemon asks; many clients answer before it does. */
export function beginLogin(session: Session, response: string): SmtpReply {
  return open(session, response, USER_CHALLENGE);
}

function open(session: Session, response: string, challenge: SmtpReply): SmtpReply {
  const refusal = barrier(session);
  if (refusal) return refusal;
  if (response === '') return challenge;
  if (response.includes(' ')) return BAD_ARGUMENT;
  return { ...SILENCE, answer: response === '=' ? '' : response };
}

/** What a client says within an exchange: base64, or `*` to end it. */
function answered(take: (session: Session, octets: Buffer) => Answer): Handler {
  return (session, line) => {
    if (line === '*') return AUTH_CANCELLED;
    const octets = decodeBase64(line);
    return octets ? take(session, octets) : BAD_BASE64;
  };
}

export const plain = answered((session, octets) => prove(session, 'PLAIN', parsePlain(octets), WRONG_CREDENTIALS));

export const userName = answered((session, octets) => {
  session.userToProve = parseUser(octets);
  return PASSWORD_CHALLENGE; // whatever the name: what is wrong with it is said when the password is there
});

export const password = answered((session, octets) => {
  const user = session.userToProve;
  const secret = parsePassword(octets);
  session.userToProve = undefined;
  const credentials =
    user === undefined || secret === undefined ? undefined : ({ kind: 'password', user, secret } as const);
  return prove(session, 'LOGIN', credentials, WRONG_CREDENTIALS);
});

export const xoauth2 = answered((session, octets) => {
  return prove(session, 'XOAUTH2', parseXoauth2(octets), XOAUTH2_REFUSED);
});

export const oauthBearer = answered((session, octets) => {
  return prove(session, 'OAUTHBEARER', parseOauthBearer(octets), OAUTHBEARER_REFUSED);
});

/** A token was refused with a challenge that says why; whatever the client says to that ends it (RFC 7628 §3.2.3). */
export function tokenRefused(): SmtpReply {
  return WRONG_CREDENTIALS;
}

/** Has credentials judged; those that could not be read are as wrong as any. */
function prove(session: Session, mechanism: string, offered: Credentials | undefined, refusal: SmtpReply): Answer {
  const { authenticator } = session.services.logins!;
  if (!offered) return conclude(session, mechanism, { ok: false, why: 'wrong' }, refusal);
  const judgement = authenticator.judge(offered, session.address);
  return judgement instanceof Promise
    ? judgement.then((settled) => conclude(session, mechanism, settled, refusal))
    : conclude(session, mechanism, judgement, refusal);
}

function conclude(session: Session, mechanism: string, judgement: Judgement, refusal: SmtpReply): SmtpReply {
  session.reportLogin(mechanism, judgement);
  if (judgement.ok) {
    session.login = { mechanism, user: judgement.user };
    return LOGGED_IN;
  }
  if (judgement.why === 'wrong') return refusal;
  return judgement.why === 'blocked' ? LOGIN_BLOCKED : CANNOT_CHECK_LOGIN;
}
