import type { Chaos } from '../mail/chaos.ts';
import type { Content, ContentWriter, Spool } from '../mail/content.ts';
import type { Recipient, Sender } from '../mail/envelope.ts';
import { type Client, createId, type Login, type TlsFacts, type WithProtocol } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
import type { Sink } from '../mail/sink.ts';
import { BareNewlines } from '../wire/bare-newlines.ts';
import type { Pace, SessionEnd, Session as WireSession } from '../wire/connection.ts';
import type { Reply } from '../wire/reply.ts';
import { splitVerb } from '../wire/split-verb.ts';
import { announce } from './extensions.ts';
import type { SmtpLimits } from './limits.ts';
import { reply, type SmtpReply, TOO_BIG } from './replies.ts';
import { refusalFor } from './storage-errors.ts';
import { Transcript } from './transcript.ts';
import { VERB_OF } from './verbs.ts';

/** What sessions of one listener share. */
export interface SmtpServices {
  /** `SMTP` or `LMTP`, for reports. */
  readonly protocol: 'SMTP' | 'LMTP';
  readonly hostname: string;
  readonly limits: SmtpLimits;
  readonly sink: Sink;
  readonly spool: Spool;
  readonly report: Reporter;
  /** What becomes of DATA content with a CR or LF that is not part of CR LF. */
  readonly bareNewlines: 'reject' | 'keep';
  readonly lenientSyntax: boolean;
  /** Octets that the store can still take; Infinity when it can't tell. */
  readonly room: () => number;
  /** Refusals by chance, where a test asks for them. */
  readonly chaos?: Chaos;
}

/** Services with the replies that never change made once. */
export interface PreparedServices extends SmtpServices {
  readonly greeting: SmtpReply;
  readonly heloReply: SmtpReply;
  readonly ehloReply: SmtpReply;
}

export function prepare(services: SmtpServices): PreparedServices {
  const { hostname, limits, protocol } = services;
  return {
    ...services,
    greeting: reply(220, '', `${hostname} ${protocol === 'LMTP' ? 'LMTP' : 'ESMTP'} inboxd`),
    heloReply: reply(250, '', hostname),
    ehloReply: reply(250, '', hostname, ...announce(limits)),
  };
}

/** Commands that cost us work and bring no mail nearer. */
const JUNK: ReadonlySet<string> = new Set(['NOOP', 'RSET', 'VRFY', 'HELP', 'EHLO', 'HELO', 'LHLO']);

/**
 * One client's session: who it is, the open transaction, and the counters that end its patience.
 * The state of the conversation is the machine's; nothing here repeats it.
 */
export class Session implements WireSession {
  readonly services: PreparedServices;
  readonly limits: SmtpLimits;
  readonly id = createId();
  readonly address: string;
  readonly port: number;
  readonly #startedAt = performance.now();

  /** What the handshake agreed on, once the session is encrypted. */
  tls: TlsFacts | undefined;
  /** Who the client logged in as; a new handshake forgets it. */
  login: Login | undefined;
  hello = '';
  /** EHLO or LHLO was said: parameters may be given. */
  extended = false;

  from: Sender | undefined;
  to: Recipient[] = [];
  /** RCPT commands refused in this transaction. */
  refusedRecipients = 0;
  recipientOvershoot = 0;

  /** Content of the message on its way; absent while what comes is read away. */
  #writer: ContentWriter | undefined;
  /** Why the message on its way can't be taken, known before its end. */
  #refusal: SmtpReply | undefined;
  #arrived = 0;
  #chunkNewlines: BareNewlines | undefined;
  chunkBytes = 0;
  lastChunk = false;
  /** Replies that the end of what is coming in calls for; it outlives the transaction, for when a handler throws. */
  repliesDue = 1;

  readonly #transcript: Transcript;
  #commands = 0;
  #failures = 0;
  #failuresInAll = 0;
  #junk = 0;
  #messages = 0;
  /** Lines after a refused secret may be more of it. */
  #secretsMayFollow = false;

  constructor(services: PreparedServices, address: string, port: number) {
    this.services = services;
    this.limits = services.limits;
    this.address = address;
    this.port = port;
    this.#transcript = new Transcript(services.limits.transcriptEntries);
    services.report({ type: 'session-start', protocol: services.protocol, session: this.id, address });
  }

  /** Octets after which even content that is read away ends the session. */
  get ceilingBytes(): number {
    return this.limits.contentBytes * 1.5;
  }

  get client(): Client {
    const { address, port, hello, tls, login } = this;
    if (tls === undefined && login === undefined) return { address, port, hello };
    return { address, port, hello, ...(tls && { tls }), ...(login && { login }) };
  }

  get encrypted(): boolean {
    return this.tls !== undefined;
  }

  /** "with" of the trace (RFC 3848, RFC 6531 §4.3). */
  get withProtocol(): WithProtocol {
    if (!this.extended) return 'SMTP';
    const utf8 = this.from?.params.has('SMTPUTF8') ?? false;
    const secured = `${this.encrypted ? 'S' : ''}${this.login ? 'A' : ''}` as const;
    if (this.services.protocol === 'LMTP') return `${utf8 ? 'UTF8LMTP' : 'LMTP'}${secured}`;
    return `${utf8 ? 'UTF8SMTP' : 'ESMTP'}${secured}`;
  }

