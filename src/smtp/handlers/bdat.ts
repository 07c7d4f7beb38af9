import { parseBdatArg } from '../parse/bdat.ts';
import {
  BAD_ARGUMENT,
  BAD_CHUNK_SIZE,
  closing,
  discarding,
  FAR_TOO_BIG,
  MAIL_FIRST,
  NO_VALID_RECIPIENTS,
  RECIPIENT_FIRST,
  reply,
  SILENCE,
  type SmtpReply,
  TOO_BIG,
} from '../replies.ts';
import type { Session } from '../session.ts';
import { consultOnContent } from './data.ts';
import { dispose, refuseMessage } from './dispose.ts';

/**
 * BDAT (RFC 3030 §2). The payload follows the command without asking, so a refused chunk is read away to its last
 * octet, and the session ends when nobody can tell how long it is.
 */
export function bdat(session: Session, arg: string): SmtpReply | Promise<SmtpReply> {
  const parsed = parseBdatArg(arg);
  if (!parsed.ok) {
    session.reset();
    return parsed.octets === undefined ? BAD_CHUNK_SIZE : closing(BAD_ARGUMENT);
  }
  const { octets, last } = parsed.value;
  if (session.arrivedBytes + octets > session.limits.contentBytes) {
    const refusal = last ? refuseMessage(session, TOO_BIG) : TOO_BIG;
    session.reset();
    return readAway(session, refusal, octets);
  }
  if (session.hasChunks || !session.services.filters?.data) return take(session, octets, last);
  const answer = consultOnContent(session, () => take(session, octets, last));
  const conclude = (settled: SmtpReply): SmtpReply => {
    if (settled.outcome === 'more') return settled;
    const refusal = last ? refuseMessage(session, settled) : settled;
    session.reset();
    return discarding(refusal, octets);
  };
  return answer instanceof Promise ? answer.then(conclude) : conclude(answer);
}

function take(session: Session, octets: number, last: boolean): SmtpReply {
  session.openChunk(octets, last);
  return SILENCE;
}

/** BDAT where no recipient was accepted. */
export function bdatWithoutRecipients(session: Session, arg: string): SmtpReply {
  return refuseChunk(session, arg, session.refusedRecipients > 0 ? NO_VALID_RECIPIENTS : RECIPIENT_FIRST);
}

/** BDAT outside a transaction; also what is left of one whose earlier chunk was refused. */
export function bdatWithoutMail(session: Session, arg: string): SmtpReply {
  return refuseChunk(session, arg, MAIL_FIRST);
}

/** Refuses a chunk with its payload. */
export function refuseChunk(session: Session, arg: string, refusal: SmtpReply): SmtpReply {
  const parsed = parseBdatArg(arg);
  return parsed.ok ? readAway(session, refusal, parsed.value.octets) : BAD_CHUNK_SIZE;
}

function readAway(session: Session, refusal: SmtpReply, octets: number): SmtpReply {
  return octets > session.ceilingBytes ? FAR_TOO_BIG : discarding(refusal, octets);
}

/** A chunk is complete: an interim yes, or with LAST the message is disposed of. */
export function processChunk(session: Session): SmtpReply | Promise<SmtpReply> {
  if (session.lastChunk) return dispose(session, false);
  const { refusal } = session;
  if (refusal) {
    session.reset();
    return refusal;
  }
  return { ...reply(250, '2.0.0', `${session.chunkBytes} octets received`), outcome: 'more' };
}
