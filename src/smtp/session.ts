import type { Authenticator, Judgement } from '../mail/authenticator.ts';
import type { Chaos } from '../mail/chaos.ts';
import type { Content, ContentWriter, Spool } from '../mail/content.ts';
import type { Envelope, Recipient, Sender } from '../mail/envelope.ts';
import type { Filter, Phase, Visit } from '../mail/filter.ts';
import { type Client, createId, type Login, type TlsFacts, type WithProtocol } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
import type { Sink } from '../mail/sink.ts';
import { BareNewlines } from '../wire/bare-newlines.ts';
import type { Pace, SessionEnd, Session as WireSession } from '../wire/connection.ts';
import { isThisMachine, type Networks } from '../wire/networks.ts';
import type { Reply } from '../wire/reply.ts';
import { Sleep, type Sleepers } from '../wire/sleep.ts';
import { splitVerb } from '../wire/split-verb.ts';
import { announce, MECHANISMS } from './extensions.ts';
import { arrange, type Filters } from './filters.ts';
import type { SmtpLimits } from './limits.ts';
import type { Claims } from './parse/xclient.ts';
import { reasonOf, reply, type SmtpReply, TOO_BIG, WRONG_CREDENTIALS } from './replies.ts';
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
  /** Clients may change over to TLS; false when absent. */
  readonly starttls?: boolean;
  /** Octets that the store can still take; Infinity when it can't tell. */
  readonly room: () => number;
  /** Refusals by chance, where a test asks for them. */
  readonly chaos?: Chaos;
  /** Those who may refuse, in the order they are asked. */
  readonly filters?: readonly Filter[];
  /** Room for replies that are held back, over all sessions; endless if absent. */
  readonly sleepers?: Sleepers;
  /** Addresses that XCLIENT is taken from; absent: it is not known. */
  readonly trusted?: Networks;
  /** Absent: nobody can log in, and AUTH is not known. */
  readonly logins?: Logins;
}

/** Logging in (RFC 4954). */
export interface Logins {
  readonly authenticator: Authenticator;
  /** No mail is taken before. */
  readonly required: boolean;
  /** Also where others on the way can read what is said. */
  readonly plaintext: boolean;
}

/** What EHLO is answered, and the keywords in it. */
export interface Welcome {
  readonly reply: SmtpReply;
  readonly keywords: ReadonlySet<string>;
}

/** Services with the replies that never change made once. */
export interface PreparedServices extends Omit<SmtpServices, 'filters' | 'limits'> {
  /** Those of the moment: under strain clients get less time. */
  limits: SmtpLimits;
  readonly greeting: SmtpReply;
  readonly heloReply: SmtpReply;
  /** @param offered keywords of optional extensions that the session can use */
  welcome(offered: readonly string[]): Welcome;
  readonly filters: Filters | undefined;
}

export function prepare(services: SmtpServices): PreparedServices {
  const { hostname, limits, protocol, filters = [] } = services;
  const welcomes = new Map<string, Welcome>();
  const greetWith = (offered: readonly string[]): Welcome => {
    const { lines, keywords } = announce(limits, offered);
    return { reply: reply(250, '', hostname, ...lines), keywords };
  };
  return {
    ...services,
    filters: arrange(filters),
    greeting: reply(220, '', `${hostname} ${protocol === 'LMTP' ? 'LMTP' : 'ESMTP'} inboxd`),
    heloReply: reply(250, '', hostname),
    welcome(offered) {
      const key = offered.join();
      const known = welcomes.get(key) ?? greetWith(offered);
      welcomes.set(key, known);
      return known;
    },
  };
}

/** A greeting that is waited with. */
interface Greeting {
  end(isEarly: boolean): void;
}

