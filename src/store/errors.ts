/** Every code that opening a store can fail with, and what a person does about it. */
export const STORE_ERRORS = {
  STORE_LOCKED: 'another daemon holds the data folder; stop it or name another folder',
  STORE_UNWRITABLE: 'the data folder cannot be made, read or written; the message names the path and the reason',
  STORE_MISSING: 'there is no store in the folder yet; start the daemon on it first',
  STORE_NEWER: 'the database was written by a newer version; use that version or another folder',
  STORE_CORRUPT:
    'the database file is damaged or belongs to another program; `inboxd salvage` reads what is left of it',
} as const;

export type StoreErrorCode = keyof typeof STORE_ERRORS;

/**
 * An error of the store with a code to act on: one of {@link STORE_ERRORS}, STORE_CLOSED once it is closed,
 * STORE_FAILED when its thread is gone, or a code of the system such as ENOSPC.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
