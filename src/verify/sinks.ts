import { amend, type Message } from '../mail/message.ts';
import type { Sink, Verdict } from '../mail/sink.ts';
import { PENDING } from '../mail/verification.ts';
import { verificationOf } from './annotator.ts';
import type { Finding } from './protocol.ts';
import { factsOf, isAsked } from './scope.ts';
import type { Verifier } from './verifier.ts';

export interface ScopeOptions {
  /** Ask about clients on this machine and in private networks too. */
  readonly includesPrivate: boolean;
}

/** Marks messages as pending on their way to the store, and says when one is there. */
export function markPending(sink: Sink, options: ScopeOptions & { readonly kept: () => void }): Sink {
  const { includesPrivate, kept } = options;
  return (message, signal) => {
    if (!isAsked(message, includesPrivate)) return sink(message, signal);
    const given = sink(amend(message, { verification: PENDING }), signal);
    if (!(given instanceof Promise)) {
      kept();
      return given;
    }
    return given.then((verdict) => {
      kept();
      return verdict;
    });
  };
}

/** The domain of From wants mail that fails DMARC refused. */
const DMARC_REFUSED: Verdict = {
  code: 550,
  enhanced: '5.7.1',
  text: 'DMARC policy of the domain in From: mail that neither SPF nor DKIM vouches for is refused',
};
const UNREADABLE: Verdict = {
  code: 550,
  enhanced: '5.6.0',
  text: 'The sender cannot be verified: the header is too large',
};
const GAVE_UP: Verdict = {
  code: 451,
  enhanced: '4.7.0',
  text: 'The sender could not be verified now, try again later',
};

/**
 * Finds out who sent a message before the sink gets it, and refuses what the domain of From wants refused. DNS that does
 * not answer refuses nothing; a mail that is made so that nobody can tell is refused, or that would be the way in.
 */
export function enforce(sink: Sink, options: ScopeOptions & { readonly verifier: Verifier }): Sink {
  const { includesPrivate, verifier } = options;
  return async (message, signal) => {
    if (!isAsked(message, includesPrivate)) return sink(message, signal);
    const { envelope, client, content } = message.original ?? message;
    const finding = await verifier.verify(factsOf(envelope.from.path?.text ?? '', client), () => content.stream());
    const refusal = refusalFor(finding);
    if (refusal) return refusal;
    signal.throwIfAborted();
    return sink(withFinding(message, finding), signal);
  };
}

function withFinding(message: Message, finding: Finding): Message {
  return amend(message, { verification: verificationOf(finding) });
}

function refusalFor(finding: Finding): Verdict | undefined {
  if (finding.kind === 'unreadable') return UNREADABLE;
  if (finding.kind === 'gaveUp') return GAVE_UP;
  const { dmarc } = finding.verification;
  return dmarc?.result === 'fail' && dmarc.policy === 'reject' ? DMARC_REFUSED : undefined;
}
