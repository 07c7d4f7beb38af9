/** What a client of finger asks for (RFC 1288 §2.3); `user` is '' for the list of users. */
export interface FingerQuery {
  readonly user: string;
  /** `/W`: all that is known. */
  readonly verbose: boolean;
  /** It names a host behind this one that shall be asked. */
  readonly forwards: boolean;
}

/**
 * Reads a query, its line end taken off: `["/W"] [user] *("@" host)`, with blanks around and `/w` too.
 * Never fails: what is no name of a user is one that nobody has.
 */
export function parseQuery(line: string): FingerQuery {
  const text = line.replace(/^[ \t]+|[ \t]+$/g, '');
  const verbose = /^\/w(?=[ \t]|$)/i.test(text);
  const user = verbose ? text.slice(2).replace(/^[ \t]+/, '') : text;
  return { user, verbose, forwards: user.includes('@') };
}
