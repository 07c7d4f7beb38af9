import type { Path } from './address.ts';

/** ESMTP parameters of one MAIL or RCPT command: upper-case keyword to its value, or `true` where it has none. */
export type Params = ReadonlyMap<string, string | true>;

/** Who a message says it is from (RFC 5321 §4.1.1.2); `path` is null for the null reverse-path `<>`. */
export interface Sender {
  readonly path: Path | null;
  readonly params: Params;
}

/** One accepted forward-path (RFC 5321 §4.1.1.3). */
export interface Recipient {
  readonly path: Path;
  readonly params: Params;
}

/** What MAIL and RCPT said; recipients in the order they were given, repeats included. */
export interface Envelope {
  readonly from: Sender;
  readonly to: readonly Recipient[];
}

export const NO_PARAMS: Params = new Map();
