import type { Reply } from '../../wire/reply.ts';
import { BROKEN, err, MALFORMED, SHUTTING_DOWN, SILENCE, TIMED_OUT } from '../replies.ts';

/** The client speaks first. */
export function greet(): Reply {
  return SILENCE;
}

/** A frame of a type that the directory does not know behind a login, or that holds more than it may. */
export function notUnderstood(_session: unknown, header: string): Reply {
  return err(`I did not understand the message ${header.split(' ', 1)[0]}`);
}

/** Octets that are no frame: nobody knows where the next one would begin. */
export function malformed(): Reply {
  return MALFORMED;
}

export function timeout(): Reply {
  return TIMED_OUT;
}

export function shutdown(): Reply {
  return SHUTTING_DOWN;
}

/** A handler threw. */
export function crash(): Reply {
  return BROKEN;
}
