import { consult } from '../filters.ts';
import { parseHelloArg } from '../parse/hello.ts';
import { BAD_CHARACTERS, BAD_HELLO, NO_SUCH_USER, type SmtpReply } from '../replies.ts';
import { NO_KEYWORDS, type Session, type Welcome } from '../session.ts';
import { parting } from './other.ts';

/** EHLO and LHLO (RFC 5321 §4.1.1.1, RFC 2033 §4.1): a fresh start with extensions. */
export function ehlo(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  return hello(session, arg, session.services.welcome(session.offered));
}

/** HELO: a fresh start without. */
export function helo(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  return hello(session, arg, undefined);
}

/** @param welcome what EHLO is answered; absent for HELO */
function hello(session: Session, arg: string, welcome: Welcome | undefined): SmtpReply | Promise<SmtpReply> {
  const parsed = parseHelloArg(arg);
  if (!parsed.ok) return parsed.why === 'unsafe' ? BAD_CHARACTERS : BAD_HELLO;
  const { hello: before } = session;
  if (!session.services.filters?.hello) return start(session, parsed.value, welcome);
  session.hello = parsed.value; // filters see who it says it is
  const answer = consult(
    session,
    'hello',
    (filter, visit) => filter.hello!(visit, parsed.value),
    (discarding) => {
      session.discardedForGoodBy ??= discarding;
      return start(session, parsed.value, welcome);
    },
  );
  const conclude = (settled: SmtpReply): SmtpReply => {
    if (settled.outcome !== 'ok') session.hello = before;
    return settled;
  };
  return answer instanceof Promise ? answer.then(conclude) : conclude(answer);
}

function start(session: Session, name: string, welcome: Welcome | undefined): SmtpReply {
  session.reset();
  session.hello = name;
  session.extended = welcome !== undefined;
  session.announced = welcome?.keywords ?? NO_KEYWORDS;
  return welcome?.reply ?? session.services.heloReply;
}

/** HELO and EHLO of the mailinator profile. */
export function looseHelo(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  const parsed = parseHelloArg(arg);
  return parsed.ok ? parting(helo(session, arg)) : NO_SUCH_USER;
}
