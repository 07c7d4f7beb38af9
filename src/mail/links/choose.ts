import type { LinkKind } from './kinds.ts';

/** Kinds in the order in which a mail is about them. */
const PURPOSES: readonly LinkKind[] = ['verify', 'reset', 'magic', 'other'];

/**
 * Chooses the link that a mail wants its reader to follow: the first that verifies, resets or signs in, else the first
 * that does not unsubscribe. With a kind the first of that kind.
 */
export function chooseLink<L extends { readonly kind: LinkKind }>(links: readonly L[], kind?: LinkKind): L | undefined {
  const kinds = kind === undefined ? PURPOSES : [kind];
  for (const wanted of kinds) {
    const found = links.find((link) => link.kind === wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}
