import { matchesGlob } from '../../mail/glob.ts';

/** What a client may do: look; change and delete messages; read the counters of the daemon; everything. */
export const RIGHTS = ['read', 'delete', 'metrics', 'admin'] as const;
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
