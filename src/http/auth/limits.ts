import { AUTH_LIMITS, type AuthLimits } from '../../auth/limits.ts';

/** Limits of authentication over HTTP; units are in the names. */
export interface HttpAuthLimits extends AuthLimits {
  readonly sessions: number;
  readonly sessionMs: number;
}

export const HTTP_AUTH_LIMITS: HttpAuthLimits = Object.freeze({
  ...AUTH_LIMITS,
  sessions: 1_000,
  sessionMs: 7 * 24 * 3600_000,
});
