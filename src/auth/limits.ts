/** Limits of proving who one is, to whichever protocol; units are in the names. */
export interface AuthLimits {
  /** Credentials found good that are remembered, so that scrypt runs once for each and not every time. */
  readonly rememberedCredentials: number;
  /** Hashes computed at once; each takes a thread of the pool that files are read with, too. */
  readonly hashesAtOnce: number;
  /** Attempts that wait for their hash to be computed. */
  readonly waitingHashes: number;
  /** Failed attempts of one address within a window, beyond which it has to wait. */
  readonly failures: number;
  readonly failureWindowMs: number;
  /** Addresses whose failures are remembered. */
  readonly failingAddresses: number;
  /** How long a change of the file may go unnoticed. */
  readonly fileCheckMs: number;
  readonly fileBytes: number;
}

export const AUTH_LIMITS: AuthLimits = Object.freeze({
  rememberedCredentials: 1_000,
  hashesAtOnce: 2,
  waitingHashes: 64,
  failures: 20,
  failureWindowMs: 60_000,
  failingAddresses: 10_000,
  fileCheckMs: 1_000,
  fileBytes: 4 * 1024 * 1024,
});