/** The part of the conversation that an event belongs to. */
const PHASE_OF: ReadonlyMap<string, Phase> = new Map([
  ['connect', 'connect'],
  ['EHLO', 'hello'],
  ['HELO', 'hello'],
  ['LHLO', 'hello'],
  ['MAIL', 'mail'],
  ['RCPT', 'rcpt'],
  ['DATA', 'data'],
  ['BDAT', 'data'],
  ['end', 'message'],
]);
const UNKNOWN_ADDRESS = 'unknown';
const NO_CLAIMS: Claims = new Map();
/** What is announced to who has not said EHLO. */
export const NO_KEYWORDS: ReadonlySet<string> = new Set();
const NOTHING_OFFERED: readonly string[] = [];
const JUST_AUTH: readonly string[] = ['AUTH'];

/** Commands that cost us work and bring no mail nearer. */
const JUNK: ReadonlySet<string> = new Set(['NOOP', 'RSET', 'VRFY', 'HELP', 'EHLO', 'HELO', 'LHLO']);

/**
 * One client's session: who it is, the open transaction, and the counters that end its patience.
 * The state of the conversation is the machine's; nothing here repeats it.
 */
export class Session implements WireSession {
  readonly services: PreparedServices;
  readonly id = createId();
  address: string;
  port: number;
  /** XCLIENT may be said: the connection comes from a trusted address, whomever it speaks for. */
  readonly isTrusted: boolean;
  /** The other end of the connection. */
  readonly #from: { readonly address: string; readonly port: number };
  /** What it said of the one that it speaks for. */
  #claims: Claims = NO_CLAIMS;
  readonly #startedAt = performance.now();

  /** What the handshake agreed on, once the session is encrypted. */
  tls: TlsFacts | undefined;
  /** Who the client logged in as; a new handshake forgets it. */
  login: Login | undefined;
  /** Name that the client's address points back to, and that points to the address. */
  name: string | undefined;
  endsAt?: number;
  #greeting: Greeting | undefined;
  hello = '';
  /** EHLO or LHLO was said: parameters may be given. */
  extended = false;
  /** Keywords that it was answered with. */
  announced: ReadonlySet<string> = NO_KEYWORDS;
  /** The name given in AUTH LOGIN, until its password comes; undefined for one that no user can have. */
  userToProve: string | undefined;

  from: Sender | undefined;
  /** Recipients that were told yes; `discarded` among them get nothing. */
  to: Recipient[] = [];
  discarded: Set<Recipient> | undefined;
  /** The filter that has what comes of this transaction, or of the whole session, thrown away. */
  discardedBy: Filter | undefined;
  discardedForGoodBy: Filter | undefined;
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

  #transcript: Transcript;
  #commands = 0;
  #failures = 0;
  #failuresInAll = 0;
  #junk = 0;
  #loginFailures = 0;
  #messages = 0;
  /** Octets of content in all, of refused messages too. */
  #contentBytes = 0;
  #visit: Visit | undefined;
  /** Filters were asked about a transaction and have not been told that it is over. */
  #filtersWait = false;
  /** How long the reply at hand is held back. */
  #heldMs = 0;
  #sleep: Sleep | undefined;
  isOver = false;
  /** Lines after a refused secret may be more of it. */
  #secretsMayFollow = false;

  constructor(services: PreparedServices, address: string, port: number) {
    this.services = services;
    this.address = address;
    this.port = port;
    this.#from = { address, port };
    this.isTrusted = services.trusted?.has(address) ?? false;
    this.#transcript = new Transcript(services.limits.transcriptEntries);
    if (services.limits.sessionMs > 0) this.endsAt = this.#startedAt + services.limits.sessionMs;
    services.report({ type: 'session-start', protocol: services.protocol, session: this.id, address });
  }

  get limits(): SmtpLimits {
    return this.services.limits;
  }

  /** Octets after which even content that is read away ends the session. */
  get ceilingBytes(): number {
    return this.limits.contentBytes * 1.5;
  }

