import { NO_ROOM, NOT_TAKEN, type SmtpReply } from './replies.ts';

const NO_ROOM_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** What a client is told when storage throws: a full disk is 452, all else 451; the cause stays with us (RFC 5321 §4.2.2). */
export function refusalFor(error: unknown): SmtpReply {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return NO_ROOM_CODES.has(code) ? NO_ROOM : NOT_TAKEN;
}
