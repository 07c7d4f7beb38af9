/** Public names of inboxd for programs that embed it. */
export type { Config, ConfigInput } from './config.ts';
export { createDaemon, type Daemon, type DaemonParts } from './daemon.ts';
export { START_ERRORS, StartError, type StartErrorCode } from './errors.ts';
export type { Ask, UserSource } from './finger/source.ts';
export type { Path } from './mail/address.ts';
export type { Content, ContentPlace } from './mail/content.ts';
export type { Envelope, Params, Recipient, Sender } from './mail/envelope.ts';
export type { Filter, MessageOpinion, Opinion, Phase, Visit } from './mail/filter.ts';
export { inboxOf, type Naming } from './mail/inbox.ts';
export {
  type Amendment,
  amend,
  type Client,
  type Login,
  type Message,
  type TlsFacts,
  type WithProtocol,
} from './mail/message.ts';
export type { Report, Reporter } from './mail/report.ts';
export type { Sink, Verdict } from './mail/sink.ts';
export type * from './mail/store.ts';
export { traceHeaders } from './mail/trace.ts';
export type { Agent, AgentAttachment, AgentMail, Answer, AnswerAttachment } from './responders/agent.ts';
export { allOf, aside } from './sinks/combine.ts';
export { discard } from './sinks/discard.ts';
export { createMaildirSink } from './sinks/maildir.ts';
export { createPipeSink, type PipeOptions } from './sinks/pipe.ts';
export { createSqliteStore } from './store/sqlite/store.ts';
export { diagram } from './wire/diagram.ts';
export { compile, END, type Machine, nextState, type Row, type Step, type Table, TableError } from './wire/machine.ts';
export type { Outcome } from './wire/reply.ts';