  get client(): Client {
    const { address, port, tls, login, name } = this;
    const hello = this.#claims.get('HELO') ?? this.hello;
    if (tls === undefined && login === undefined && name === undefined) return { address, port, hello };
    return { address, port, hello, ...(name && { name }), ...(tls && { tls }), ...(login && { login }) };
  }

  get encrypted(): boolean {
    return this.tls !== undefined;
  }

  /** Optional extensions that this session can use as things stand. */
  get offered(): readonly string[] {
    const { logins, starttls } = this.services;
    const login = logins && this.mayLogIn ? JUST_AUTH : NOTHING_OFFERED;
    const further = this.isTrusted ? [...login, 'XCLIENT'] : login;
    if (this.encrypted) return ['REQUIRETLS', ...further];
    return starttls ? ['STARTTLS', ...further] : further;
  }

  /** Nobody on the way can read what is said, or that is allowed. */
  get mayLogIn(): boolean {
    return this.encrypted || this.services.logins?.plaintext === true || isThisMachine(this.address);
  }

  /** Takes a trusted client's word on whom it speaks for; what it said before and does not say again holds. */
  speakFor(claims: Claims): void {
    this.reset();
    this.#claims = new Map([...this.#claims, ...claims]);
    const { protocol, report } = this.services;
    const user = this.#claims.get('LOGIN');
    const by = this.address;
    if (claims.has('ADDR')) this.address = claims.get('ADDR') ?? UNKNOWN_ADDRESS;
    if (claims.has('PORT')) this.port = Number(claims.get('PORT') ?? 0);
    this.name = this.#claims.get('NAME');
    this.login = user === undefined ? undefined : { mechanism: 'XCLIENT', user };
    this.hello = '';
    this.extended = false;
    this.announced = NO_KEYWORDS;
    report({ type: 'speaks-for', protocol, session: this.id, by, address: this.address });
  }

