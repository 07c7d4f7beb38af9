import type { Recipient, Sender } from './envelope.ts';
import type { Message } from './message.ts';
import type { Verdict } from './sink.ts';

type Answer = Promise<Verdict | undefined> | Verdict | undefined;

/** Who is connected, as far as is known at each stage. */
export interface Peer {
  readonly session: string;
  readonly address: string;
  readonly port: number;
  readonly hello: string;
}

/** May refuse a client, a command or a message; answering nothing lets it pass. Asked in order, the first refusal counts. */
export interface Filter {
  readonly name: string;
  connect?(peer: Peer): Answer;
  hello?(peer: Peer): Answer;
  mail?(peer: Peer, from: Sender): Answer;
  rcpt?(peer: Peer, from: Sender, to: Recipient): Answer;
  message?(message: Message, signal: AbortSignal): Answer;
}
