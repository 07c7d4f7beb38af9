/** How an event went: done, go on with the next step, refused, or over (say this and hang up). */
export type Outcome = 'ok' | 'more' | 'fail' | 'bye';

/** What a handler answers: how it went, and the bytes that tell the client. */
export interface Reply {
  readonly outcome: Outcome;
  /** Written as they are; empty when there is nothing to say yet. */
  readonly bytes: Buffer;
  /**
   * Follows `bytes`, read only as fast as the client takes it; the next command waits for its end. Should it throw, the
   * connection is cut: a client cannot be told in the middle of it.
   */
  readonly body?: AsyncIterable<Buffer>;
  /** Octets of input that belong to the refused event and are read away before the next one. */
  readonly discard?: number;
  /** What the client has said in advance of the state that this leads to: its event `answer` follows at once. */
  readonly answer?: string;
}
