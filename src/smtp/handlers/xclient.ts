import { parseXclient } from '../parse/xclient.ts';
import { NOT_TRUSTED, OUT_OF_SEQUENCE, reply, type SmtpReply, UNKNOWN_COMMAND } from '../replies.ts';
import type { Session } from '../session.ts';
import { parting, welcome } from './other.ts';

/**
 * XCLIENT, as Postfix has it: a trusted client says whom it speaks for. The conversation starts over at the greeting,
 * with that client; who would not be greeted is told so and hung up on.
 */
export function xclient(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  const refusal = barrier(session);
  if (refusal) return refusal;
  const claims = parseXclient(arg);
  if (!claims.ok) return reply(501, '5.5.4', claims.text);
  session.speakFor(claims.value);
  return parting(welcome(session));
}

/** XCLIENT within a transaction. */
export function xclientInTransaction(session: Session): SmtpReply {
  return barrier(session) ?? OUT_OF_SEQUENCE;
}

/** Whether the client is trusted goes by the connection, never by what the client said of itself before. */
function barrier(session: Session): SmtpReply | undefined {
  const { trusted } = session.services;
  if (!trusted) return UNKNOWN_COMMAND;
  return session.isTrusted ? undefined : NOT_TRUSTED;
}
