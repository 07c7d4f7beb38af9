import { createRequire } from 'node:module';
import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { Recipient } from '../mail/envelope.ts';
import type { TlsFacts } from '../mail/message.ts';
import type { Report, Reporter } from '../mail/report.ts';
import { createLineWriter, type LineWriter } from './line-writer.ts';
import { visible } from './visible.ts';

export interface LogOptions {
  /** A level of pino, or `silent`. */
  readonly level: string;
  /** `auto` is pretty when standard output is a terminal, else JSON. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Takes whole lines; standard output if absent. */
  readonly destination?: Pick<LineWriter, 'write'> & Partial<LineWriter>;
}

/** Writes reports as log lines: one per message and one per session end at `info`, the rest by weight. */
export type LogReporter = Reporter & {
  readonly logger: Logger;
  flush(): Promise<void>;
  flushSync(): void;
};

const LOAD_WORDS = {
  calm: 'load is back to normal',
  strained: 'load is high: clients get less time',
  overloaded: 'overloaded: new connections and transactions are refused',
} as const;

const BINDING_WORDS = {
  bound: 'endpoint bound',
  refused: 'endpoint refused',
  left: 'endpoint left',
  dropped: 'endpoint dropped',
} as const;

/** Recipients and ids that one line names; beyond, only their number. */
const NAMED = 5;
const CAUSES = 5;
const FRAMES = 12;

/**
 * Makes the reporter that writes the log. Nothing in a line can break it or a terminal: whatever a client chose is
 * escaped and bounded. Content and secrets are never in a report's line.
 */
export function createLogReporter(options: LogOptions): LogReporter {
  const { level, format } = options;
  const destination =
    options.destination ?? createLineWriter(1, { onLost: (lines) => logger.warn({ lines }, 'log lines lost') });
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY === true);
  const settings = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
  };
  const logger: Logger = pino(settings, isPretty ? prettyLines(destination) : destination);
  const reporter = (report: Report) => writeReport(logger, report);
  return Object.assign(reporter, {
    logger,
    flush: () => destination.flush?.() ?? Promise.resolve(),
    flushSync: () => destination.flushSync?.(),
  });
}

