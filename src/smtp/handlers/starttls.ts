import {
  NO_ARGUMENT_TAKEN,
  NOT_IMPLEMENTED,
  OUT_OF_SEQUENCE,
  READY_FOR_TLS,
  SILENCE,
  type SmtpReply,
  TLS_FIRST,
  TLS_IS_ON,
} from '../replies.ts';
import type { Session } from '../session.ts';
import { refuseChunk } from './bdat.ts';

/** STARTTLS (RFC 3207 §4) where no transaction is open: the handshake may begin. */
export function starttls(session: Session, arg: string): SmtpReply {
  return refusalOf(session) ?? (arg === '' ? READY_FOR_TLS : NO_ARGUMENT_TAKEN);
}

/** STARTTLS in a transaction, which would be lost. */
export function starttlsTooLate(session: Session): SmtpReply {
  return refusalOf(session) ?? OUT_OF_SEQUENCE;
}

function refusalOf({ encrypted, services }: Session): SmtpReply | undefined {
  if (encrypted) return TLS_IS_ON;
  return services.starttls ? undefined : NOT_IMPLEMENTED;
}

/** The handshake is done and the session has forgotten what went before; the client speaks next. */
export function secured(): SmtpReply {
  return SILENCE;
}

/** A command that has to wait for TLS, on a listener that requires it (RFC 3207 §4). */
export function tlsFirst(): SmtpReply {
  return TLS_FIRST;
}

/** BDAT before TLS: its payload comes all the same. */
export function bdatBeforeTls(session: Session, arg: string): SmtpReply {
  return refuseChunk(session, arg, TLS_FIRST);
}
