/** Every limit of an SMTP or LMTP session with its default; nothing reads a default from anywhere else. */
export const SMTP_LIMITS = Object.freeze({
  /** Octets of a command line, CR LF included (RFC 5321 §4.5.3.1.4 asks for 512, extensions add to it). */
  lineBytes: 4096,
  /** Octets of a line within an AUTH exchange, CR LF included (RFC 4954 §4). */
  answerBytes: 12_288,
  /** Octets of a message (RFC 1870). */
  contentBytes: 50 * 1024 * 1024,
  /** Recipients of one message (RFC 5321 §4.5.3.1.8: never below 100). */
  recipients: 1000,
  /** RCPT commands answered 452 for being too many before the session is cut. */
  recipientOvershoot: 1000,
  /** Wait for a whole command (RFC 5321 §4.5.3.2.7). */
  commandMs: 300_000,
  /** Wait for a whole message. */
  dataMs: 600_000,
  /** Wait for the sink's verdict; RFC 5321 §4.5.3.2.6 has the client wait 10 minutes. */
  sinkMs: 120_000,
  /** Wait for one opinion of a filter that names no deadline of its own. */
  filterMs: 60_000,
  /** How long a client may leave replies unread. */
  writeMs: 60_000,
  /** How long a client may take to hang up after our last reply. */
  lingerMs: 2_000,
  /** How long a client may take for the handshake of TLS. */
  handshakeMs: 30_000,
  /** Failed commands from which on every error is held back. */
  failuresBeforeDelay: 10,
  failureDelayMs: 1_000,
  /** The failed command that ends the session. */
  failuresBeforeCut: 20,
  /** Failed logins hold their reply back, twice as long each time; this one ends the session. */
  loginFailuresBeforeCut: 3,
  loginFailureDelayMs: 1_000,
  /** NOOP, RSET, VRFY, HELP, EHLO without a message before each more counts as a failure. */
  junkCommands: 100,
  /** Messages of one session, and octets of their content, before it is ended at MAIL; 0 is no bound. */
  sessionMessages: 0,
  sessionBytes: 0,
  /** Time that a session may last without a message accepted; 0 is no bound. */
  sessionMs: 0,
  /** Wait before the greeting, for those who speak before it; 0 looks for none. */
  greetWaitMs: 0,
  /** Entries of a message's transcript; what lies between its start and its end is left out beyond this. */
  transcriptEntries: 300,
});

export type SmtpLimits = { readonly [limit in keyof typeof SMTP_LIMITS]: number };
