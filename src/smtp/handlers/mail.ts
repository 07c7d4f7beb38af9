import { ANNOUNCED } from '../extensions.ts';
import { parseMailinatorPath } from '../parse/mailinator-path.ts';
import { checkMailParams, parseParams } from '../parse/params.ts';
import { parsePathArg } from '../parse/path.ts';
import { NO_ROOM, NO_SUCH_USER, reply, SENDER_NEEDS_UTF8, SENDER_OK, type SmtpReply, TOO_BIG } from '../replies.ts';
import type { Session } from '../session.ts';
import { refuse } from './faults.ts';

/** MAIL (RFC 5321 §4.1.1.2): opens a transaction with its sender. */
export function mail(session: Session, arg: string): SmtpReply {
  const found = parsePathArg('FROM:', arg, { lenient: session.services.lenientSyntax, utf8: true });
  if (!found.ok) return refuse('MAIL', found);
  const params = parseParams(found.value.rest);
  if (!params.ok) return refuse('MAIL', params);
  const facts = checkMailParams(params.value, { esmtp: session.extended, announced: ANNOUNCED });
  if (!facts.ok) return refuse('MAIL', facts);
  if (found.value.nonAscii && !facts.value.smtpUtf8) return SENDER_NEEDS_UTF8;
  const declared = facts.value.size ?? 0;
  if (declared > session.limits.contentBytes) return TOO_BIG;
  if (declared >= session.services.room()) return NO_ROOM;
  const refusal = session.services.chaos?.strike('sender');
  if (refusal) return reply(refusal.code, refusal.enhanced, refusal.text);
  session.from = { path: found.value.path, params: params.value };
  return SENDER_OK;
}

/** MAIL of the mailinator profile: whatever holds an `@`. */
export function looseMail(session: Session, arg: string): SmtpReply {
  const found = parseMailinatorPath('FROM:', arg);
  if (!found.ok) return NO_SUCH_USER;
  session.from = { path: found.value.path, params: new Map() };
  return SENDER_OK;
}
