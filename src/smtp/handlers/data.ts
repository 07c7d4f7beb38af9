import { consult } from '../filters.ts';
import {
  BARE_NEWLINES,
  BINARY_NEEDS_BDAT,
  NO_ARGUMENT_TAKEN,
  NO_SUCH_USER,
  NO_VALID_RECIPIENTS,
  QUEUED_AND_BYE,
  RECIPIENT_FIRST,
  SEND_CONTENT,
  type SmtpReply,
} from '../replies.ts';
import type { Session } from '../session.ts';
import { dispose, refuseMessage } from './dispose.ts';
import { parting } from './other.ts';

/** DATA (RFC 5321 §4.1.1.4) with recipients: content may come. */
export function data(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  if (arg !== '') return NO_ARGUMENT_TAKEN;
  if (session.from?.params.get('BODY')?.toString().toUpperCase() === 'BINARYMIME') return BINARY_NEEDS_BDAT;
  return session.services.filters?.data ? consultOnContent(session, () => open(session)) : open(session);
}

function open(session: Session): SmtpReply {
  session.openContent();
  return SEND_CONTENT;
}

/** Asks the filters whether content may come; `open` gets ready for it. */
export function consultOnContent(session: Session, open: () => SmtpReply): SmtpReply | Promise<SmtpReply> {
  const { envelope } = session;
  return consult(
    session,
    'data',
    (filter, visit) => filter.data!(visit, envelope),
    (discarding) => {
      session.discardedBy ??= discarding;
      return open();
    },
  );
}

/** DATA without recipients: all refused is another thing than none given (RFC 5321 §3.3, RFC 2033 §4.2). */
export function dataWithoutRecipients(session: Session): SmtpReply {
  if (session.refusedRecipients === 0) return RECIPIENT_FIRST;
  return session.services.protocol === 'LMTP' ? RECIPIENT_FIRST : NO_VALID_RECIPIENTS;
}

/** The lone dot has come: the message is disposed of, or refused whole. */
export function processMessage(session: Session, found: string): SmtpReply | Promise<SmtpReply> {
  const bareNewlines = found === 'bareNewlines';
  if (bareNewlines && session.services.bareNewlines === 'reject') {
    // even when refused for another reason: nothing behind an ambiguous message may run
    return refuseMessage(session, BARE_NEWLINES);
  }
  return dispose(session, bareNewlines);
}

/** DATA of the mailinator profile. */
export function looseData(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  return arg === '' ? parting(data(session, arg)) : NO_SUCH_USER;
}

/** The lone dot in the mailinator profile: one message a connection. */
export async function processOnlyMessage(session: Session, found: string): Promise<SmtpReply> {
  const answer = await processMessage(session, found);
  return answer.outcome === 'ok' ? QUEUED_AND_BYE : { ...answer, outcome: 'bye' };
}

/** Anything that the mailinator profile does not expect. */
export function noSuchUser(): SmtpReply {
  return NO_SUCH_USER;
}