function writeReport(logger: Logger, report: Report): void {
  switch (report.type) {
    case 'message': {
      const level = report.code >= 400 && report.code < 500 ? 'warn' : 'info';
      if (logger.isLevelEnabled(level)) logger[level](messageLine(report), 'message');
      return;
    }
    case 'session-end':
      if (logger.isLevelEnabled('info')) logger.info(sessionLine(report), 'session end');
      return;
    case 'session-start':
      if (!logger.isLevelEnabled('debug')) return;
      logger.debug(
        { protocol: report.protocol, session: report.session, client: visible(report.address) },
        'session start',
      );
      return;
    case 'speaks-for':
      if (!logger.isLevelEnabled('debug')) return;
      logger.debug(
        { protocol: report.protocol, session: report.session, by: visible(report.by), client: visible(report.address) },
        'speaks for',
      );
      return;
    case 'login':
      if (logger.isLevelEnabled('info')) logger.info(loginLine(report), 'login');
      return;
    case 'login-refused':
      logger.warn({ ...loginLine(report), why: report.why }, 'login refused');
      return;
    case 'listening':
      logger.info({ protocol: report.protocol, url: report.url }, 'listening');
      return;
    case 'certificate': {
      const [level, text] = CERTIFICATE_LINES[report.event];
      if (logger.isLevelEnabled(level)) logger[level](certificateLine(report), text);
      return;
    }
    case 'certificate-refused':
      logger.error(
        { reason: reasonOf(report.error) },
        'certificate files cannot be used, keeping the old certificates',
      );
      return;
    case 'certificate-unkept':
      logger.warn(
        { reason: reasonOf(report.error) },
        'the certificate made cannot be kept, the next start makes another',
      );
      return;
    case 'crash':
      logger.error({ where: report.where, session: report.session, state: report.state, err: report.error }, 'crash');
      return;
    case 'refusal': {
      // what a filter refuses is policy and worth a line; what the grammar refuses is in the transcript
      const level = report.filter === undefined ? 'debug' : 'info';
      if (logger.isLevelEnabled(level)) logger[level](refusalLine(report), 'refused');
      return;
    }
    case 'request':
      if (logger.isLevelEnabled('trace')) logger.trace(requestLine(report), 'request');
      return;
    case 'load': {
      const { level, cause, percent } = report;
      logger[level === 'calm' ? 'info' : 'warn']({ load: level, cause, percent }, LOAD_WORDS[level]);
      return;
    }
    case 'ban':
      logger.warn({ kind: report.kind, what: visible(report.what), seconds: report.milliseconds / 1000 }, 'banned');
      return;
    case 'block-list':
      if (report.works) logger.info({ zone: report.zone }, 'block list answers again');
      else logger.warn({ zone: report.zone, why: visible(report.why) }, 'block list does not answer; it has no say');
      return;
    case 'milter': {
      // what it lets pass as it is goes without saying
      const isWordy = report.verdict === 'continue' || report.verdict === 'skip' || report.verdict === 'accept';
      const level = isWordy && report.edits === undefined ? 'debug' : 'info';
      if (logger.isLevelEnabled(level)) logger[level](milterLine(report), 'milter');
      return;
    }
    case 'milter-failure': {
      const { milter, session, phase, why, action } = report;
      logger.warn({ session, milter, phase, why, text: visible(report.text), action }, 'milter failed');
      return;
    }
    case 'milter-oddity':
      logger.warn({ session: report.session, milter: report.milter, text: visible(report.text) }, 'milter is odd');
      return;
    case 'command': {
      const { program, session, exitCode, milliseconds, errors } = report;
      if (exitCode === null) return; // the crash of its sink says why
      const says = exitCode === 0 && errors === '' ? 'debug' : 'warn';
      if (!logger.isLevelEnabled(says)) return;
      const facts = {
        session,
        program: visible(program),
        exitCode,
        ms: rounded(milliseconds),
        stderr: visible(errors),
      };
      logger[says](facts, 'command');
      return;
    }
    case 'binding': {
      const { event, user, address, port, session, why, bound } = report;
      if (!logger.isLevelEnabled('info')) return;
      const facts = { user: visible(user), client: visible(address), port, bound };
      const about = { ...(session !== '' && { session }), ...facts, ...(why !== '' && { why }) };
      logger.info(about, BINDING_WORDS[event]);
      return;
    }
    case 'notice': {
      if (!logger.isLevelEnabled('debug')) return;
      const { result, message, address, port, why } = report;
      logger.debug({ id: message, client: visible(address), port, ...(why !== '' && { why }) }, `notice ${result}`);
      return;
    }
    case 'responder': {
      const level = FAULTS.has(report.outcome) ? 'warn' : 'info';
      if (logger.isLevelEnabled(level)) logger[level](responderLine(report), report.kind);
      return;
    }
    case 'outgoing': {
      const level = report.result === 'sent' ? 'info' : 'warn';
      if (logger.isLevelEnabled(level)) logger[level](outgoingLine(report), 'outgoing');
      return;
    }
    case 'agent': {
      const [level, text] = AGENT_LINES[report.event];
      const why = report.why === '' ? {} : { [report.event === 'printed' ? 'text' : 'why']: visible(report.why, 1024) };
      if (logger.isLevelEnabled(level)) logger[level]({ agent: visible(report.source), ...why }, text);
      return;
    }
    case 'tarpit': {
      if (!logger.isLevelEnabled('debug')) return;
      const { session, address, reason, milliseconds } = report;
      logger.debug({ session, client: visible(address), reason, ms: milliseconds }, 'reply held back');
      return;
    }
    case 'logged':
      return; // the line of each message has said it, and `stored` follows
    case 'stored':
      if (logger.isLevelEnabled('debug')) logger.debug(idsLine(report.ids), 'stored');
      return;
    case 'webhook': {
      const { outcome, target, host, delivery, attempt, status, why, milliseconds } = report;
      const [level, text] = WEBHOOK_LINES[outcome];
      if (!logger.isLevelEnabled(level)) return;
      const facts = { webhook: target, host: visible(host), delivery, attempt, status, ms: rounded(milliseconds) };
      logger[level]({ ...facts, ...(why !== '' && { why: visible(why) }) }, text);
      return;
    }
    case 'webhook-secrets':
      logger.error({ reason: reasonOf(report.error) }, 'secrets of webhooks cannot be used, keeping the old ones');
      return;
    case 'webhook-state': {
      const { target, host, state, why } = report;
      const facts = { webhook: target, host: visible(host) };
      if (state === 'works') logger.info(facts, 'webhook works again');
      else logger.error({ ...facts, why: visible(why) }, 'webhook says that it is gone, and is left alone');
      return;
    }
    case 'webhook-overflow': {
      const { target, buried, forgotten } = report;
      logger.warn({ webhook: target, buried, forgotten }, 'more waits for a webhook than may: the oldest are given up');
      return;
    }
    case 'deleted': {
      const level = report.why === 'asked' ? 'info' : 'debug';
      if (logger.isLevelEnabled(level)) logger[level]({ ...idsLine(report.ids), why: report.why }, 'deleted');
      return;
    }
    default:
      report satisfies never;
  }
}

