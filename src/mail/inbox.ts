import { normaliseDomain, type Path } from './address.ts';

/** Which part of an address names its inbox. */
export type Naming = 'full' | 'local' | 'domain';
export const NAMINGS: readonly Naming[] = ['full', 'local', 'domain'];

/** Where a message for an address goes. */
export interface InboxName {
  readonly inbox: string;
  /** What followed the first `+` of the local part, case kept; '' if there was none. */
  readonly tag: string;
}

/**
 * Names the inbox of an address: the local part in lower case (NFC) without its `+tag`, at the normalised domain.
 * `local` leaves the domain out, `domain` the local part. An address with an empty name before the `+` keeps it all.
 */
export function inboxOf(path: Path, naming: Naming = 'full'): InboxName {
  const plus = path.local.indexOf('+');
  const base = plus > 0 ? path.local.slice(0, plus) : path.local;
  const tag = plus > 0 ? path.local.slice(plus + 1) : '';
  const local = base.normalize('NFC').toLowerCase();
  const domain = normaliseDomain(path.domain);
  if (naming === 'local' || domain === '') return { inbox: local, tag };
  if (naming === 'domain') return { inbox: domain, tag };
  return { inbox: `${local}@${domain}`, tag };
}
