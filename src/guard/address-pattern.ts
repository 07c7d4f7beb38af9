import { normaliseDomain, type Path } from '../mail/address.ts';
import { matchesGlob } from '../mail/glob.ts';

/**
 * Addresses by pattern: `ann@example.org`, `*-test@example.org`, `example.org`, `*.example.org`, `postmaster@*`.
 *
 * `*` stands for any characters, also none. A pattern without `@` is one of domains. Upper and lower case are the same,
 * in local parts too, as they are for inboxes; a name in Unicode and its `xn--` form are the same domain.
 */
export interface AddressPattern {
  readonly local: string;
  readonly domain: string;
  /** Characters that stand for themselves: the more, the closer the pattern. */
  readonly weight: number;
}

/** Makes a pattern of what the configuration has checked. */
export function parseAddressPattern(text: string): AddressPattern {
  const at = text.lastIndexOf('@');
  const local = at < 0 ? '*' : foldLocal(text.slice(0, at));
  const domain = foldDomain(text.slice(at + 1));
  return { local, domain, weight: weigh(local) + weigh(domain) };
}

/** The parts of an address as patterns compare them. */
export interface FoldedAddress {
  readonly local: string;
  readonly domain: string;
}

export function foldAddress({ local, domain }: Path): FoldedAddress {
  return { local: foldLocal(local), domain: normaliseDomain(domain) };
}

export function matchesPattern(pattern: AddressPattern, { local, domain }: FoldedAddress): boolean {
  return matchesGlob(pattern.domain, domain) && matchesGlob(pattern.local, local);
}

function foldLocal(local: string): string {
  return local.normalize('NFC').toLowerCase().normalize('NFC');
}

/** A label in which `*` stands has no `xn--` form; the others have. */
function foldDomain(domain: string): string {
  if (!domain.includes('*')) return normaliseDomain(domain);
  const labels = domain.split('.').map((label) => (label.includes('*') ? label.toLowerCase() : normaliseDomain(label)));
  return labels.join('.');
}

function weigh(glob: string): number {
  return glob.replaceAll('*', '').length;
}
