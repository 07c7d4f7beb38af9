/**
 * The policy of a document that shows a mail: no scripts, no forms, an origin of its own that owns nothing; a link that
 * a person clicks opens in a tab of its own, and only our own page may frame it.
 * @param images sources that pictures may come from, e.g. `data:`
 */
export function framePolicy(images: string): string {
  return [
    'sandbox allow-popups allow-popups-to-escape-sandbox',
    "default-src 'none'",
    `img-src ${images}`,
    "style-src 'unsafe-inline'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; ');
}
