import type { Content } from '../mail/content.ts';
import type { Envelope, Recipient } from '../mail/envelope.ts';
import type { Filter, MessageOpinion, Opined, Phase, Visit } from '../mail/filter.ts';
import { amend, type Client, createId, type Message } from '../mail/message.ts';
import type { Verdict } from '../mail/sink.ts';

/** A mail that is tried on filters. */
export interface TrialMail {
  readonly client: Client;
  readonly envelope: Envelope;
  readonly content: Content;
}

/** What filters make of a mail. */
export interface TrialResult {
  readonly verdict: 'accepted' | 'quarantined' | 'discarded' | 'rejected' | 'deferred';
  /** The words of who said no, and where in the conversation. */
  readonly refusal?: { readonly by: string; readonly phase: Phase; readonly reply: Verdict };
  /** Recipients that were refused one by one. */
  readonly refused: readonly { readonly by: string; readonly to: Recipient; readonly reply: Verdict }[];
  readonly discardedBy?: string;
  /** As the filters left it. */
  readonly message: Message;
}

/** The word that ends the asking. */
interface Word {
  readonly by: string;
  readonly opinion: MessageOpinion;
}

/** Leads a mail past filters as a session would, without a client, and stores nothing. */
export async function tryFilters(
  filters: readonly Filter[],
  { client, envelope, content }: TrialMail,
): Promise<TrialResult> {
  const visit: Visit = { session: createId(), protocol: 'SMTP', client };
  const { from } = envelope;
  const refused: { by: string; to: Recipient; reply: Verdict }[] = [];
  const to: Recipient[] = [];
  const signal = new AbortController().signal;
  const facts = { receivedAt: new Date(), protocol: 'ESMTP', session: visit.session, transcript: [] } as const;
  let message: Message = { id: createId(), envelope, content, client, ...facts };

  const ask = async (question: (filter: Filter) => Opined<MessageOpinion> | undefined): Promise<Word | undefined> => {
    for (const filter of filters) {
      const opinion = await question(filter);
      if (opinion?.verdict || opinion?.discard) return { by: filter.name, opinion };
      if (opinion?.message) message = opinion.message;
      if (opinion?.quarantine !== undefined) message = amend(message, { quarantine: opinion.quarantine });
    }
    return undefined;
  };
  const askRecipients = async (): Promise<Word | undefined> => {
    let last: Word | undefined;
    for (const one of envelope.to) {
      const word = await ask((filter) => filter.rcpt?.(visit, from, one, to));
      if (word?.opinion.verdict) {
        refused.push({ by: word.by, to: one, reply: word.opinion.verdict });
        last = word;
      } else if (!word) to.push(one);
    }
    if (to.length === 0) return last;
    message = { ...message, envelope: { from, to } };
    return undefined;
  };
  const phases: readonly (readonly [Phase, () => Promise<Word | undefined>])[] = [
    ['connect', () => ask((filter) => filter.connect?.(visit))],
    ['hello', () => ask((filter) => filter.hello?.(visit, client.hello))],
    ['mail', () => ask((filter) => filter.mail?.(visit, from))],
    ['rcpt', askRecipients],
    ['data', () => ask((filter) => filter.data?.(visit, { from, to }))],
    ['message', () => ask((filter) => filter.message?.(visit, message, signal))],
  ];
  try {
    for (const [phase, step] of phases) {
      const word = await step();
      const { verdict: reply, discard } = word?.opinion ?? {};
      if (word && reply) {
        const verdict = reply.code < 500 ? 'deferred' : 'rejected';
        return { verdict, refusal: { by: word.by, phase, reply }, refused, message };
      }
      if (word && discard) return { verdict: 'discarded', discardedBy: word.by, refused, message };
    }
    return { verdict: message.quarantine === undefined ? 'accepted' : 'quarantined', refused, message };
  } finally {
    for (const filter of filters) {
      filter.reset?.(visit);
      filter.closed?.(visit);
    }
  }
}
