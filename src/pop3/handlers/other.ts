import type { Reply } from '../../wire/reply.ts';
import { listing } from '../maildrop.ts';
import {
  BAD_CHARACTERS,
  BROKEN,
  ENDLESS_LINE,
  IS_LOGGED_IN,
  LINE_ENDS,
  LINE_TOO_LONG,
  LOGIN_FIRST,
  multiLine,
  NO_ARGUMENT_TAKEN,
  NO_TLS_HERE,
  NOT_ALL_DELETED,
  NOT_POP3,
  OUT_OF_SEQUENCE,
  ok,
  SHUTTING_DOWN,
  TIMED_OUT,
  TOKEN_ENDED,
  TOO_MANY_ATTEMPTS,
  TOO_MANY_FAILURES,
  UNKNOWN_COMMAND,
  USER_FIRST,
} from '../replies.ts';
import type { Session } from '../session.ts';

const OK = ok('Nothing done');
const BYE = ok('Bye');

/** The greeting; without a time stamp, since APOP wants the secret itself and only hashes are kept. */
export function greet({ services }: Session): Reply {
  return ok(`${services.hostname} POP3 inboxd`);
}

/** CAPA (RFC 2449): what can be said now. */
export function capa(session: Session, arg: string): Reply {
  if (arg !== '') return NO_ARGUMENT_TAKEN;
  const { expire } = session.services;
  const lines = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING'];
  if (session.mayLogIn) lines.splice(1, 0, 'USER');
  if (session.offersStls) lines.push('STLS');
  if (expire !== undefined) lines.push(`EXPIRE ${expire}`);
  lines.push('IMPLEMENTATION inboxd');
  return multiLine('Capabilities follow', listing(lines));
}

export function noop(_session: Session, arg: string): Reply {
  return arg === '' ? OK : NO_ARGUMENT_TAKEN;
}

/** QUIT of a client that has not logged in. */
export function quit(_session: Session, arg: string): Reply {
  return arg === '' ? BYE : { ...NO_ARGUMENT_TAKEN, outcome: 'more' };
}

/** QUIT of a client that has (RFC 1939 §6): what is marked is removed now, and only now. */
export async function update(session: Session, arg: string): Promise<Reply> {
  if (arg !== '') return { ...NO_ARGUMENT_TAKEN, outcome: 'more' };
  if (!session.pass!.holds()) return TOKEN_ENDED;
  try {
    await session.maildrop.update();
  } catch (error) {
    session.crashed('transaction', 'update', error);
    return NOT_ALL_DELETED;
  }
  return BYE;
}

export function userFirst(): Reply {
  return USER_FIRST;
}

/** A command that another state knows. */
export function misplaced(session: Session, line: string): Reply {
  if (session.pass === undefined) return LOGIN_FIRST;
  return /^(?:USER|PASS|STLS)\b/i.test(line) ? IS_LOGGED_IN : OUT_OF_SEQUENCE;
}

/**
 * A verb that no row knows. The beginning of a request of HTTP, or a header field, means that somebody's browser or
 * content has been made to speak to us (ALPACA): nothing behind it may run.
 */
export function unknown(_session: Session, line: string): Reply {
  return /^(?:(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT|TRACE|DELETE|PATCH|PRI) |[\w-]+:)/.test(line)
    ? NOT_POP3
    : UNKNOWN_COMMAND;
}

/** A line that is none; the argument says why. */
export function badLine(_session: Session, trouble: string): Reply {
  switch (trouble) {
    case 'tooLong':
      return LINE_TOO_LONG;
    case 'endless':
      return ENDLESS_LINE;
    case 'tls':
      return NO_TLS_HERE;
    case 'bareLineFeed':
    case 'bareCarriageReturn':
      return LINE_ENDS;
    default:
      return BAD_CHARACTERS;
  }
}

export function tooManyFails(session: Session): Reply {
  return session.loginsFailed ? TOO_MANY_ATTEMPTS : TOO_MANY_FAILURES;
}

export function timeout(): Reply {
  return TIMED_OUT;
}

export function shutdown(): Reply {
  return SHUTTING_DOWN;
}

/** A handler threw; the session goes on, and a login has not happened. */
export function crash(): Reply {
  return BROKEN;
}
