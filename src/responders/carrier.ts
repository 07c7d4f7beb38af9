import type { OutgoingHead } from './docket.ts';

/** A mail on its way out; lines end in CR LF. */
export interface Carried extends OutgoingHead {
  /** The content from its start; asked for once. */
  readonly content: () => AsyncIterable<Buffer>;
  /** To be awaited before the last octets leave, where nobody can tell afterwards whether they have arrived. */
  readonly handOver: () => Promise<void>;
}

/** What became of it. `where` names what took it, `why` says why nothing did. */
export type Fate =
  | { readonly kind: 'sent'; readonly where: string }
  /** For good. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It may be tried again; `forAll` if others would fare no better now. */
  | { readonly kind: 'later'; readonly why: string; readonly forAll: boolean }
  /** It may have arrived. */
  | { readonly kind: 'unknown'; readonly why: string };

/** Brings mail out of the daemon. */
export interface Carrier {
  /** Never rejects. */
  carry(mail: Carried): Promise<Fate>;
  /** Gives up what is under way. */
  close(): void;
}
