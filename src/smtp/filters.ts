import type { Filter, MessageOpinion, Opined, Opinion, Phase, Visit } from '../mail/filter.ts';
import { amend, type Message } from '../mail/message.ts';
import type { Verdict } from '../mail/sink.ts';
import { closing, FILTER_FAILED, NOT_TAKEN, type SmtpReply, TOO_BUSY_TO_WAIT } from './replies.ts';
import type { Session } from './session.ts';
import { describeVerdict, oneLine, soundReply } from './verdict.ts';

/**
 * Asks filters what they think of a command, one after the other.
 *
 * A phase that no filter has a function for costs nothing: handlers look whether `filters.mail` and so on is there
 * before they come here. Opinions that come at once are heeded at once; only those that are promised are waited for.
 */

/** The filters that have something to say in each phase, in order; a phase is absent where there is none. */
export type Filters = { readonly [phase in Phase]?: readonly Filter[] } & {
  readonly reset: readonly Filter[];
  readonly closed: readonly Filter[];
  readonly failed: readonly Filter[];
  readonly refusedRcpt: readonly Filter[];
};

const PHASES: readonly Phase[] = ['connect', 'hello', 'mail', 'rcpt', 'data', 'message', 'unknown'];

/** Sorts filters by what they want to be asked; undefined for none. */
export function arrange(filters: readonly Filter[]): Filters | undefined {
  if (filters.length === 0) return undefined;
  const having = (hook: keyof Filter): readonly Filter[] => filters.filter((filter) => filter[hook] !== undefined);
  const phases = PHASES.map((phase) => [phase, having(phase)] as const).filter(([, some]) => some.length > 0);
  const told = {
    reset: having('reset'),
    closed: having('closed'),
    failed: having('failed'),
    refusedRcpt: having('refusedRcpt'),
  };
  return { ...Object.fromEntries(phases), ...told };
}

/** How a filter is asked in one phase. */
export type Question<O extends Opinion = Opinion> = (filter: Filter, visit: Visit, signal: AbortSignal) => Opined<O>;

/** What all filters together think. */
interface Walk {
  readonly session: Session;
  readonly phase: Phase;
  readonly filters: readonly Filter[];
  readonly ask: Question;
  /** Hears each opinion that is no refusal; true ends the asking. */
  readonly hear: (opinion: Opinion, filter: Filter) => boolean;
}

/**
 * Asks the filters of a phase; where none refuses, `effect` makes the answer.
 * @param effect is told the filter that wants what comes of this discarded, if one does
 */
export function consult(
  session: Session,
  phase: Phase,
  ask: Question,
  effect: (discarding: Filter | undefined) => SmtpReply,
): SmtpReply | Promise<SmtpReply> {
  let discarding: Filter | undefined;
  const hear = (opinion: Opinion, filter: Filter): boolean => {
    if (opinion.discard) discarding = filter;
    return discarding !== undefined;
  };
  const refusal = walk({ session, phase, filters: session.services.filters![phase]!, ask, hear }, 0);
  return refusal instanceof Promise
    ? refusal.then((settled) => settled ?? effect(discarding))
    : (refusal ?? effect(discarding));
}

/** What filters make of a message: a refusal, or the message to go on with. */
export interface Judgement {
  readonly refusal?: SmtpReply;
  readonly message: Message;
  readonly discarding?: Filter;
}

/** Asks the filters about a message that has come whole; each sees what those before it made of it. */
export function judge(session: Session, arrived: Message): Judgement | Promise<Judgement> {
  let message = arrived;
  let discarding: Filter | undefined;
  const hear = (opinion: MessageOpinion, filter: Filter): boolean => {
    if (opinion.message) message = replace(message, opinion.message);
    if (opinion.quarantine !== undefined) message = amend(message, { quarantine: opinion.quarantine });
    if (opinion.discard) discarding = filter;
    return discarding !== undefined;
  };
  const ask: Question<MessageOpinion> = (filter, visit, signal) => filter.message!(visit, message, signal);
  const filters = session.services.filters!.message!;
  const refusal = walk({ session, phase: 'message', filters, ask, hear }, 0);
  const conclude = (settled: SmtpReply | undefined): Judgement => ({
    ...(settled && { refusal: settled }),
    ...(discarding && { discarding }),
    message,
  });
  return refusal instanceof Promise ? refusal.then(conclude) : conclude(refusal);
}

