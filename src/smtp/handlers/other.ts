import { consult } from '../filters.ts';
import {
  ANSWER_TOO_LONG,
  BAD_ARGUMENT,
  BAD_CHARACTERS,
  BDAT_GOES_ON,
  BYE,
  CANNOT_VERIFY,
  closing,
  EARLY_TALKER,
  ENDLESS_CONTENT,
  ENDLESS_LINE,
  HELLO_FIRST,
  LINE_ENDS,
  LINE_TOO_LONG,
  MAIL_FIRST,
  NO_ARGUMENT_TAKEN,
  NO_PROXY_HERE,
  NO_SUCH_HELP,
  NO_TLS_HERE,
  NOT_A_COMMAND,
  NOT_IMPLEMENTED,
  NOT_SERVED,
  NOT_SMTP,
  NOT_TAKEN,
  OK,
  ONE_SENDER_ONLY,
  OUT_OF_SEQUENCE,
  reply,
  SHUTTING_DOWN,
  type SmtpReply,
  TIMED_OUT,
  TOO_MANY_FAILURES,
  TOO_MANY_LOGINS,
  UNKNOWN_COMMAND,
} from '../replies.ts';
import type { Session } from '../session.ts';
import { HTTP_METHODS, VERBS } from '../verbs.ts';

/** The greeting, or 554 and a session in which only QUIT is left (RFC 5321 §3.1). */
export function greet(session: Session): SmtpReply | Promise<SmtpReply> {
  const { greetWaitMs } = session.limits;
  if (greetWaitMs === 0) return welcome(session);
  return session.waitToGreet(greetWaitMs).then((isEarly) => {
    if (isEarly) return EARLY_TALKER;
    return session.isOver ? NOT_TAKEN : welcome(session);
  });
}

/** The greeting without a wait: for who has been greeted before. */
export function welcome(session: Session): SmtpReply | Promise<SmtpReply> {
  const { filters, greeting } = session.services;
  if (!filters?.connect) return greeting;
  return consult(
    session,
    'connect',
    (filter, visit) => filter.connect!(visit),
    (discarding) => {
      session.discardedForGoodBy = discarding;
      return greeting;
    },
  );
}

/** Any command of a client that was greeted with a refusal. */
export function notServed(): SmtpReply {
  return NOT_SERVED;
}

/** A refusal is the last word, where a protocol has no second try. */
export function parting(answer: SmtpReply | Promise<SmtpReply>): SmtpReply | Promise<SmtpReply> {
  if (answer instanceof Promise) return answer.then(parting);
  return answer.outcome === 'fail' ? closing(answer) : answer;
}

/** RSET (RFC 5321 §4.1.1.5). */
export function rset(session: Session, arg: string): SmtpReply {
  if (arg !== '') return NO_ARGUMENT_TAKEN;
  session.reset();
  return OK;
}

/** NOOP takes any argument and ignores it (RFC 5321 §4.1.1.9). */
export function noop(_session: Session, arg: string): SmtpReply {
  return isPrintable(arg) ? OK : BAD_CHARACTERS;
}

export function quit(_session: Session, arg: string): SmtpReply {
  return arg === '' ? BYE : NO_ARGUMENT_TAKEN;
}

/** VRFY tells nothing about anybody (RFC 5321 §7.3). */
export function vrfy(_session: Session, arg: string): SmtpReply {
  if (arg === '') return BAD_ARGUMENT;
  return isPrintable(arg) ? CANNOT_VERIFY : BAD_CHARACTERS;
}

/** HELP, from the verb table (RFC 5321 §4.1.1.8). */
export function help(session: Session, arg: string): SmtpReply {
  const { protocol } = session.services;
  const mine = VERBS.filter(({ only }) => only === undefined || only === protocol);
  if (arg === '') {
    const { offered } = session;
    const usable = mine.filter(({ refused, extension }) => !refused && (!extension || offered.includes(extension)));
    const list = usable.map(({ verb }) => verb);
    return reply(214, '2.0.0', `Commands: ${list.join(' ')}`, 'HELP verb tells more');
  }
  if (!isPrintable(arg)) return BAD_CHARACTERS;
  const facts = mine.find(({ verb }) => verb === arg.toUpperCase());
  if (!facts) return NO_SUCH_HELP;
  return reply(214, '2.0.0', `${facts.verb} ${facts.argument}`.trim(), `${facts.summary} (${facts.rfc})`);
}

/** RCPT or DATA between chunks (RFC 3030 §2). */
export function bdatGoesOn(): SmtpReply {
  return BDAT_GOES_ON;
}

export function notImplemented(): SmtpReply {
  return NOT_IMPLEMENTED;
}

/**
 * A verb that no row knows. An HTTP method or a header field in its place means that somebody's browser or content has
 * been made to speak to us (ALPACA): nothing behind it may run. Nor behind a PROXY header of somebody whose word is not
 * taken.
 */
export function unknown(session: Session, line: string): SmtpReply | Promise<SmtpReply> {
  const word = line.split(' ', 1)[0] ?? '';
  if (word === '') return NOT_A_COMMAND;
  if (word.toUpperCase() === 'PROXY') return NO_PROXY_HERE;
  if (HTTP_METHODS.has(word) || /^[\w-]+:$/.test(word)) return NOT_SMTP;
  if (!session.services.filters?.unknown) return UNKNOWN_COMMAND;
  return consult(
    session,
    'unknown',
    (filter, visit) => filter.unknown!(visit, line),
    () => UNKNOWN_COMMAND,
  );
}

export function helloFirst(): SmtpReply {
  return HELLO_FIRST;
}

export function mailFirst(): SmtpReply {
  return MAIL_FIRST;
}

/** A second MAIL: the open transaction stays as it is (RFC 5321 §4.1.4). */
export function oneSenderOnly(): SmtpReply {
  return ONE_SENDER_ONLY;
}

export function misplaced(): SmtpReply {
  return OUT_OF_SEQUENCE;
}

/** A line that is none; the argument says why. */
export function badLine(_session: Session, trouble: string): SmtpReply {
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

/** A line that is none where the client was asked for an answer: the exchange is over. */
export function badAnswer(session: Session, trouble: string): SmtpReply {
  return trouble === 'tooLong' ? ANSWER_TOO_LONG : badLine(session, trouble);
}

export function endless(session: Session): SmtpReply {
  session.reset();
  return ENDLESS_CONTENT;
}

export function tooManyFails(session: Session): SmtpReply {
  return session.loginsFailed ? TOO_MANY_LOGINS : TOO_MANY_FAILURES;
}

export function timeout(): SmtpReply {
  return TIMED_OUT;
}

export function shutdown(): SmtpReply {
  return SHUTTING_DOWN;
}

/** A handler threw between commands: nothing half-done stays behind. */
export function crash(session: Session): SmtpReply {
  session.reset();
  return NOT_TAKEN;
}

/** ASCII without control characters: what a command may hold where SMTPUTF8 does not reach (RFC 5321 §2.4). */
function isPrintable(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