function messageLine(report: Extract<Report, { type: 'message' }>): object {
  const { message } = report;
  const { from, to } = message.envelope;
  return {
    session: report.session,
    id: message.id,
    protocol: message.protocol,
    client: visible(message.client.address),
    ...tlsOf(message.client.tls),
    ...(message.client.login && { user: visible(message.client.login.user) }),
    from: from.path === null ? '<>' : visible(from.path.text),
    to: to.length === 1 ? [visible(to[0]!.path.text)] : to.slice(0, NAMED).map(recipientText),
    recipients: to.length,
    bytes: message.content.bytes,
    code: report.code,
    verdict: visible(report.text),
    ms: rounded(report.milliseconds),
    ...(report.discardedBy === undefined ? {} : { discardedBy: report.discardedBy }),
    ...(message.original && { changed: true }),
    ...(message.quarantine === undefined ? {} : { quarantine: visible(message.quarantine) }),
  };
}

function refusalLine(report: Extract<Report, { type: 'refusal' }>): object {
  return {
    protocol: report.protocol,
    session: report.session,
    client: visible(report.address),
    phase: report.phase,
    reason: report.reason,
    ...(report.filter === undefined ? {} : { filter: report.filter }),
    ...(report.code === undefined ? {} : { code: report.code }),
    verdict: visible(report.text),
  };
}

function milterLine(report: Extract<Report, { type: 'milter' }>): object {
  const { edits } = report;
  return {
    session: report.session,
    milter: report.milter,
    phase: report.phase,
    verdict: report.verdict,
    ...(report.code !== undefined && { code: report.code }),
    ms: rounded(report.milliseconds),
    ...(edits && {
      edits: edits.length,
      what: edits.slice(0, NAMED).map(({ edit, what }) => visible(`${edit} ${what}`.trim(), 200)),
    }),
  };
}

function loginLine(report: Extract<Report, { type: 'login' | 'login-refused' }>): object {
  return {
    protocol: report.protocol,
    session: report.session,
    client: visible(report.address),
    mechanism: report.mechanism,
    user: visible(report.user),
  };
}

function sessionLine(report: Extract<Report, { type: 'session-end' }>): object {
  return {
    protocol: report.protocol,
    session: report.session,
    client: visible(report.address),
    hello: visible(report.hello),
    ...tlsOf(report.tls),
    messages: report.messages,
    commands: report.commands,
    failures: report.failures,
    bytesIn: report.bytesIn,
    bytesOut: report.bytesOut,
    ms: rounded(report.milliseconds),
    reason: report.reason,
    ...(report.trouble !== undefined && { trouble: visible(report.trouble) }),
  };
}

