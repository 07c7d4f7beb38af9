import type { Message } from './message.ts';

/** What a sink or filter answers a client, e.g. `{ code: 550, enhanced: '5.1.1', text: 'No such mailbox' }`. */
export interface Verdict {
  /** SMTP reply code: 250 to 259, 4xx or 5xx. */
  readonly code: number;
  /** Enhanced status code (RFC 3463) of the same class as `code`. */
  readonly enhanced: string;
  /** One line of printable ASCII. */
  readonly text: string;
  /** Lines that come before it in the same reply, at most 31. */
  readonly lead?: readonly string[];
}

/**
 * Disposes of one finished message. Resolving with nothing, or with a 2xx verdict, is the promise that the message
 * is safe; a 4xx or 5xx verdict refuses it in the sink's own words; a throw becomes 451 and its cause is logged.
 * An array gives one verdict per recipient in the envelope's order (LMTP answers each; SMTP accepts if any did).
 * `signal` fires when the sink's deadline has passed; whoever comes later is not listened to.
 */
export type Sink = (message: Message, signal: AbortSignal) => Given | Promise<Given>;

// biome-ignore lint/suspicious/noConfusingVoidType: an async function without a return gives Promise<void>, and is a sink
type Given = Verdict | readonly Verdict[] | undefined | void;
