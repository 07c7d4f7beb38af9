/** Limits of webhooks; nothing reads a default from anywhere else. */
export const WEBHOOK_LIMITS = Object.freeze({
  /** From the look-up of the host to the head of the reply. */
  attemptMs: 10_000,
  /** Tries before a delivery is given up. */
  attempts: 20,
  /** Time before it is given up, however often it was tried. */
  ageMs: 86_400_000,
  /** Deliveries under way to one target. */
  atOnce: 4,
  /** Deliveries that wait for one target. */
  waiting: 10_000,
  /** Dead letters kept of one target. */
  dead: 1_000,
  /** Until the second try; each further wait is twice as long as the one before. */
  firstWaitMs: 2_000,
  /** The longest wait, and the longest that is waited because a target says so. */
  longestWaitMs: 1_800_000,
  /** Failures one after the other from which on a target gets one delivery at a time. */
  failuresUntilOne: 3,
  /** How long, and how much, a reply may go on behind its head, of which nobody wants to know. */
  replyMs: 1_000,
  replyBytes: 64 * 1024,
  /** How long a stopping daemon waits for deliveries under way. */
  stopMs: 5_000,
  /** Until a store that failed is tried again. */
  retryMs: 1_000,
  /** How long a search that asks who sent a message waits to be tried again, unless it is known before. */
  unprovenMs: 30_000,
  /** Overflows of a target are told of once in this time. */
  overflowMs: 10_000,
  /** Deliveries read from the queue at a time. */
  page: 500,
  /** Octets of a file of secrets. */
  secretFileBytes: 4_096,
});
