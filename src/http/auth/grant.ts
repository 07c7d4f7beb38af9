/** What a client may do: look; change and delete messages; everything, the daemon itself included. */
export const RIGHTS = ['read', 'delete', 'admin'] as const;
export type Right = (typeof RIGHTS)[number];

/** What one client is allowed. */
export interface Grant {
  /** Id of the token or name of the user, for the log; '' where nobody has to say who he is. */
  readonly name: string;
  readonly rights: readonly Right[];
  /** Globs of the inboxes it sees; absent is all of them. */
  readonly scope?: readonly string[];
  /** Milliseconds since 1970; absent is never. */
  readonly expiresAt?: number;
}

/** For a daemon that asks nobody who he is. */
export const EVERYTHING: Grant = Object.freeze({ name: '', rights: RIGHTS });

/** For requests that nobody has been named for. */
export const NOTHING: Grant = Object.freeze({ name: '', rights: [], scope: [] });

/** True if a grant holds a right; `admin` holds them all. */
export function allows(grant: Grant, right: Right): boolean {
  return grant.rights.includes(right) || grant.rights.includes('admin');
}

/** True if a grant covers an inbox. */
export function covers(grant: Grant, inbox: string): boolean {
  return grant.scope === undefined || grant.scope.some((glob) => matchesGlob(glob, inbox));
}

/**
 * True if a name fits a glob, in which `*` stands for any characters, also none, and everything else for itself.
 * Goes back only to the last `*`, so the time is bounded by the product of both lengths, whatever they hold.
 */
export function matchesGlob(glob: string, name: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let retry = 0;
  while (at < name.length) {
    if (glob[place] === '*') {
      star = place++;
      retry = at;
    } else if (glob[place] === name[at]) {
      place++;
      at++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++retry;
    } else return false;
  }
  while (glob[place] === '*') place++;
  return place === glob.length;
}
