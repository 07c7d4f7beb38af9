import { authenticationResults } from '../mail/authentication-results.ts';
import type { Message } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
import type { Sink, Verdict } from '../mail/sink.ts';
import { type CommandEnd, runCommand, whyNotRunnable } from '../system/command.ts';
import { Turns } from '../system/turns.ts';
import { PIPE_LIMITS } from './limits.ts';
import { SinkError } from './load.ts';

/*
 * A command for each message: the message on its standard input, byte for byte as filters left it, and what is known of it
 * in its environment. No trace is put in front: a command that wants one has the facts, and one that checks a signature
 * wants the bytes.
 *
 * Its exit code is the verdict, as sysexits.h has them. The first line of its output are its words for the client; what
 * it writes to standard error goes to the log, since that tells of the inside of a machine.
 */

export interface PipeOptions {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Our own name. */
  readonly hostname: string;
  readonly limits: { readonly [limit in 'runMs' | 'processes' | 'waiting']: number };
  readonly report: Reporter;
  /** Kills what runs when it fires. */
  readonly stop?: AbortSignal;
}

const TOO_MANY_RECIPIENTS: Verdict = { code: 554, enhanced: '5.5.3', text: 'Too many recipients for one delivery' };
const BUSY: Verdict = { code: 451, enhanced: '4.3.2', text: 'Too many messages wait for delivery' };
const LATER: Verdict = { code: 451, enhanced: '4.3.0', text: 'Delivery failed for now' };
const REFUSED: Verdict = { code: 550, enhanced: '5.7.1', text: 'Message refused' };

/** Exit codes of sysexits.h that say more than that the message is refused. */
const VERDICTS: ReadonlyMap<number, Verdict> = new Map([
  [65, { code: 550, enhanced: '5.6.0', text: 'Message content refused' }], // EX_DATAERR
  [67, { code: 550, enhanced: '5.1.1', text: 'No such mailbox' }], // EX_NOUSER
  [68, { code: 550, enhanced: '5.1.2', text: 'No such host' }], // EX_NOHOST
  [75, LATER], // EX_TEMPFAIL
]);

/**
 * Makes a sink that hands each message to a command of its own.
 * @throws SinkError if there is no such command
 */
export function createPipeSink(options: PipeOptions): Sink {
  const { command, hostname, limits, report, stop } = options;
  const [program = ''] = command;
  const wrong = whyNotRunnable(program);
  if (wrong !== undefined) throw new SinkError(`sink pipe:${program}: ${wrong}`);
  const turns = new Turns(limits.processes, limits.waiting);
  return async (message, deadline) => {
    const environment = factsOf(message, hostname);
    if (Buffer.byteLength(environment.MAIL_RECIPIENTS!) > PIPE_LIMITS.recipientsBytes) return TOO_MANY_RECIPIENTS;
    if (turns.isFull) return BUSY;
    const signal = stop ? AbortSignal.any([deadline, stop]) : deadline;
    const run = async (): Promise<CommandEnd> => {
      const startedAt = performance.now();
      const told = (exitCode: number | null, errors: string): void => {
        const milliseconds = performance.now() - startedAt;
        report({ type: 'command', program, session: message.session, exitCode, milliseconds, errors });
      };
      try {
        const end = await runCommand({
          command,
          environment,
          input: message.content.stream(),
          runMs: limits.runMs,
          outputBytes: PIPE_LIMITS.outputBytes,
          excess: 'drop',
          signal,
        });
        told(end.exitCode, firstLine(end.errors.toString('utf8')));
        return end;
      } catch (error) {
        told(null, '');
        throw error;
      }
    };
    return verdictOf(await turns.take(run, signal));
  };
}

function verdictOf({ exitCode, output }: CommandEnd): Verdict | undefined {
  if (exitCode === 0) return undefined;
  const verdict = VERDICTS.get(exitCode) ?? REFUSED;
  const text = firstLine(output.toString('latin1')).replace(/[^\x20-\x7e]/g, '?');
  return text === '' ? verdict : { ...verdict, text };
}

const WORDS_CHARACTERS = 200;

/** The first line that holds anything, blanks collapsed. */
function firstLine(text: string): string {
  const line = text.split(/[\r\n]/).find((one) => one.trim() !== '') ?? '';
  return line.replace(/\s+/g, ' ').trim().slice(0, WORDS_CHARACTERS);
}

/** What is known of a message, every variable always set; a control character in it is a question mark. */
function factsOf(message: Message, hostname: string): Record<string, string> {
  const { envelope, client, verification } = message;
  const { tls, login } = client;
  const facts = {
    MAIL_ID: message.id,
    MAIL_SESSION: message.session,
    MAIL_SENDER: envelope.from.path?.text ?? '',
    MAIL_SIZE: String(message.content.bytes),
    MAIL_RECEIVED_AT: message.receivedAt.toISOString(),
    MAIL_PROTOCOL: message.protocol,
    MAIL_SERVER: hostname,
    MAIL_CLIENT_ADDRESS: client.address,
    MAIL_CLIENT_PORT: String(client.port),
    MAIL_CLIENT_NAME: client.name ?? '',
    MAIL_CLIENT_HELLO: client.hello,
    MAIL_TLS: tls ? `${tls.version} ${tls.cipher}` : '',
    MAIL_LOGIN: login?.user ?? '',
    MAIL_LOGIN_MECHANISM: login?.mechanism ?? '',
    MAIL_QUARANTINE: message.quarantine ?? '',
    MAIL_AUTHENTICATION_RESULTS: authenticationResults(verification, hostname).replace(/\s+/g, ' ').trim(),
  };
  const clean = Object.entries(facts).map(([name, text]) => [name, withoutControls(text)]);
  const recipients = envelope.to.map(({ path }) => withoutControls(path.text)).join('\n');
  return { ...Object.fromEntries(clean), MAIL_RECIPIENTS: recipients };
}

function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
}
