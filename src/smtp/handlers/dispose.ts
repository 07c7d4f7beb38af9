import type { Content } from '../../mail/content.ts';
import type { Envelope, Recipient } from '../../mail/envelope.ts';
import type { Filter } from '../../mail/filter.ts';
import { type Client, createId, type Message, type WithProtocol } from '../../mail/message.ts';
import type { Sink, Verdict } from '../../mail/sink.ts';
import { type Judgement, judge } from '../filters.ts';
import { NOT_TAKEN, reply, type SmtpReply, TOOK_TOO_LONG } from '../replies.ts';
import type { Session } from '../session.ts';
import { refusalFor } from '../storage-errors.ts';
import { describeVerdict, soundReply } from '../verdict.ts';

/**
 * What happens to a message that has arrived whole: it becomes a Message, the sink disposes of it, and the verdict
 * becomes the reply. Whatever comes of it, the transaction is over afterwards.
 */
export function dispose(session: Session, bareNewlines: boolean): SmtpReply | Promise<SmtpReply> {
  const { refusal } = session;
  return refusal ? refuseMessage(session, refusal) : disposeContent(session, bareNewlines);
}

/** Goes through without waiting where content, filters and sink do: most messages are small, and some sinks need no time. */
function disposeContent(session: Session, bareNewlines: boolean): SmtpReply | Promise<SmtpReply> {
  const facts = new Arrival(session);
  const closed = session.closeContent(bareNewlines);
  session.release();
  const answer = closed instanceof Promise ? closed.then((content) => filter(facts, content)) : filter(facts, closed);
  if (!session.services.filters) return answer;
  const over = (settled: SmtpReply): SmtpReply => {
    session.transactionOver();
    return settled;
  };
  return answer instanceof Promise ? answer.then(over) : over(answer);
}

function filter(facts: Arrival, content: Content | SmtpReply): SmtpReply | Promise<SmtpReply> {
  const { session, discarding } = facts;
  if (!('stream' in content)) return perRecipient(session, facts.recipients.length, content);
  const message = new ArrivedMessage(facts, content);
  if (discarding || facts.envelope.to.length === 0) return discard(facts, message, discarding);
  if (!session.services.filters?.message) return submit(facts, message);
  const judged = judge(session, message);
  return judged instanceof Promise ? judged.then((one) => heedFilters(facts, one)) : heedFilters(facts, judged);
}

function heedFilters(facts: Arrival, { message, refusal, discarding }: Judgement): SmtpReply | Promise<SmtpReply> {
  if (refusal) {
    release(message);
    return conclude(facts, message, refusal);
  }
  if (discarding || message.envelope.to.length === 0) return discard(facts, message, discarding);
  return submit(facts, message);
}

/** Says yes to a message that nobody shall get. */
function discard(facts: Arrival, message: Message, by: Filter | undefined): SmtpReply {
  release(message);
  return conclude(facts, message, undefined, by?.name ?? 'recipients');
}

function submit(facts: Arrival, message: Message): SmtpReply | Promise<SmtpReply> {
  const answers = askSink(facts.session, message);
  return answers instanceof Promise
    ? answers.then((given) => conclude(facts, message, given))
    : conclude(facts, message, answers);
}

function conclude(facts: Arrival, message: Message, answers: Answers, discardedBy?: string): SmtpReply {
  const { session, startedAt } = facts;
  const { protocol, report } = session.services;
  const answer = protocol === 'LMTP' ? answerEach(facts, message, answers) : answerOnce(message, answers);
  if (answer.outcome === 'ok') session.messageTaken();
  report({
    type: 'message',
    protocol,
    session: session.id,
    message,
    code: answer.code,
    text: answer.lines.at(-1) ?? '',
    milliseconds: performance.now() - startedAt,
    ...(discardedBy !== undefined && { discardedBy }),
  });
  return answer;
}

/** Nobody reads the message any more, in whichever form. */
function release(message: Message): void {
  message.content.release();
  message.original?.content.release();
}

/** What a transaction leaves for its message before the session forgets it. */
class Arrival {
  readonly session: Session;
  readonly startedAt = performance.now();
  readonly envelope: Envelope;
  readonly protocol: WithProtocol;
  readonly client: Client;
  readonly transcript: () => readonly string[];
  /** Everybody who was told yes at RCPT; the envelope has those who get something. */
  readonly recipients: readonly Recipient[];
  readonly discarding: Filter | undefined;

  constructor(session: Session) {
    this.session = session;
    this.envelope = session.envelope;
    this.recipients = session.to;
    this.discarding = session.discardedBy ?? session.discardedForGoodBy;
    this.protocol = session.withProtocol;
    this.client = session.client;
    this.transcript = session.transcript();
  }
}

class ArrivedMessage implements Message {
  readonly id = createId();
  readonly receivedAt = new Date();
  readonly envelope: Envelope;
  readonly content: Content;
  readonly client: Client;
  readonly protocol: WithProtocol;
  readonly session: string;
  readonly #lines: () => readonly string[];
  #transcript: readonly string[] | undefined;

