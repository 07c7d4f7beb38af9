import { parseHelloArg } from '../parse/hello.ts';
import { BAD_CHARACTERS, BAD_HELLO, NO_SUCH_USER, type SmtpReply } from '../replies.ts';
import type { Session } from '../session.ts';

/** EHLO and LHLO (RFC 5321 §4.1.1.1, RFC 2033 §4.1): a fresh start with extensions. */
export function ehlo(session: Session, arg: string): SmtpReply {
  return hello(session, arg, true, session.services.ehloReply);
}

/** HELO: a fresh start without. */
export function helo(session: Session, arg: string): SmtpReply {
  return hello(session, arg, false, session.services.heloReply);
}

function hello(session: Session, arg: string, extended: boolean, welcome: SmtpReply): SmtpReply {
  const parsed = parseHelloArg(arg);
  if (!parsed.ok) return parsed.why === 'unsafe' ? BAD_CHARACTERS : BAD_HELLO;
  session.reset();
  session.hello = parsed.value;
  session.extended = extended;
  return welcome;
}

/** HELO and EHLO of the mailinator profile. */
export function looseHelo(session: Session, arg: string): SmtpReply {
  const answer = helo(session, arg);
  return answer.outcome === 'ok' ? answer : NO_SUCH_USER;
}
