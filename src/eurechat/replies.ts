import { encodeFrame } from '../wire/frame-reader.ts';
import type { Reply } from '../wire/reply.ts';

export function ack(text: string): Reply {
  return { outcome: 'ok', bytes: encodeFrame('ACK', [], Buffer.from(text)) };
}

/** Every error is the last word of its session. */
export function err(text: string): Reply {
  return { outcome: 'fail', bytes: encodeFrame('ERR', [], Buffer.from(text)) };
}

/** What was found, a line each. */
export function result(lines: readonly string[]): Reply {
  return { outcome: 'ok', bytes: encodeFrame('RESULT', [], Buffer.from(lines.join('\n'))) };
}

/** The client speaks first. */
export const SILENCE: Reply = { outcome: 'ok', bytes: Buffer.alloc(0) };

export const USER_EXPECTED = err("a 'USER <username>' command was expected!");
export const PASS_EXPECTED = err("a 'PASS <password>' command was expected!");
export const AUTHENTICATED = ack('successfully authenticated');
export const AUTHENTICATION_FAILED = err('authentication failed');
export const NO_CLEAR_TEXT = err('passwords are taken over TLS, or from this machine');
export const INVALID_BIND = err('invalid bind notification');
export const DEREGISTERED = ack('deregistered from directory');
export const MALFORMED = err('malformed message');
export const TIMED_OUT = err('no message for too long');
export const SHUTTING_DOWN = err('shutting down');
export const BROKEN = err('something went wrong here');
