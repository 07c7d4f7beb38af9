/** Every limit of a POP3 session with its default; nothing reads a default from anywhere else. */
export const POP3_LIMITS = Object.freeze({
  /** Octets of a command line, CR LF included (RFC 2449 §4). */
  lineBytes: 255,
  answerBytes: 255,
  /** Silence after which a session is over (RFC 1939 §3 asks for 10 minutes at least). */
  idleMs: 600_000,
  /** How long a client may leave what it asked for unread. */
  writeMs: 600_000,
  /** How long a client may take to hang up after our last reply. */
  lingerMs: 2_000,
  /** How long a client may take for the handshake of TLS. */
  handshakeMs: 30_000,
  /** Lines that are no command of ours, or come at the wrong time, up to the one that ends the session. */
  failuresBeforeCut: 20,
  /** Failed logins hold their reply back, twice as long each time; this one ends the session. */
  loginFailuresBeforeCut: 3,
  loginFailureDelayMs: 1_000,
  /** Messages of a maildrop, oldest first; what lies beyond is there once those are deleted. */
  messages: 100_000,
  /** Messages whose size is remembered over all sessions, since to know it is to read them. */
  rememberedSizes: 100_000,
});

export type Pop3Limits = { readonly [limit in keyof typeof POP3_LIMITS]: number };
