import type { Reporter } from '../mail/report.ts';
import type { Sink, Verdict } from '../mail/sink.ts';

/**
 * A sink that accepts a message only if all of `sinks` do. They are asked at the same time; of several refusals the
 * first in order counts. Per-recipient verdicts are judged recipient by recipient.
 */
export function allOf(...sinks: readonly Sink[]): Sink {
  return async (message, signal) => {
    const results = await Promise.allSettled(sinks.map(async (sink) => sink(message, signal)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const given = results.flatMap((result) => (result.status === 'fulfilled' && result.value ? [result.value] : []));
    if (!given.some(Array.isArray)) return (given as Verdict[]).find(refuses) ?? (given as Verdict[])[0];
    return message.envelope.to.map((_, index) => {
      const each = given.map((verdict) => (Array.isArray(verdict) ? verdict[index] : (verdict as Verdict)));
      return each.find(refuses) ?? each.find((verdict) => verdict !== undefined) ?? ACCEPTED;
    });
  };
}

const ACCEPTED: Verdict = { code: 250, enhanced: '2.0.0', text: 'OK' };

function refuses(verdict: Verdict | undefined): boolean {
  return verdict !== undefined && verdict.code >= 400;
}

/** A sink that is told of each message but never refuses one; its throws and refusals are reported instead. */
export function aside(sink: Sink, report: Reporter): Sink {
  return async (message, signal) => {
    try {
      const verdict = await sink(message, signal);
      const refusal = [verdict ?? []].flat().find((one) => refuses(one as Verdict));
      if (refusal) throw new Error(`sink refused aside: ${JSON.stringify(refusal)}`);
    } catch (error) {
      report({ type: 'crash', where: 'sink', session: message.session, error });
    }
  };
}
