import type { Reply } from '../../wire/reply.ts';
import { AUTHENTICATED, AUTHENTICATION_FAILED, ack, NO_CLEAR_TEXT, PASS_EXPECTED, USER_EXPECTED } from '../replies.ts';
import type { Session } from '../session.ts';

/** USER, or LOGIN: any name is taken, whether or not there is mail. */
export function user(session: Session, name: string): Reply {
  // before the password has been said where others could hear it
  if (!session.mayLogIn) return NO_CLEAR_TEXT;
  const known = session.services.doorkeeper.nameOf(name);
  if (known === undefined) return USER_EXPECTED;
  session.user = known;
  return ack(`hi ${name}, authentication required`);
}

/** PASS. */
export async function pass(session: Session, secret: string): Promise<Reply> {
  if (secret === '' || secret.includes(' ')) return PASS_EXPECTED;
  const admission = await session.services.doorkeeper.admit(session.user, secret, session.address);
  session.judged(admission);
  return admission.ok ? AUTHENTICATED : AUTHENTICATION_FAILED;
}

/** Anything but USER. */
export function userExpected(): Reply {
  return USER_EXPECTED;
}

/** Anything but PASS. */
export function passExpected(): Reply {
  return PASS_EXPECTED;
}
