/** Every limit of what milters are asked and may answer, with its default; nothing reads a default from anywhere else. */
export const MILTER_LIMITS = Object.freeze({
  /** Octets of a packet that a milter sends, its command included. */
  packetBytes: 1024 * 1024,
  /** Octets of data in a packet that it is sent; libmilter hangs up on more. */
  sentBytes: 65_535,
  /** Wait for the connection, and for one of a milter's places when all are taken. */
  connectMs: 5_000,
  /** Wait for a milter to take what is written to it. */
  writeMs: 10_000,
  /** Wait for the answer to a command. */
  commandMs: 30_000,
  /** Wait for the answer to a header or a piece of body, and for each packet after the end of the message. */
  contentMs: 120_000,
  /** Wait for the verdict after the end of the message, whatever comes before it. */
  endMs: 300_000,
  /** Wait for all milters together, from the final dot; clients give up after 10 minutes (RFC 5321 §4.5.3.2.6). */
  messageMs: 540_000,
  /** Sessions that one milter is asked about at once. */
  connections: 1_000,
  /** Octets of a header section that can be handed to milters; a message with more is refused. */
  headBytes: 1024 * 1024,
  /** Changes that a milter may want of one message. */
  edits: 1_000,
  /** Octets of the headers that it may add or write anew. */
  addedHeaderBytes: 65_536,
  /** Recipients that it may add. */
  addedRecipients: 100,
  /** Octets of the list of macros that it may ask for at one stage, and names in it. */
  macroListBytes: 4_096,
  macroNames: 50,
  /** Lines of a reply in a milter's own words, and octets of each. */
  replyLines: 32,
  replyLineBytes: 512,
  /** Octets of the reason for a quarantine. */
  reasonBytes: 500,
  /** Milters asked about each session. */
  milters: 16,
});

/** What becomes of mail while a milter cannot be asked. */
export const MILTER_DEFAULTS = ['tempfail', 'reject', 'shutdown', 'accept', 'quarantine'] as const;

export type MilterDefault = (typeof MILTER_DEFAULTS)[number];

/** Versions of the protocol that a milter can be offered. */
export const MILTER_VERSIONS = [2, 3, 4, 6] as const;

export type MilterVersion = (typeof MILTER_VERSIONS)[number];

/** One milter: where it is, and how it is to be treated. */
export interface MilterSettings {
  /** A short word: what log and metrics call it. */
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly version: MilterVersion;
  readonly whenFailing: MilterDefault;
  readonly connections: number;
  readonly connectMs: number;
  readonly commandMs: number;
  readonly contentMs: number;
  readonly endMs: number;
}