  /** Forgets whom it spoke for. */
  #speakForNobody(): void {
    this.#claims = NO_CLAIMS;
    this.address = this.#from.address;
    this.port = this.#from.port;
    this.name = undefined;
  }

  /** Tells that somebody logged in, or could not. */
  reportLogin(mechanism: string, judgement: Judgement): void {
    const { report, protocol } = this.services;
    const { address, id: session } = this;
    if (judgement.ok) report({ type: 'login', protocol, session, address, mechanism, user: judgement.user });
    else
      report({
        type: 'login-refused',
        protocol,
        session,
        address,
        mechanism,
        why: judgement.why,
        user: judgement.user ?? '',
      });
  }

  get loginsFailed(): boolean {
    return this.#loginFailures >= this.limits.loginFailuresBeforeCut;
  }

  /** Forgets all that was said in clear text (RFC 3207 §4.2). What it has cost us still counts. */
  secured(handshake: TlsFacts): void {
    this.reset();
    this.tls = handshake;
    this.hello = '';
    this.extended = false;
    this.announced = NO_KEYWORDS;
    this.login = undefined;
    if (this.#claims.size > 0) this.#speakForNobody();
    this.userToProve = undefined;
    this.#failures = 0;
    this.#junk = 0;
    this.#secretsMayFollow = false;
    this.#transcript = new Transcript(this.limits.transcriptEntries);
  }

  /** "with" of the trace (RFC 3848, RFC 6531 §4.3). */
  get withProtocol(): WithProtocol {
    if (!this.extended || this.#claims.get('PROTO') === 'SMTP') return 'SMTP';
    const utf8 = this.from?.params.has('SMTPUTF8') ?? false;
    const secured = `${this.encrypted ? 'S' : ''}${this.login ? 'A' : ''}` as const;
    if (this.services.protocol === 'LMTP') return `${utf8 ? 'UTF8LMTP' : 'LMTP'}${secured}`;
    return `${utf8 ? 'UTF8SMTP' : 'ESMTP'}${secured}`;
  }

  /** The session as filters know it. */
  get visit(): Visit {
    return (this.#visit ??= new SessionVisit(this));
  }

  /** Sender and recipients as they go on: those that get nothing are left out. */
  get envelope(): Envelope {
    const { discarded } = this;
    return { from: this.from!, to: discarded ? this.to.filter((one) => !discarded.has(one)) : this.to };
  }

  /** Filters are about to hear of a transaction; whatever comes of it they are told its end. */
  filtersAwaitReset(): void {
    this.#filtersWait = true;
  }

  /** Has the reply at hand held back; false when too many sleep already. */
  holdBack(milliseconds: number, reason: string): boolean {
    if (!this.#maySleep()) return false;
    const { id: session, address } = this;
    this.services.report({ type: 'tarpit', session, address, reason, milliseconds });
    this.#heldMs = Math.max(this.#heldMs, milliseconds);
    return true;
  }

  #maySleep(): boolean {
    const { sleepers } = this.services;
    if (!sleepers || this.#sleep) return true;
    const sleep = new Sleep(sleepers, this.address);
    if (!sleep.begin()) return false;
    this.#sleep = sleep;
    return true;
  }

  /** The reply that was held back is on its way. */
  rested(): void {
    this.#sleep?.end();
    this.#sleep = undefined;
  }

  /** Gives the open transaction up, whole: sender, recipients, content and what was noted about them. */
  reset(): void {
    this.release();
    this.transactionOver();
  }

  /** Tells the filters that the transaction they know of is over. */
  transactionOver(): void {
    if (!this.#filtersWait) return;
    this.#filtersWait = false;
    for (const filter of this.services.filters!.reset) this.#tell(filter, 'reset', () => filter.reset!(this.visit));
  }

  /** Tells the filters of a recipient that is refused. */
  tellRefusedRcpt(recipient: Recipient, { code, enhanced, lines }: SmtpReply): void {
    const { from } = this;
    if (!from) return;
    const text = (lines.at(-1) ?? '').replace(/^\d{3}[ -](?:\d\.\d+\.\d+ )?/, '');
    for (const filter of this.services.filters?.refusedRcpt ?? []) {
      const said = { code, enhanced, text };
      this.#tell(filter, 'refusedRcpt', () => filter.refusedRcpt!(this.visit, from, recipient, said));
    }
  }

  /** Tells a filter what happened; what it throws is its own trouble. */
  #tell(filter: Filter, event: string, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.services.report({ type: 'crash', where: `filter ${filter.name}`, session: this.id, state: event, error });
    }
  }

  /** Forgets the transaction but lets the filters go on with its message. */
  release(): void {
    this.#writer?.abort();
    this.from = undefined;
    this.to = [];
    this.discarded = undefined;
    this.discardedBy = undefined;
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

  /** BDAT has begun. */
  get hasChunks(): boolean {
    return this.#chunkNewlines !== undefined;
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

  /** It has brought all that one connection may bring. */
  get isSpent(): boolean {
    const { sessionMessages, sessionBytes } = this.limits;
    return (
      (sessionMessages > 0 && this.#messages >= sessionMessages) ||
      (sessionBytes > 0 && this.#contentBytes >= sessionBytes)
    );
  }

  take(view: Buffer): void | Promise<void> {
    this.#arrived += view.length;
    this.#contentBytes += view.length;
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
    if (this.endsAt !== undefined) this.endsAt = performance.now() + this.limits.sessionMs;
    this.#failures = 0;
    this.#junk = 0;
  }

  /**
   * Waits with the greeting for those who do not.
   * @returns true if the client spoke first
   */
  waitToGreet(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#greeting?.end(false), milliseconds);
      this.#greeting = {
        end: (isEarly) => {
          clearTimeout(timer);
          this.#greeting = undefined;
          resolve(isEarly);
        },
      };
    });
  }

  interrupted(): void {
    this.#greeting?.end(true);
  }

  hungUp(): void {
    this.#greeting?.end(false);
  }

  settle(event: string, line: string, answer: Reply): Pace {
    const said = answer as SmtpReply;
    if (line !== '') {
      this.#commands++;
      this.#transcript.add(event === 'answer' ? '***' : this.#visible(event, line), said);
    } else {
      this.#transcript.add('', said);
    }
    if (said.code >= 400) this.#refused(event, said);
    if (event === 'MAIL' && said.outcome === 'ok') this.#transcript.transactionOpens();
    const heldMs = this.#heldMs;
    this.#heldMs = 0;
    if (event === 'end') {
      if (said.outcome !== 'more') this.#transcript.transactionEnds();
      return heldMs;
    }
    let failed = said.outcome === 'fail' && said.code !== 452;
    if (JUNK.has(event) && ++this.#junk > this.limits.junkCommands) failed = true;
    if (!failed) return heldMs;
    this.#failuresInAll++;
    this.#failures++;
    if (said === WRONG_CREDENTIALS) return this.#paceOfGuesses();
    if (this.#failures >= this.limits.failuresBeforeCut) return 'cut';
    if (this.#failures < this.limits.failuresBeforeDelay) return heldMs;
    return this.#maySleep() ? Math.max(heldMs, this.limits.failureDelayMs) : 'cut';
  }

  /** A reply says no: whoever counts is told. */
  #refused(event: string, said: SmtpReply): void {
    const { filters, protocol, report } = this.services;
    report({
      type: 'refusal',
      protocol,
      session: this.id,
      address: this.address,
      phase: PHASE_OF.get(event) ?? 'command',
      reason: reasonOf(said),
      ...(said.filter !== undefined && { filter: said.filter }),
      code: said.code,
      text: said.lines.at(-1) ?? '',
    });
    if (!filters) return;
    for (const filter of filters.failed) {
      this.#tell(filter, 'failed', () => filter.failed!(this.visit, said.code, event));
    }
  }

  /** Who guesses waits, longer each time, and has only so many tries. */
  #paceOfGuesses(): Pace {
    this.#loginFailures++;
    if (this.loginsFailed || !this.#maySleep()) return 'cut';
    return this.limits.loginFailureDelayMs * 2 ** (this.#loginFailures - 1);
  }

  /** The line as transcripts show it: a secret argument is left out, and what may be the rest of one. */
  #visible(event: string, line: string): string {
    const known = VERB_OF.get(event);
    if (known && !known.secret) {
      this.#secretsMayFollow = false;
      return line;
    }
    const { verb, arg } = splitVerb(line);
    const facts = VERB_OF.get(verb);
    if (facts?.secret) {
      this.#secretsMayFollow = true;
      const word = arg.split(' ', 1)[0] ?? '';
      if (arg === '') return verb;
      const isMechanism = (MECHANISMS as readonly string[]).includes(word.toUpperCase());
      return isMechanism ? `${verb} ${word}${arg === word ? '' : ' ***'}` : `${verb} ***`;
    }
    if (facts) this.#secretsMayFollow = false;
    return this.#secretsMayFollow && event === 'unknown' ? '***' : line;
  }

  crashed(state: string, event: string, error: unknown): void {
    this.services.report({ type: 'crash', where: event, session: this.id, state, error });
  }

  closed(end: SessionEnd): void {
    this.reset();
    this.rested();
    this.isOver = true;
    this.#greeting?.end(false);
    for (const filter of this.services.filters?.closed ?? []) {
      this.#tell(filter, 'closed', () => filter.closed!(this.visit));
    }
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
      ...(end.trouble !== undefined && { trouble: end.trouble }),
    });
  }
}

class SessionVisit implements Visit {
  readonly session: string;
  readonly protocol: 'SMTP' | 'LMTP';
  readonly #session: Session;

  constructor(session: Session) {
    this.session = session.id;
    this.protocol = session.services.protocol;
    this.#session = session;
  }

  get client(): Client {
    return this.#session.client;
  }
}
