import type { Authenticator } from '../mail/authenticator.ts';

/** Takes every login, for test servers; what was said is kept with the message. */
export const anybody: Authenticator = {
  judge: ({ user }) => ({ ok: true, user }),
};
