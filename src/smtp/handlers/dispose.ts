import { createId, type Message } from '../../mail/message.ts';
import type { Verdict } from '../../mail/sink.ts';
import { NOT_TAKEN, reply, type SmtpReply, TOOK_TOO_LONG } from '../replies.ts';
import type { Session } from '../session.ts';
import { refusalFor } from '../storage-errors.ts';

/**
 * What happens to a message that has arrived whole: it becomes a Message, the sink disposes of it, and the verdict
 * becomes the reply. Whatever comes of it, the transaction is over afterwards.
 */
export function dispose(session: Session, bareNewlines: boolean): SmtpReply | Promise<SmtpReply> {
  const { refusal } = session;
  return refusal ? refuseMessage(session, refusal) : disposeContent(session, bareNewlines);
}

async function disposeContent(session: Session, bareNewlines: boolean): Promise<SmtpReply> {
  const startedAt = performance.now();
  const to = session.to;
  const from = session.from!;
  const protocol = session.withProtocol;
  const content = await session.closeContent(bareNewlines);
  session.reset();
  if (!('stream' in content)) return perRecipient(session, to.length, content);

  const message: Message = {
    id: createId(),
    envelope: { from, to },
    content,
    receivedAt: new Date(),
    client: session.client,
    protocol,
    session: session.id,
    transcript: session.transcript(),
  };
  const answers = await askSink(session, message);
  const answer = session.services.protocol === 'LMTP' ? answerEach(message, answers) : answerOnce(message, answers);
  if (answer.outcome === 'ok') session.messageTaken();
  session.services.report({
    type: 'message',
    protocol: session.services.protocol,
    session: session.id,
    message,
    code: answer.code,
    text: answer.lines.at(-1) ?? '',
    milliseconds: performance.now() - startedAt,
  });
  return answer;
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

/** Undefined is the sink's plain yes. */
type Answers = SmtpReply | undefined | readonly (SmtpReply | undefined)[];

async function askSink(session: Session, message: Message): Promise<Answers> {
  const { sink, limits, report } = session.services;
  const deadline = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => {
      deadline.abort(new Error(`sink took longer than ${limits.sinkMs} ms`));
      resolve('late');
    }, limits.sinkMs);
  });
  const crashed = (error: unknown): SmtpReply => {
    report({ type: 'crash', where: 'sink', session: session.id, error });
    return refusalFor(error);
  };
  // the async function turns a throw of a synchronous sink into a rejection
  const verdicts = (async () => sink(message, deadline.signal))().then(
    (given) => (Array.isArray(given) ? given.map((one) => heed(one, crashed)) : heed(given as Verdict, crashed)),
    crashed,
  );
  void verdicts.finally(() => message.content.release());
  const first = await Promise.race([verdicts, tooLate]);
  clearTimeout(timer);
  if (first !== 'late') return first;
  report({ type: 'crash', where: 'sink', session: session.id, error: deadline.signal.reason });
  return TOOK_TOO_LONG;
}

/** Takes a sink's verdict at its word if it is a reply at all: a final code, an enhanced code of its class, one plain line. */
function heed(verdict: Verdict | undefined, crashed: (error: unknown) => SmtpReply): SmtpReply | undefined {
  if (verdict === undefined || verdict === null) return undefined;
  const { code, enhanced, text } = verdict;
  const sound =
    Number.isInteger(code) &&
    code >= 200 &&
    code <= 599 &&
    (code < 300 || code >= 400) &&
    new RegExp(`^${String(code)[0]}\\.\\d{1,3}\\.\\d{1,3}$`).test(enhanced) &&
    typeof text === 'string' &&
    /^[\x20-\x7e]{1,450}$/.test(text);
  return sound ? reply(code, enhanced, text) : crashed(new Error(`sink gave no valid verdict: ${describe(verdict)}`));
}

function describe(verdict: unknown): string {
  return JSON.stringify(verdict)?.slice(0, 200) ?? typeof verdict;
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

/** LMTP answers each recipient, in order (RFC 2033 §4.2). */
function answerEach(message: Message, answers: Answers): SmtpReply {
  const each = message.envelope.to.map((_, index) => {
    const answer = Array.isArray(answers) ? answers[index] : (answers as SmtpReply | undefined);
    return answer ?? queued(message);
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
