/** How a source is asked. */
export interface Ask {
  /** All that is known is wanted. */
  readonly verbose: boolean;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * Knows users. Lines may hold anything: the protocol makes them harmless.
 * What throws is told the client as an error inside, and its cause goes to the log.
 */
export interface UserSource {
  /** Lines about a user; undefined if there is none of that name. */
  find(user: string, ask: Ask): Promise<readonly string[] | undefined>;
  /** Lines about all users; undefined if they cannot be listed. */
  list(ask: Ask): Promise<readonly string[] | undefined>;
}
