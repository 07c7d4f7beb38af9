/** What keeps HTTP from starting, by stable code. */
export const HTTP_ERRORS = Object.freeze({
  HTTP_OPEN:
    'HTTP would be open to other machines without authentication; give http-auth, or http-open to want just that.',
  AUTH_UNUSABLE: 'The file of http-auth cannot be read, or a line of it is no entry; the message names the line.',
});

export type HttpErrorCode = keyof typeof HTTP_ERRORS;

/** Something that has to be put right before HTTP can start; `message` says what. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: HttpErrorCode;

  constructor(code: HttpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
