/**
 * Every limit on what clients may do together, with its default; 0 is off. `PUBLIC_LIMITS` is what an open Internet calls
 * for, `OPEN_LIMITS` what somebody wants who tests his own programs. Nothing reads a default from anywhere else.
 */
export interface TrafficLimits {
  /** Connections open at once from one address. */
  readonly addressConnections: number;
  readonly addressConnectionsPerMinute: number;
  readonly addressMessagesPerMinute: number;
  readonly addressBytesPerMinute: number;
  readonly addressRecipientsPerMinute: number;
  /** Commands refused for good (5xx), and what came over a limit. */
  readonly addressFailuresPerMinute: number;
  /** The same for all addresses together. */
  readonly totalConnectionsPerMinute: number;
  readonly totalMessagesPerMinute: number;
  readonly totalBytesPerMinute: number;
  readonly totalRecipientsPerMinute: number;
  readonly totalFailuresPerMinute: number;
  /** What one inbox gets. */
  readonly inboxMessagesPerMinute: number;
  readonly inboxBytesPerMinute: number;
  /** Share of a limit, in percent, from which on replies are held back. */
  readonly softPercent: number;
  /** How long a reply is held back just over the soft limit; up to three times as long further on, less when busy. */
  readonly tarpitMs: number;
  /** Replies held back at once. */
  readonly totalTarpits: number;
  readonly addressTarpits: number;
  /** Leading bits of an address that stand for its owner. */
  readonly ipv4Bits: number;
  readonly ipv6Bits: number;
}

/** Bans of repeated subjects, and of mail that goes in circles. */
export interface ContentLimits {
  /** Equal subjects within two minutes that have the subject banned. */
  readonly subjectRepeats: number;
  readonly subjectBanMs: number;
  readonly subjectMessagesPerMinute: number;
  /** Received fields of a message; more is a loop (RFC 5321 §6.3). */
  readonly receivedFields: number;
}

/** What the daemon itself may cost before it sheds load. */
export interface LoadLimits {
  /** Mean delay of the event loop. */
  readonly lagMs: number;
  readonly memoryBytes: number;
}

/** What clients are held to while the daemon is strained. */
export interface StrainLimits {
  /** Share of the places for connections, in percent, from which on the daemon is strained. */
  readonly strainPercent: number;
  /** Least octets per second of content then. */
  readonly strainedBytesPerSecond: number;
  /** Longest wait for a command then. */
  readonly strainedCommandMs: number;
}

export type GuardLimits = TrafficLimits & ContentLimits & LoadLimits & StrainLimits;

export const OPEN_LIMITS: GuardLimits = Object.freeze({
  addressConnections: 0,
  addressConnectionsPerMinute: 0,
  addressMessagesPerMinute: 0,
  addressBytesPerMinute: 0,
  addressRecipientsPerMinute: 0,
  addressFailuresPerMinute: 0,
  totalConnectionsPerMinute: 0,
  totalMessagesPerMinute: 0,
  totalBytesPerMinute: 0,
  totalRecipientsPerMinute: 0,
  totalFailuresPerMinute: 0,
  inboxMessagesPerMinute: 0,
  inboxBytesPerMinute: 0,
  softPercent: 50,
  tarpitMs: 10_000,
  totalTarpits: 200,
  addressTarpits: 10,
  ipv4Bits: 32,
  ipv6Bits: 64,
  subjectRepeats: 0,
  subjectBanMs: 3_600_000,
  subjectMessagesPerMinute: 0,
  receivedFields: 0,
  lagMs: 0,
  memoryBytes: 0,
  strainPercent: 0,
  strainedBytesPerSecond: 500,
  strainedCommandMs: 10_000,
});

/** Limits of one connection that `smtp/limits.ts` leaves open. */
export interface SessionLimits {
  readonly sessionMessages: number;
  readonly sessionBytes: number;
  readonly sessionMs: number;
  readonly greetWaitMs: number;
}

export const PUBLIC_LIMITS: GuardLimits & SessionLimits = Object.freeze({
  ...OPEN_LIMITS,
  addressConnections: 50,
  addressConnectionsPerMinute: 300,
  addressMessagesPerMinute: 300,
  addressBytesPerMinute: 256 * 1024 * 1024,
  addressRecipientsPerMinute: 1000,
  addressFailuresPerMinute: 100,
  inboxMessagesPerMinute: 300,
  inboxBytesPerMinute: 256 * 1024 * 1024,
  sessionMessages: 100,
  sessionBytes: 1024 * 1024 * 1024,
  sessionMs: 1_800_000,
  greetWaitMs: 300,
  subjectRepeats: 20,
  receivedFields: 100,
  strainPercent: 80,
  lagMs: 500,
  memoryBytes: 1024 * 1024 * 1024,
});

/** Keys that a table of counters holds at most, over which the quietest are forgotten. */
export const TABLE_KEYS = 65_536;
/** Memory of subjects looks back so far. */
export const SUBJECT_WINDOW_MS = 120_000;
