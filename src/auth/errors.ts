/** What keeps logins of mail sessions from working, by stable code. */
export const USERS_ERRORS = Object.freeze({
  USERS_UNUSABLE: 'The file of auth cannot be read, or a line of it is no entry; the message names the line.',
});

/** Something about the file of users that has to be put right; `message` says what. */
export class UsersError extends Error {
  override readonly name = 'UsersError';
  readonly code: keyof typeof USERS_ERRORS = 'USERS_UNUSABLE';
}