  constructor(facts: Arrival, content: Content) {
    this.envelope = facts.envelope;
    this.content = content;
    this.client = facts.client;
    this.protocol = facts.protocol;
    this.session = facts.session.id;
    this.#lines = facts.transcript;
  }

  get transcript(): readonly string[] {
    return (this.#transcript ??= this.#lines());
  }
}

/** A handler threw when content had come: who sent it has as many replies as it waits for (RFC 2033 §4.2). */
export function crashInContent(session: Session): SmtpReply {
  session.reset();
  return perRecipient(session, session.repliesDue, NOT_TAKEN);
}

/** Refuses the message at hand, whole: the transaction is over. */
export function refuseMessage(session: Session, refusal: SmtpReply): SmtpReply {
  const recipients = session.to.length;
  session.reset();
  return perRecipient(session, recipients, refusal);
}

/** Refuses in the same words for each recipient, where the protocol answers each (RFC 2033 §4.2). */
function perRecipient(session: Session, recipients: number, refusal: SmtpReply): SmtpReply {
  if (session.services.protocol !== 'LMTP' || recipients <= 1) return refusal;
  return join(Array.from({ length: recipients }, () => refusal));
}

/** What a sink answers, its promise settled. */
type Given = Awaited<ReturnType<Sink>>;

/** Undefined is the sink's plain yes. */
type Answers = SmtpReply | undefined | readonly (SmtpReply | undefined)[];

function askSink(session: Session, message: Message): Answers | Promise<Answers> {
  const { sink, report } = session.services;
  const crashed = (error: unknown): SmtpReply => {
    report({ type: 'crash', where: 'sink', session: session.id, error });
    return refusalFor(error);
  };
  const heedAll = (given: Given): Answers =>
    Array.isArray(given) ? given.map((one) => heed(one, crashed)) : heed(given as Verdict | undefined, crashed);
  const deadline = new AbortController();
  try {
    const given = sink(message, deadline.signal);
    if (given instanceof Promise) return inTime(session, message, deadline, given.then(heedAll).catch(crashed));
    release(message);
    return heedAll(given);
  } catch (error) {
    release(message);
    return crashed(error);
  }
}

/** Waits for the sink as long as it may take; one that is late is not listened to, but its message stays until it is done. */
function inTime(
  session: Session,
  message: Message,
  deadline: AbortController,
  answers: Promise<Answers>,
): Promise<Answers> {
  const { limits, report } = session.services;
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      const error = new Error(`sink took longer than ${limits.sinkMs} ms`);
      deadline.abort(error);
      report({ type: 'crash', where: 'sink', session: session.id, error });
      resolve(TOOK_TOO_LONG);
    }, limits.sinkMs);
    void answers.then((given) => {
      clearTimeout(timer);
      release(message);
      resolve(given);
    });
  });
}

/** Takes a sink's verdict at its word if it is a reply at all. */
function heed(verdict: Verdict | undefined, crashed: (error: unknown) => SmtpReply): SmtpReply | undefined {
  if (verdict === undefined || verdict === null) return undefined;
  const said = soundReply(verdict);
  if (!said) return crashed(new Error(`sink gave no valid verdict: ${describeVerdict(verdict)}`));
  return said.code < 400 ? said : { ...said, reason: 'sink' };
}

function queued(message: Message): SmtpReply {
  return reply(250, '2.0.0', `OK queued as ${message.id}`);
}

/** SMTP has one answer: accepted if anybody's copy was, else the first refusal. */
function answerOnce(message: Message, answers: Answers): SmtpReply {
  if (!Array.isArray(answers)) return (answers as SmtpReply | undefined) ?? queued(message);
  const yes = answers.findIndex((answer) => answer === undefined || answer.outcome === 'ok');
  if (yes !== -1) return answers[yes] ?? queued(message);
  return answers[0] ?? NOT_TAKEN;
}

/** LMTP answers each recipient that was told yes at RCPT, in order (RFC 2033 §4.2), also those that filters took out. */
function answerEach({ recipients }: Arrival, message: Message, answers: Answers): SmtpReply {
  const { to } = message.envelope;
  const each = recipients.map((recipient, place) => {
    const index = to === recipients ? place : to.indexOf(recipient);
    if (index === -1) return queued(message);
    return (Array.isArray(answers) ? answers[index] : (answers as SmtpReply | undefined)) ?? queued(message);
  });
  return join(each);
}

/** Several replies one after the other; together they succeed if any does. */
function join(replies: readonly SmtpReply[]): SmtpReply {
  const lead = replies.find(({ outcome }) => outcome === 'ok') ?? replies[0] ?? NOT_TAKEN;
  return {
    ...lead,
    lines: replies.flatMap(({ lines }) => lines),
    bytes: Buffer.concat(replies.map(({ bytes }) => bytes)),
  };
}
