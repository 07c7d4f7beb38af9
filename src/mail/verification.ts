/**
 * What SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489) and ARC (RFC 8617) say about who sent a message. It is found
 * out after the message has been taken, unless the operator wants it before, and stands beside the content.
 */

/** Results of RFC 8601 §2.7. */
export const AUTH_RESULTS = [
  'pass', 'fail', 'softfail', 'neutral', 'none', 'policy', 'temperror', 'permerror',
] as const; // biome-ignore format: a list of names
export type AuthResult = (typeof AUTH_RESULTS)[number];

export const AUTH_METHODS = ['spf', 'dkim', 'dmarc', 'arc'] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];

/** What one method found. */
export interface AuthFinding {
  readonly result: AuthResult;
  /** The domain that was asked; '' if there was none. */
  readonly domain: string;
  /** For people, one line; '' where the result says all. */
  readonly reason: string;
}

export interface SpfFinding extends AuthFinding {
  /** Whose domain it is: the reverse-path's, or HELO's where that is null. */
  readonly identity: 'mailfrom' | 'helo';
}

export interface DkimFinding extends AuthFinding {
  readonly selector: string;
  /** As the signature names it, e.g. `rsa-sha256`. */
  readonly algorithm: string;
}

export interface DmarcFinding extends AuthFinding {
  /** What the domain asks for when DMARC fails; '' if it asks for nothing. */
  readonly policy: 'none' | 'quarantine' | 'reject' | '';
}

export interface ArcFinding extends AuthFinding {
  /** Sets in the chain. */
  readonly instances: number;
}

export interface Verification {
  /** `failed`: nobody could tell, and `reason` says why. */
  readonly status: 'pending' | 'done' | 'failed';
  readonly reason: string;
  /** Null until it is done. */
  readonly spf: SpfFinding | null;
  /** One for each signature that was looked at; empty for a message without. */
  readonly dkim: readonly DkimFinding[];
  readonly dmarc: DmarcFinding | null;
  readonly arc: ArcFinding | null;
}

/** Is to be found out. */
export const PENDING: Verification = Object.freeze({
  status: 'pending',
  reason: '',
  spf: null,
  dkim: [],
  dmarc: null,
  arc: null,
});

/** Nobody could find out. */
export function failedVerification(reason: string): Verification {
  return { ...PENDING, status: 'failed', reason };
}

/** True if a method gave that result; for DKIM if any signature did, and `none` means that there was no signature. */
export function hasResult(verification: Verification | null, method: AuthMethod, result: AuthResult): boolean {
  if (verification?.status !== 'done') return false;
  if (method !== 'dkim') return verification[method]?.result === result;
  if (result === 'none') return verification.dkim.length === 0;
  return verification.dkim.some((signature) => signature.result === result);
}
