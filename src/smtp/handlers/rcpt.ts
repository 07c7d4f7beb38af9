import { NO_PARAMS, type Recipient } from '../../mail/envelope.ts';
import { consult } from '../filters.ts';
import { parseMailinatorPath } from '../parse/mailinator-path.ts';
import { checkRcptParams, parseParams } from '../parse/params.ts';
import { parsePathArg } from '../parse/path.ts';
import {
  BAD_RECIPIENT,
  NO_SUCH_USER,
  RECIPIENT_OK,
  reply,
  type SmtpReply,
  STOP_THOSE_RECIPIENTS,
  TOO_MANY_RECIPIENTS,
} from '../replies.ts';
import type { Session } from '../session.ts';
import { refuse } from './faults.ts';
import { parting } from './other.ts';

/** RCPT (RFC 5321 §4.1.1.3): adds a recipient; a refused one leaves the others as they are. */
export function rcpt(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  const answer = addRecipient(session, arg);
  return answer instanceof Promise
    ? answer.then((settled) => countRefused(session, settled))
    : countRefused(session, answer);
}

function countRefused(session: Session, answer: SmtpReply): SmtpReply {
  if (answer.outcome !== 'ok') session.refusedRecipients++;
  return answer;
}

function addRecipient(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  const utf8 = session.from?.params.has('SMTPUTF8') ?? false;
  const found = parsePathArg('TO:', arg, { lenient: session.services.lenientSyntax, utf8 });
  if (!found.ok) return refuse('RCPT', found);
  if (!found.value.path) return BAD_RECIPIENT;
  const params = parseParams(found.value.rest);
  if (!params.ok) return refuse('RCPT', params);
  const known = checkRcptParams(params.value, { esmtp: session.extended, announced: session.announced }, utf8);
  if (!known.ok) return refuse('RCPT', known);
  const recipient: Recipient = { path: found.value.path, params: params.value };
  if (session.to.length >= session.limits.recipients) return telling(session, recipient, tooMany(session));
  const refusal = session.services.chaos?.strike('recipient');
  if (refusal) return telling(session, recipient, reply(refusal.code, refusal.enhanced, refusal.text));
  return accept(session, recipient);
}

/** Tells the filters that want to know of a recipient that is not accepted. */
function telling(session: Session, recipient: Recipient, answer: SmtpReply): SmtpReply {
  if (answer.outcome !== 'ok') session.tellRefusedRcpt(recipient, answer);
  return answer;
}

function accept(session: Session, recipient: Recipient): SmtpReply | Promise<SmtpReply> {
  if (!session.services.filters?.rcpt) {
    session.to.push(recipient);
    return RECIPIENT_OK;
  }
  const answer = consult(
    session,
    'rcpt',
    (filter, visit) => filter.rcpt!(visit, session.from!, recipient, session.to),
    (discarding) => {
      if (discarding) (session.discarded ??= new Set()).add(recipient);
      session.to.push(recipient);
      return RECIPIENT_OK;
    },
  );
  return answer instanceof Promise
    ? answer.then((settled) => telling(session, recipient, settled))
    : telling(session, recipient, answer);
}

/** Too many are refused one by one (RFC 5321 §4.5.3.1.10), but not without end. */
function tooMany(session: Session): SmtpReply {
  session.recipientOvershoot++;
  return session.recipientOvershoot > session.limits.recipientOvershoot ? STOP_THOSE_RECIPIENTS : TOO_MANY_RECIPIENTS;
}

/** RCPT of the mailinator profile: whatever holds an `@`. */
export function looseRcpt(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  const found = parseMailinatorPath('TO:', arg);
  if (!found.ok || !found.value.path) return NO_SUCH_USER;
  if (session.to.length >= session.limits.recipients) return NO_SUCH_USER;
  return parting(accept(session, { path: found.value.path, params: NO_PARAMS }));
}
