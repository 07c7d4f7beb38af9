/** Every limit of finger with its default; nothing reads a default from anywhere else. */
export const FINGER_LIMITS = Object.freeze({
  /** Octets of a query, line end included. */
  lineBytes: 512,
  answerBytes: 512,
  /** Wait for a whole query. */
  queryMs: 10_000,
  /** Wait for what the source knows. */
  sourceMs: 10_000,
  /** Characters of the whole answer; the rest is cut. */
  replyCharacters: 65_536,
  /** Characters of one line. */
  lineCharacters: 200,
  writeMs: 30_000,
  lingerMs: 2_000,
  handshakeMs: 10_000,
});

export type FingerLimits = { readonly [limit in keyof typeof FINGER_LIMITS]: number };

/** Limits of the sources that ask others. */
export const SOURCE_LIMITS = Object.freeze({
  /** Octets of the answer of a command or a server, and of a file. */
  outputBytes: 65_536,
  /** Commands or requests at once, and queries that wait for one of them to end. */
  atOnce: 4,
  waiting: 16,
  /** Messages shown of an inbox, inboxes of one name, and inboxes in a list. */
  messages: 20,
  inboxes: 20,
  list: 200,
});
