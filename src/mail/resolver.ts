/**
 * Asks the DNS. Each function rejects with an error whose `code` is one of Node.js's: ENOTFOUND (no such name), ENODATA
 * (no record of that type), and ETIMEOUT, ESERVFAIL, EREFUSED, ECONNREFUSED ... when it cannot be told.
 * An answer or a rejection comes within the resolver's deadline, whatever the DNS does.
 */
export interface Resolver {
  resolve4(name: string): Promise<readonly string[]>;
  resolve6(name: string): Promise<readonly string[]>;
  /** Each record as its character strings, not yet joined. */
  resolveTxt(name: string): Promise<readonly (readonly string[])[]>;
  resolveMx(name: string): Promise<readonly MxRecord[]>;
  resolveCname(name: string): Promise<readonly string[]>;
  /** Names that an IPv4 or IPv6 address points back to. */
  reverse(address: string): Promise<readonly string[]>;
}

export interface MxRecord {
  readonly exchange: string;
  readonly priority: number;
}

/** True for an error that says: there is no such record. Anything else means that nobody knows. */
export function isAbsent(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === 'ENOTFOUND' || code === 'ENODATA';
}
