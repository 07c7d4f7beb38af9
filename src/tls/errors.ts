/** What keeps encryption from starting, by stable code. */
export const TLS_ERRORS = Object.freeze({
  TLS_UNUSABLE:
    'A certificate or key file cannot be read, or the two do not belong together; the message names the file.',
});

export type TlsErrorCode = keyof typeof TLS_ERRORS;

/** Something that has to be put right before anything can be encrypted; `message` says what. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
  readonly code: TlsErrorCode = 'TLS_UNUSABLE';
}
