import type { Reach } from '../outbound/pinned-request.ts';

/** Somebody who is told of mail by an HTTP request. */
export interface Target {
  /** Stable: what waits for it is kept by this name. */
  readonly name: string;
  readonly url: URL;
  /** Globs of inboxes; empty is all. */
  readonly inboxes: readonly string[];
  /** Search that a message has to be found by; '' is every message. */
  readonly query: string;
  /** Which addresses may be asked. */
  readonly reach: Reach;
  /** PEM of authorities to trust instead of those that the system does. */
  readonly ca: string | undefined;
  /** Keys of its signatures, the newest first; none where it is not signed. */
  readonly secrets: () => readonly Buffer[];
}

/** What may be said of a target in public: paths and parameters of a URL are often its secret. */
export function hostOf({ url }: Pick<Target, 'url'>): string {
  return url.host;
}
