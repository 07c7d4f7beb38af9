/** Every limit of a directory session with its default; nothing reads a default from anywhere else. */
export const EURECHAT_LIMITS = Object.freeze({
  /** Octets of the header of a frame, LF included. */
  lineBytes: 512,
  answerBytes: 512,
  /** Octets of the payload of a frame. */
  payloadBytes: 65_536,
  /** Silence after which a session is over. */
  idleMs: 30_000,
  /** How long a client may leave what it asked for unread. */
  writeMs: 30_000,
  /** How long a client may take to hang up after our last reply. */
  lingerMs: 2_000,
  /** How long a client may take for the handshake of TLS. */
  handshakeMs: 30_000,
  /** A failed login holds its reply back; it ends the session anyway. */
  loginFailureDelayMs: 1_000,
});

export type EurechatLimits = { readonly [limit in keyof typeof EURECHAT_LIMITS]: number };

/** Limits of the directory that the sessions share, and of its calls to endpoints. */
export const DIRECTORY_LIMITS = Object.freeze({
  /** Bindings in all, of one user, and of one client address. */
  bindings: 500,
  bindingsPerUser: 8,
  bindingsPerAddress: 32,
  /** How often endpoints are asked whether they are still there. */
  checkMs: 10_000,
  /** Wait for an endpoint to take a connection. */
  connectMs: 2_000,
  /** Wait for its PONG, once connected. */
  pongMs: 2_000,
  /** How long it may take to hang up after a notice before we do. */
  hangUpMs: 100,
  /** Rest between two calls to one endpoint: `nc -l` in a loop needs a moment to listen again. */
  restMs: 50,
  /** Notices that wait for one endpoint; more are dropped. */
  waitingNotices: 100,
  /** Octets of what QUERY gives; lines beyond are left out. */
  resultBytes: 65_536,
  /** Characters of sender and subject in a notice. */
  textCharacters: 200,
});

export type DirectoryLimits = { readonly [limit in keyof typeof DIRECTORY_LIMITS]: number };
