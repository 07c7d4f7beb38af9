/** Limits of the HTTP side; units are in the names. */
export interface HttpLimits {
  /** Body of an API request. */
  readonly bodyBytes: number;
  /** HTML of one mail, its own pictures included, that the page has cleaned. */
  readonly frameBytes: number;
  /** A message id or the name of an inbox in a path. */
  readonly parameterCharacters: number;
  /** Until the header of a request has come in, and until all of it has; looked at every few seconds. */
  readonly headerMs: number;
  readonly requestMs: number;
  readonly timeoutCheckMs: number;
  /** How long a connection may carry nothing; more than a request may wait. */
  readonly silentMs: number;
  /** Header block of a message that `/headers` reads. */
  readonly messageHeaderBytes: number;
  readonly messageHeaderFields: number;
  /** What taking one message apart may take. */
  readonly parseMs: number;
  /** Messages kept taken apart, so that opening one and its images parses it once. */
  readonly cachedMessages: number;
  /** Their octets together; a message that is larger alone is not kept. */
  readonly cachedBytes: number;
  /** Requests that wait for a message, and the longest that one may. */
  readonly waiters: number;
  readonly waitSeconds: number;
  /** Streams of live events. */
  readonly streams: number;
  /** Octets of events that a client has not read, beyond which it is cut off. */
  readonly unreadEventBytes: number;
  /** How long a client that catches up may read nothing. */
  readonly drainMs: number;
  /** Between two signs of life of a stream. */
  readonly heartbeatMs: number;
  /** What a client of a stream is to wait before it comes back. */
  readonly retryMs: number;
}

export const HTTP_LIMITS: HttpLimits = Object.freeze({
  bodyBytes: 5 * 1024 * 1024,
  frameBytes: 64 * 1024 * 1024,
  parameterCharacters: 1_024,
  headerMs: 10_000,
  requestMs: 30_000,
  timeoutCheckMs: 5_000,
  silentMs: 330_000,
  messageHeaderBytes: 1024 * 1024,
  messageHeaderFields: 20_000,
  parseMs: 10_000,
  cachedMessages: 16,
  cachedBytes: 32 * 1024 * 1024,
  waiters: 20_000,
  waitSeconds: 300,
  streams: 2_000,
  unreadEventBytes: 1024 * 1024,
  drainMs: 30_000,
  heartbeatMs: 15_000,
  retryMs: 1_000,
});

/** What clients may have at a time; units are in the names, and 0 is no bound but for `connections`. */
export interface ClientLimits {
  /** Of all together, those on this machine included. */
  readonly connections: number;
  readonly connectionsPerClient: number;
  readonly requestsPerMinute: number;
  /** Requests that are held open: live events and waiting. */
  readonly heldPerClient: number;
  /** Clients that are remembered while they have no connection. */
  readonly remembered: number;
}

export const CLIENT_LIMITS: ClientLimits = Object.freeze({
  connections: 20_000,
  connectionsPerClient: 1_000,
  requestsPerMinute: 12_000,
  heldPerClient: 1_000,
  remembered: 10_000,
});
