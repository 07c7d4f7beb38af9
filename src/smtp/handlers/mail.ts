import type { Sender } from '../../mail/envelope.ts';
import { consult } from '../filters.ts';
import { parseMailinatorPath } from '../parse/mailinator-path.ts';
import { checkMailParams, parseParams } from '../parse/params.ts';
import { parsePathArg } from '../parse/path.ts';
import {
  ENOUGH_OF_YOU,
  LOGIN_FIRST,
  NO_ROOM,
  NO_SUCH_USER,
  reply,
  SENDER_NEEDS_UTF8,
  SENDER_OK,
  type SmtpReply,
  TLS_FIRST,
  TOO_BIG,
} from '../replies.ts';
import type { Session } from '../session.ts';
import { refuse } from './faults.ts';
import { parting } from './other.ts';

/** MAIL (RFC 5321 §4.1.1.2): opens a transaction with its sender. */
export function mail(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  if (session.services.logins?.required && !session.login) return LOGIN_FIRST;
  const found = parsePathArg('FROM:', arg, { lenient: session.services.lenientSyntax, utf8: true });
  if (!found.ok) return refuse('MAIL', found);
  const params = parseParams(found.value.rest);
  if (!params.ok) return refuse('MAIL', params);
  if (params.value.has('REQUIRETLS') && session.announced.has('STARTTLS')) return TLS_FIRST; // RFC 8689 §4.2
  const facts = checkMailParams(params.value, { esmtp: session.extended, announced: session.announced });
  if (!facts.ok) return refuse('MAIL', facts);
  if (found.value.nonAscii && !facts.value.smtpUtf8) return SENDER_NEEDS_UTF8;
  if (session.isSpent) return ENOUGH_OF_YOU;
  const declared = facts.value.size ?? 0;
  if (declared > session.limits.contentBytes) return TOO_BIG;
  if (declared >= session.services.room()) return NO_ROOM;
  const refusal = session.services.chaos?.strike('sender');
  if (refusal) return reply(refusal.code, refusal.enhanced, refusal.text);
  return open(session, { path: found.value.path, params: params.value });
}

function open(session: Session, sender: Sender): SmtpReply | Promise<SmtpReply> {
  const { filters } = session.services;
  if (filters) session.filtersAwaitReset();
  if (!filters?.mail) return begin(session, sender);
  const answer = consult(
    session,
    'mail',
    (filter, visit) => filter.mail!(visit, sender),
    (discarding) => {
      session.discardedBy = discarding;
      return begin(session, sender);
    },
  );
  return answer instanceof Promise
    ? answer.then((settled) => closeIfRefused(session, settled))
    : closeIfRefused(session, answer);
}

function begin(session: Session, sender: Sender): SmtpReply {
  session.from = sender;
  return SENDER_OK;
}

/** A filter that said yes before another said no learns that nothing came of it. */
function closeIfRefused(session: Session, answer: SmtpReply): SmtpReply {
  if (answer.outcome !== 'ok') session.reset();
  return answer;
}

/** MAIL of the mailinator profile: whatever holds an `@`. */
export function looseMail(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  const found = parseMailinatorPath('FROM:', arg);
  return found.ok ? parting(open(session, { path: found.value.path, params: new Map() })) : NO_SUCH_USER;
}