/** What a line says of encryption; nothing where there was none. */
function tlsOf(tls: TlsFacts | undefined): object | undefined {
  if (tls === undefined) return undefined;
  const { version, cipher, serverName, subject } = tls;
  return {
    tls: version,
    cipher,
    ...(serverName !== undefined && { serverName: visible(serverName) }),
    ...(subject !== undefined && { certificate: visible(subject) }),
  };
}

const WEBHOOK_LINES = {
  delivered: ['debug', 'webhook delivered'],
  later: ['warn', 'webhook failed, to be tried again'],
  dead: ['error', 'webhook given up'],
} as const;

const CERTIFICATE_LINES = {
  made: ['info', 'certificate made'],
  loaded: ['info', 'certificate loaded'],
  expiring: ['warn', 'certificate expires soon'],
  expired: ['error', 'certificate has expired'],
} as const;

function certificateLine({ names, fingerprint, expires, file }: Extract<Report, { type: 'certificate' }>): object {
  return {
    names: names.slice(0, NAMED).map((name) => visible(name)),
    sha256: fingerprint,
    expires: expires.toISOString(),
    ...(file !== '' && { file }),
  };
}

const AGENT_LINES = {
  loaded: ['info', 'agent loaded'],
  unusable: ['error', 'agent cannot be used'],
  gone: ['info', 'agent gone'],
  printed: ['info', 'agent printed'],
} as const;

/** Outcomes that the author of an agent wants to hear of, or the operator. */
const FAULTS: ReadonlySet<string> = new Set([
  'unloadable', 'unfit', 'threw', 'crashed', 'late', 'gave-up', 'crash', 'hour', 'queue',
]); // biome-ignore format: a list of words

function responderLine(report: Extract<Report, { type: 'responder' }>): object {
  return {
    id: report.message,
    inbox: visible(report.inbox),
    ...(report.agent !== '' && { agent: visible(report.agent) }),
    outcome: report.outcome,
    ...(report.why !== '' && { why: visible(report.why, 1024) }),
    ms: rounded(report.milliseconds),
    ...(report.error !== undefined && { err: report.error }),
  };
}

function outgoingLine(report: Extract<Report, { type: 'outgoing' }>): object {
  return {
    id: report.message,
    kind: report.kind,
    inbox: visible(report.inbox),
    to: visible(report.recipient),
    result: report.result,
    attempts: report.attempts,
    detail: visible(report.detail, 1024),
  };
}

/** What people can put right is told without a stack. */
function reasonOf(error: unknown): string {
  return visible(error instanceof Error ? error.message : String(error), 1024);
}

function requestLine({ method, route, code, milliseconds }: Extract<Report, { type: 'request' }>): object {
  return { method, route, code, ms: rounded(milliseconds) };
}

function idsLine(ids: readonly string[]): object {
  return { messages: ids.length, ids: ids.slice(0, NAMED) };
}

function recipientText({ path }: Recipient): string {
  return visible(path.text);
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

/** An error and its causes with text made safe: its message may quote a client, and so may the head of its stack. */
function describeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: visible(String(error)) };
  const { code } = error as NodeJS.ErrnoException;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    type: visible(error.name),
    message: visible(error.message, 1024),
    ...(code === undefined ? {} : { code: visible(String(code)) }),
    stack: frames.slice(0, FRAMES).map((line) => visible(line.trim())),
    ...(error.cause === undefined || depth >= CAUSES ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}

/** Turns each JSON line into one for people. What does that is loaded only where somebody looks. */
function prettyLines(destination: Pick<LineWriter, 'write'>): Pick<LineWriter, 'write'> {
  const load = createRequire(import.meta.url);
  const { prettyFactory } = load('pino-pretty') as typeof import('pino-pretty');
  const prettify = prettyFactory({ translateTime: 'SYS:HH:MM:ss.l', singleLine: true, errorLikeObjectKeys: [] });
  return { write: (line) => destination.write(prettify(line)) };
}
