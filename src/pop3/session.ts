import { createId, type TlsFacts } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
import type { Pace, SessionEnd, Session as WireSession } from '../wire/connection.ts';
import { isThisMachine } from '../wire/networks.ts';
import type { Reply } from '../wire/reply.ts';
import type { Pop3Limits } from './limits.ts';
import { Maildrop, type MaildropServices } from './maildrop.ts';
import { isRefused, type Refused } from './replies.ts';

/** Leave to look into an inbox. */
export interface Pass {
  readonly inbox: string;
  readonly mayDelete: boolean;
  /** False once it has been taken back or has run out. */
  holds(): boolean;
}

/** What came of a login. */
export type Admission =
  | { readonly ok: true; readonly pass: Pass }
  | {
      readonly ok: false;
      /** `wrong`; `blocked`, as too many were wrong before; `busy`, so that nobody can say now; `elsewhere`: only this machine may. */
      readonly why: 'wrong' | 'blocked' | 'busy' | 'elsewhere';
    };

/** Decides who may look into which inbox. */
export interface Doorkeeper {
  /**
   * @param user names the inbox, as people write it
   * @param address of the client, whose failures are counted
   */
  admit(user: string, secret: string, address: string): Promise<Admission>;
}

/** What sessions of one listener share. */
export interface Pop3Services extends Omit<MaildropServices, 'most'> {
  readonly limits: Pop3Limits;
  readonly doorkeeper: Doorkeeper;
  readonly report: Reporter;
  /** What STLS comes to where the session does not begin with TLS. */
  readonly stls: 'required' | 'offered' | 'off';
  /** Logins in clear text from other machines too. */
  readonly plaintext: boolean;
  /** EXPIRE of CAPA (RFC 2449 §6.7): days that a message stays at least, or NEVER; absent where nobody can say. */
  readonly expire?: string;
  /** Room for replies that are held back, over all sessions. */
  readonly sleepers: { take(address: string): boolean; give(address: string): void };
}

/** Lines that are no work of a client of POP3. */
const STRAY: ReadonlySet<string> = new Set(['unknown', 'misplaced', 'badLine']);

/** One client's session: whose maildrop is open, and the counters that end its patience. */
export class Session implements WireSession {
  readonly services: Pop3Services;
  readonly id = createId();
  readonly address: string;
  readonly #startedAt = performance.now();
  tls: TlsFacts | undefined;
  /** The inbox that USER named, until PASS comes. */
  user = '';
  /** Leave to look, once logged in, and what there is to see. */
  pass: Pass | undefined;
  #maildrop: Maildrop | undefined;
  readonly chunkBytes = 0;
  readonly ceilingBytes = 0;
  #commands = 0;
  #failures = 0;
  #strays = 0;
  #retrieved = 0;
  #loginFailures = 0;
  #loginFailed = false;
  /** The session is cut for guessing. */
  loginsFailed = false;
  #sleeps = false;
  isOver = false;

  constructor(services: Pop3Services, address: string) {
    this.services = services;
    this.address = address;
    services.report({ type: 'session-start', protocol: 'POP3', session: this.id, address });
  }

  get limits(): Pop3Limits {
    return this.services.limits;
  }

  /** The maildrop; there is one in every state behind the login. */
  get maildrop(): Maildrop {
    return this.#maildrop!;
  }

  /** Nobody on the way can read what is said, or that is allowed. */
  get mayLogIn(): boolean {
    if (this.tls) return true;
    const { stls, plaintext } = this.services;
    return stls !== 'required' && (plaintext || isThisMachine(this.address));
  }

  /** STLS can be said with success. */
  get offersStls(): boolean {
    return this.services.stls !== 'off' && this.tls === undefined && this.pass === undefined;
  }

  async open(pass: Pass): Promise<Maildrop> {
    const { store, hostname, sizes, limits } = this.services;
    this.#maildrop = await Maildrop.open(pass.inbox, { store, hostname, sizes, most: limits.messages });
    this.pass = pass;
    return this.#maildrop;
  }

  /** Tells what came of a login, and remembers a wrong one for the pace of the reply. */
  judged(admission: Admission): void {
    const { report } = this.services;
    const facts = { protocol: 'POP3', session: this.id, address: this.address, mechanism: 'USER' };
    if (admission.ok) report({ type: 'login', ...facts, user: admission.pass.inbox });
    else report({ type: 'login-refused', ...facts, why: admission.why, user: '' });
    this.#loginFailed = !admission.ok && admission.why !== 'busy';
  }

  /** A message goes out whole. */
  retrieved(): void {
    this.#retrieved++;
  }

  /** Forgets all that was said in clear text (RFC 2595 §4). */
  secured(handshake: TlsFacts): void {
    this.tls = handshake;
    this.user = '';
  }

  async take(): Promise<void> {
    throw new Error('POP3 has no state that takes content');
  }

  settle(event: string, line: string, reply: Reply): Pace {
    if (line !== '') this.#commands++;
    if (isRefused(reply)) this.#refused(reply);
    if (reply.outcome !== 'fail') return 0;
    this.#failures++;
    if (this.#loginFailed) {
      this.#loginFailed = false;
      return this.#paceOfGuesses();
    }
    if (!STRAY.has(event)) return 0;
    return ++this.#strays >= this.limits.failuresBeforeCut ? 'cut' : 0;
  }

  /** A reply says no: whoever counts is told. */
  #refused({ reason, text }: Refused): void {
    const { id: session, address } = this;
    this.services.report({ type: 'refusal', protocol: 'POP3', session, address, phase: 'command', reason, text });
  }

  /** Who guesses waits, longer each time, and has only so many tries. */
  #paceOfGuesses(): Pace {
    this.#loginFailures++;
    const { loginFailuresBeforeCut, loginFailureDelayMs } = this.limits;
    if (this.#loginFailures >= loginFailuresBeforeCut || !this.services.sleepers.take(this.address)) {
      this.loginsFailed = true;
      return 'cut';
    }
    this.#sleeps = true;
    return loginFailureDelayMs * 2 ** (this.#loginFailures - 1);
  }

  rested(): void {
    if (!this.#sleeps) return;
    this.#sleeps = false;
    this.services.sleepers.give(this.address);
  }

  crashed(state: string, event: string, error: unknown): void {
    this.services.report({ type: 'crash', where: event, session: this.id, state, error });
  }

  closed({ bytesIn, bytesOut, reason, trouble }: SessionEnd): void {
    this.rested();
    this.isOver = true;
    this.services.report({
      type: 'session-end',
      protocol: 'POP3',
      session: this.id,
      address: this.address,
      hello: '',
      ...(this.tls && { tls: this.tls }),
      messages: this.#retrieved,
      commands: this.#commands,
      failures: this.#failures,
      bytesIn,
      bytesOut,
      milliseconds: performance.now() - this.#startedAt,
      reason,
      ...(trouble !== undefined && { trouble }),
    });
  }
}
