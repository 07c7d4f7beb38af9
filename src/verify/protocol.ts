import type { Verification } from '../mail/verification.ts';

/* What daemon and verifying thread say to each other. Every message names the job that it is about. */

/** What is known of a message beside its content. */
export interface Facts {
  /** Reverse-path; '' for the null one. */
  readonly mailFrom: string;
  /** What the client called itself. */
  readonly hello: string;
  /** IP address of the client; '' if it has none. */
  readonly address: string;
}

/** Types of record that are asked for. */
export type Question = 'A' | 'AAAA' | 'MX' | 'PTR' | 'TXT';

export type ToThread =
  | { readonly kind: 'verify'; readonly job: number; readonly facts: Facts }
  /** The next octets of the content; null behind the last. */
  | { readonly kind: 'content'; readonly job: number; readonly bytes: Uint8Array | null }
  /** The store could not give the content. */
  | { readonly kind: 'lost'; readonly job: number }
  | {
      readonly kind: 'answer';
      readonly job: number;
      readonly question: number;
      readonly answer: Answer;
    };

export type Answer = { readonly records: unknown } | { readonly code: string; readonly why: string };

export type FromThread =
  | { readonly kind: 'more'; readonly job: number }
  | {
      readonly kind: 'ask';
      readonly job: number;
      readonly question: number;
      readonly name: string;
      readonly type: Question;
    }
  | { readonly kind: 'done'; readonly job: number; readonly finding: Finding };

/** What came of a message. */
export type Finding =
  | { readonly kind: 'verified'; readonly verification: Verification }
  /** The mail is made so that nobody can tell. */
  | { readonly kind: 'unreadable'; readonly why: string }
  /** It is our fault, or took too long. */
  | { readonly kind: 'gaveUp'; readonly why: string };