/** Goes on with a filter's form of a message; a form that another filter made and this one replaced is nobody's any more. */
function replace(before: Message, opined: Message): Message {
  const after = adopt(before, opined);
  const isWanted = before.content === after.content || before.content === after.original?.content;
  if (!isWanted) before.content.release();
  return after;
}

/** A filter's form of a message with what came still beside it, however the filter made it. */
function adopt(before: Message, after: Message): Message {
  if (after === before || after.original === (before.original ?? before)) return after;
  const { content, envelope, quarantine, tags } = after;
  return amend(before, {
    ...(content !== before.content && { content }),
    ...(envelope !== before.envelope && { envelope }),
    ...(quarantine !== undefined && { quarantine }),
    ...(tags && { tags }),
  });
}

/** Asks from one filter on; gives the first refusal. */
function walk(steps: Walk, from: number): SmtpReply | undefined | Promise<SmtpReply | undefined> {
  const { filters, hear } = steps;
  for (let index = from; index < filters.length; index++) {
    const filter = filters[index]!;
    const given = askOne(steps, filter);
    if (given instanceof Promise) {
      return given.then((heard) => {
        // a client that has gone meanwhile gets no answer, and what it asked for is not done
        if (steps.session.isOver) return NOT_TAKEN;
        if ('outcome' in heard) return heard;
        return hear(heard, filter) ? undefined : walk(steps, index + 1);
      });
    }
    if ('outcome' in given) return given;
    if (hear(given, filter)) return undefined;
  }
  return undefined;
}

const NO_OPINION: Opinion = {};

/** One filter's refusal as a reply, or its opinion. */
function askOne(steps: Walk, filter: Filter): SmtpReply | Opinion | Promise<SmtpReply | Opinion> {
  const { session, phase, ask } = steps;
  const failing = (error: unknown): SmtpReply | Opinion => {
    session.services.report({
      type: 'crash',
      where: `filter ${filter.name}`,
      session: session.id,
      state: phase,
      error,
    });
    return filter.whenFailing === 'pass'
      ? NO_OPINION
      : { ...FILTER_FAILED, reason: 'filter-failed', filter: filter.name };
  };
  const deadline = new AbortController();
  const heeded = (opinion: Opinion | undefined): SmtpReply | Opinion => heed(session, filter, opinion, failing);
  try {
    const opined = ask(filter, session.visit, deadline.signal);
    if (!(opined instanceof Promise)) return heeded(opined);
    return inTime(opined, filter.deadlineMs ?? session.limits.filterMs, deadline).then(heeded, failing);
  } catch (error) {
    return failing(error);
  }
}

/** Rejects when the deadline has passed. */
function inTime<T>(promise: Promise<T>, milliseconds: number, deadline: AbortController): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new Error(`took longer than ${milliseconds} ms`);
      deadline.abort(error);
      reject(error);
    }, milliseconds);
    const done = (): void => clearTimeout(timer);
    promise.then(resolve, reject).finally(done);
  });
}

/** A verdict with each of its texts on one line. */
function tidied({ text, lead, ...verdict }: Verdict): Verdict {
  return { ...verdict, text: oneLine(String(text)), ...(lead && { lead: lead.map((line) => oneLine(String(line))) }) };
}

/** Takes an opinion at its word: a refusal becomes a reply, a pause is noted where there is room for another. */
function heed(
  session: Session,
  filter: Filter,
  opinion: Opinion | undefined,
  failing: (error: unknown) => SmtpReply | Opinion,
): SmtpReply | Opinion {
  if (!opinion) return NO_OPINION;
  const { verdict, hangUp = false, delayMs = 0, reason = filter.name } = opinion;
  const refusal = verdict && soundReply(tidied(verdict));
  if (verdict && (!refusal || refusal.code < 400)) {
    return failing(new Error(`filter gave no valid refusal: ${describeVerdict(verdict)}`));
  }
  if (opinion.clientName !== undefined) session.name = opinion.clientName;
  const mayHoldBack = delayMs <= 0 || session.holdBack(delayMs, reason);
  if (refusal) {
    const marked: SmtpReply = { ...refusal, reason, filter: filter.name };
    return hangUp || refusal.code === 421 ? closing(marked) : marked;
  }
  return mayHoldBack ? opinion : { ...TOO_BUSY_TO_WAIT, reason: 'busy', filter: filter.name };
}
