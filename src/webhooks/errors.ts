/** What of webhooks keeps the daemon from starting. */
export const WEBHOOK_ERRORS = Object.freeze({
  WEBHOOK_UNUSABLE: 'A file of secrets or of authorities of a webhook cannot be read or used; the message names it.',
});

export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  readonly code: keyof typeof WEBHOOK_ERRORS = 'WEBHOOK_UNUSABLE';
}
