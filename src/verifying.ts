import type { Config } from './config.ts';
import type { Reporter } from './mail/report.ts';
import type { Resolver } from './mail/resolver.ts';
import type { Sink } from './mail/sink.ts';
import type { Store } from './mail/store.ts';
import { Annotator } from './verify/annotator.ts';
import { VERIFY_LIMITS } from './verify/limits.ts';
import { enforce, markPending } from './verify/sinks.ts';
import { createVerifier, type Verifier } from './verify/verifier.ts';

export interface VerifyingParts {
  readonly sink: Sink;
  /** The store behind the sink; undefined if something else disposes of messages. */
  readonly store: Store | undefined;
  readonly resolver: Resolver;
  readonly report: Reporter;
}

/** Says of what an earlier run left that nobody will look at it any more. */
const NOBODY: Verifier = {
  verify: async () => ({ kind: 'gaveUp', why: 'verification was turned off' }),
  close: async () => {},
};

/** Puts the finding out who sent messages before a sink, or behind the store; nothing when that is off. */
export function startVerifying(config: Config, parts: VerifyingParts): { sink: Sink; close(): Promise<void> } {
  const { verify, verifyPrivate: includesPrivate } = config;
  const { sink, store, report, resolver } = parts;
  const verifier =
    verify === 'off' ? NOBODY : createVerifier({ resolver, report, isBackground: verify === 'annotate' });
  const annotator = store && new Annotator({ store, verifier, report, messages: VERIFY_LIMITS.messages });
  annotator?.wake(); // what the last run left
  const close = async (): Promise<void> => {
    await Promise.all([annotator?.close(), verifier.close()]); // in this order: what is given up now stays pending
  };
  if (verify === 'enforce') return { sink: enforce(sink, { verifier, includesPrivate }), close };
  if (verify === 'off' || !annotator) return { sink, close };
  return { sink: markPending(sink, { includesPrivate, kept: () => annotator.wake() }), close };
}