  /** Gives the open transaction up, whole: sender, recipients, content and what was noted about them. */
  reset(): void {
    this.#writer?.abort();
    this.#forget();
  }

  #forget(): void {
    this.from = undefined;
    this.to = [];
    this.refusedRecipients = 0;
    this.recipientOvershoot = 0;
    this.#writer = undefined;
    this.#refusal = undefined;
    this.#arrived = 0;
    this.#chunkNewlines = undefined;
    this.chunkBytes = 0;
    this.lastChunk = false;
  }

  /** Octets of the message that have arrived so far. */
  get arrivedBytes(): number {
    return this.#arrived;
  }

  /** Gets ready for content: DATA, or the first BDAT. */
  openContent(): void {
    this.repliesDue = this.to.length;
    this.#writer = this.services.spool();
  }

  /** Gets ready for a chunk of `bytes` octets. */
  openChunk(bytes: number, last: boolean): void {
    if (!this.#chunkNewlines) {
      this.#chunkNewlines = new BareNewlines();
      this.openContent();
    }
    this.chunkBytes = bytes;
    this.lastChunk = last;
    this.repliesDue = last ? this.to.length : 1;
  }

  take(view: Buffer): void | Promise<void> {
    this.#arrived += view.length;
    if (!this.#writer) return;
    if (this.#arrived > this.limits.contentBytes) {
      this.#giveUp(TOO_BIG);
      return;
    }
    this.#chunkNewlines?.see(view);
    try {
      return this.#writer.write(view)?.catch((error: unknown) => this.#spoolFailed(error));
    } catch (error) {
      this.#spoolFailed(error);
    }
  }

  #giveUp(refusal: SmtpReply): void {
    this.#refusal = refusal;
    this.#writer?.abort();
    this.#writer = undefined;
  }

  #spoolFailed(error: unknown): void {
    this.crashed('content', 'spool', error);
    this.#giveUp(refusalFor(error));
  }

  /** Why the content that has arrived can't be taken, if so. */
  get refusal(): SmtpReply | undefined {
    return this.#refusal;
  }

  /**
   * The content is complete; gives it, or why it can't be had. At once, unless a spool file has to be finished.
   * @param bareNewlines found by the reader of DATA; chunks are watched here
   */
  closeContent(bareNewlines: boolean): Content | SmtpReply | Promise<Content | SmtpReply> {
    const writer = this.#writer!;
    this.#writer = undefined;
    const failed = (error: unknown): SmtpReply => {
      this.crashed('content', 'spool', error);
      return refusalFor(error);
    };
    try {
      const content = writer.finish(bareNewlines || (this.#chunkNewlines?.end() ?? false));
      return content instanceof Promise ? content.catch(failed) : content;
    } catch (error) {
      return failed(error);
    }
  }

  /** The session's transcript up to now, for the message that has just arrived; made when it is first asked for. */
  transcript(): () => readonly string[] {
    return this.#transcript.snapshot();
  }

  /** A message was accepted: the client means well. */
  messageTaken(): void {
    this.#messages++;
    this.#failures = 0;
    this.#junk = 0;
  }

  settle(event: string, line: string, answer: Reply): Pace {
    const said = answer as SmtpReply;
    if (line !== '') {
      this.#commands++;
      this.#transcript.add(this.#visible(event, line), said);
    } else {
      this.#transcript.add('', said);
    }
    if (event === 'MAIL' && said.outcome === 'ok') this.#transcript.transactionOpens();
    if (event === 'end') {
      if (said.outcome !== 'more') this.#transcript.transactionEnds();
      return 0;
    }
    let failed = said.outcome === 'fail' && said.code !== 452;
    if (JUNK.has(event) && ++this.#junk > this.limits.junkCommands) failed = true;
    if (!failed) return 0;
    this.#failuresInAll++;
    this.#failures++;
    if (this.#failures >= this.limits.failuresBeforeCut) return 'cut';
    return this.#failures >= this.limits.failuresBeforeDelay ? this.limits.failureDelayMs : 0;
  }

  /** The line as transcripts show it: a secret argument is left out, and what may be the rest of one. */
  #visible(event: string, line: string): string {
    const { verb, arg } = splitVerb(line);
    const facts = VERB_OF.get(verb);
    if (facts?.secret) {
      this.#secretsMayFollow = true;
      return arg === '' ? verb : `${verb} ${arg.split(' ', 1)[0]} ***`;
    }
    if (facts) this.#secretsMayFollow = false;
    return this.#secretsMayFollow && event === 'unknown' ? '***' : line;
  }

  crashed(state: string, event: string, error: unknown): void {
    this.services.report({ type: 'crash', where: event, session: this.id, state, error });
  }

  closed(end: SessionEnd): void {
    this.reset();
    this.services.report({
      type: 'session-end',
      protocol: this.services.protocol,
      session: this.id,
      address: this.address,
      hello: this.hello,
      ...(this.tls && { tls: this.tls }),
      messages: this.#messages,
      commands: this.#commands,
      failures: this.#failuresInAll,
      bytesIn: end.bytesIn,
      bytesOut: end.bytesOut,
      milliseconds: performance.now() - this.#startedAt,
      reason: end.reason,
    });
  }
}
