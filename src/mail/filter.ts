import type { Envelope, Recipient, Sender } from './envelope.ts';
import type { Client, Message } from './message.ts';
import type { Verdict } from './sink.ts';

/** What a filter wants: nothing (undefined), a refusal, a pause before the reply, or both. */
export interface Opinion {
  /** A refusal in the filter's words: 4xx or 5xx. 421 always ends the session. */
  readonly verdict?: Verdict;
  /** Ends the session behind the refusal. */
  readonly hangUp?: boolean;
  /** Holds the reply back; while too many replies are held back already, the client is refused with 450 instead. */
  readonly delayMs?: number;
  /**
   * Says yes and keeps nothing: of `rcpt` for this recipient, of `mail`, `data` and `message` for this message, of
   * `connect` and `hello` for every message of the session.
   */
  readonly discard?: boolean;
  /** Name of the client that the DNS confirms, to be kept with what it brings. */
  readonly clientName?: string;
  /** Why, as one of a few words that the filter has (`rate`, `listed`): what refusals are counted by. Its name if absent. */
  readonly reason?: string;
}

/** What a filter wants of a message that has come whole. */
export interface MessageOpinion extends Opinion {
  /** The message as later filters and the sink shall see it; `amend` makes it. The one that came stays beside it. */
  readonly message?: Message;
  /** Why the message shall be kept from its readers' eyes; it is accepted all the same. */
  readonly quarantine?: string;
}

/** The session that a filter is asked about: the same object for as long as the session lasts. */
export interface Visit {
  readonly session: string;
  readonly protocol: 'SMTP' | 'LMTP';
  /** As known so far. */
  readonly client: Client;
}

export type Opined<O extends Opinion = Opinion> = O | undefined | Promise<O | undefined>;

/** What was happening when something was refused. */
export type Phase = 'connect' | 'hello' | 'mail' | 'rcpt' | 'data' | 'message' | 'unknown';

/**
 * May refuse what a client says, where it says it.
 *
 * Each function is asked when the command is sound and would be accepted. Several filters are asked in order, and the
 * first refusal (or `discard`) is the last word. One that throws, is late, or gives no valid verdict is reported, and
 * counts as `whenFailing` says. While a filter waits the client waits; who has nothing to wait for returns no promise.
 */
export interface Filter {
  /** A short word: what reports and metrics call it. */
  readonly name: string;
  /** What a throw or a missed deadline means: `defer` (the default) is 451, `pass` is no opinion. */
  readonly whenFailing?: 'defer' | 'pass';
  /** Longest wait for one opinion; the daemon's own limit if absent. */
  readonly deadlineMs?: number;
  connect?(visit: Visit): Opined;
  /** EHLO, HELO or LHLO; `visit.client.hello` is the new name. */
  hello?(visit: Visit, name: string): Opined;
  mail?(visit: Visit, from: Sender): Opined;
  /** @param others the recipients accepted so far */
  rcpt?(visit: Visit, from: Sender, to: Recipient, others: readonly Recipient[]): Opined;
  /** DATA or the first BDAT: content is about to come. */
  data?(visit: Visit, envelope: Envelope): Opined;
  /** A command that nobody knows: it is refused in any case, a refusal of the filter's only chooses the words. */
  unknown?(visit: Visit, line: string): Opined;
  /** @param signal fires when the deadline has passed; whoever comes later is not listened to */
  message?(visit: Visit, message: Message, signal: AbortSignal): Opined<MessageOpinion>;
  /** A sound recipient was refused, by whomever, with the code and words that the client gets. */
  refusedRcpt?(visit: Visit, from: Sender, to: Recipient, said: Verdict): void;
  /** Something was refused, by whomever. `event` is the verb, or a signal of the machine's in lower case. */
  failed?(visit: Visit, code: number, event: string): void;
  /** The transaction that `mail` was asked about is over: finished, refused, given up or lost. */
  reset?(visit: Visit): void;
  /** The session is over; nothing of it will be asked again. */
  closed?(visit: Visit): void;
}
