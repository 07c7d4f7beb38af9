import { domainToASCII } from 'node:url';

/** A mailbox of the envelope (RFC 5321 §4.1.2, RFC 6531 §3.3). */
export interface Path {
  /** Local part with quoting undone; case and UTF-8 kept exactly. */
  readonly local: string;
  /** Domain or address literal (with its brackets) as sent; '' for `postmaster` without domain. */
  readonly domain: string;
  /** The mailbox as it stood between the angle brackets, without source route. */
  readonly text: string;
}

/**
 * Brings a domain to the one form that names are compared in: lower-case A-labels, no trailing dot.
 * Address literals and what IDNA refuses are only lower-cased.
 */
export function normaliseDomain(domain: string): string {
  const plain = domain.endsWith('.') ? domain.slice(0, -1) : domain;
  if (plain.startsWith('[')) return plain.toLowerCase();
  if (/^[a-z0-9.-]*$/.test(plain)) return plain;
  return domainToASCII(plain) || plain.toLowerCase();
}
