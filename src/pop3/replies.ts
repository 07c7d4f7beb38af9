import type { Outcome, Reply } from '../wire/reply.ts';

/** Codes in brackets that tell a program why (RFC 2449 §8, RFC 3206). */
type ResponseCode = 'AUTH' | 'SYS/TEMP' | 'SYS/PERM' | 'IN-USE';

/** `+OK` with a text. */
export function ok(text: string, outcome: Outcome = 'ok'): Reply {
  return { outcome, bytes: Buffer.from(`+OK ${text}\r\n`, 'latin1') };
}

/** A reply that says no, and what it tells whoever counts. */
export interface Refused extends Reply {
  /** A word to count by, of the few that `REASONS` has, or `command`. */
  readonly reason: string;
  readonly text: string;
}

const REASONS: Readonly<Record<ResponseCode, string>> = {
  AUTH: 'login',
  'SYS/TEMP': 'error',
  'SYS/PERM': 'policy',
  'IN-USE': 'busy',
};

/** `-ERR` with a text. */
export function err(text: string, code?: ResponseCode, outcome: Outcome = 'fail'): Refused {
  const bytes = Buffer.from(`-ERR ${code === undefined ? '' : `[${code}] `}${text}\r\n`, 'latin1');
  return { outcome, bytes, reason: code === undefined ? 'command' : REASONS[code], text };
}

/** True for a reply that says no, also where it leaves the count of failures alone. */
export function isRefused(reply: Reply): reply is Refused {
  return 'reason' in reply;
}

/** `+OK` and what follows it, stuffed and ended by its lone dot already. */
export function multiLine(text: string, body: AsyncIterable<Buffer>): Reply {
  return { ...ok(text), body };
}

/** Says nothing. */
export const SILENCE: Reply = { outcome: 'more', bytes: Buffer.alloc(0) };

export const BAD_ARGUMENT = err('That argument is not understood');
export const NO_ARGUMENT_TAKEN = err('That command takes no argument');
export const BAD_NUMBER = err('A message number is expected');
export const NO_SUCH_MESSAGE = err('No such message');
export const IS_DELETED = err('That message is marked as deleted');
export const IS_GONE = err('That message is gone: somebody else deleted it, or it was too old');
export const UNKNOWN_COMMAND = err('Command unknown');
export const OUT_OF_SEQUENCE = err('Not now');
export const USER_FIRST = err('Say USER first');
export const LOGIN_FIRST = err('Log in first, with USER and PASS');
export const IS_LOGGED_IN = err('You are logged in already');
export const WRONG_LOGIN = err('Inbox and token do not go together', 'AUTH');
export const TOO_MANY_ATTEMPTS = err('Too many failed logins, try again later', 'SYS/TEMP');
export const LOGIN_BUSY = err('Too many logins at once, try again later', 'SYS/TEMP');
export const TLS_FIRST = err('Say STLS first: nothing is said in clear text here', 'AUTH');
export const ONLY_THIS_MACHINE = err('Without tokens only this machine may look', 'AUTH');
export const MAY_NOT_DELETE = err('Your token may read and not delete', 'SYS/PERM');
export const TOKEN_ENDED = err('Your token does not hold any more; nothing was deleted', 'AUTH');
export const NOT_ALL_DELETED = err('Not all deleted messages could be removed', 'SYS/TEMP');
export const BROKEN = err('Something went wrong here, try again later', 'SYS/TEMP');
export const NO_STLS = err('STLS is not offered here');
export const TLS_IS_ON = err('TLS is on already');
export const BEGIN_TLS = ok('Begin TLS');
export const LINE_TOO_LONG = err('A line has at most 255 octets');
export const LINE_ENDS = err('Lines end with CR LF');
export const BAD_CHARACTERS = err('A line is text in UTF-8 without NUL');
export const NOT_POP3 = err('This is POP3', undefined, 'bye');
export const ENDLESS_LINE = err('That line does not end', undefined, 'bye');
export const NO_TLS_HERE = err('TLS begins with STLS here; pop3s is another port', undefined, 'bye');
export const TOO_MANY_FAILURES = err('Too many errors');
export const TIMED_OUT = err('No command for too long; nothing was deleted', 'SYS/TEMP');
export const SHUTTING_DOWN = err('Shutting down; nothing was deleted', 'SYS/TEMP');
