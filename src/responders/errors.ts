/** Why responders keep the daemon from starting. */
export const RESPONDER_ERRORS = Object.freeze({
  RESPONDER_UNUSABLE:
    'An agent cannot be loaded, or a folder or file that responders need cannot be used; the message names it and why.',
});

export class ResponderError extends Error {
  override readonly name = 'ResponderError';
  readonly code = 'RESPONDER_UNUSABLE';
}
