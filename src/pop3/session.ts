import type { TlsFacts } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
import { SessionAccount } from '../mail/session-account.ts';
import type { Pace, SessionEnd, Session as WireSession } from '../wire/connection.ts';
import { isThisMachine } from '../wire/networks.ts';
import type { Reply } from '../wire/reply.ts';
import { Sleep, type Sleepers } from '../wire/sleep.ts';
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
  readonly sleepers: Sleepers;
}

/** Lines that are no work of a client of POP3. */
const STRAY: ReadonlySet<string> = new Set(['unknown', 'misplaced', 'badLine']);

/** One client's session: whose maildrop is open, and the counters that end its patience. */
export class Session implements WireSession {
  readonly services: Pop3Services;
  readonly address: string;
  readonly #account: SessionAccount;
  readonly #sleep: Sleep;
  tls: TlsFacts | undefined;
  /** The inbox that USER named, until PASS comes. */
  user = '';
  /** Leave to look, once logged in, and what there is to see. */
  pass: Pass | undefined;
  #maildrop: Maildrop | undefined;
  readonly chunkBytes = 0;
  readonly ceilingBytes = 0;
  #strays = 0;
  #loginFailures = 0;
  #loginFailed = false;
  /** The session is cut for guessing. */
  loginsFailed = false;
  isOver = false;

  constructor(services: Pop3Services, address: string) {
    this.services = services;
    this.address = address;
    this.#account = new SessionAccount('POP3', address, services.report);
    this.#sleep = new Sleep(services.sleepers, address);
  }

  get id(): string {
    return this.#account.id;
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
    if (admission.ok) this.#account.loggedIn(admission.pass.inbox);
    else this.#account.loginRefused(admission.why);
    this.#loginFailed = !admission.ok && admission.why !== 'busy';
  }

  /** A message goes out whole. */
  retrieved(): void {
    this.#account.messages++;
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
    if (line !== '') this.#account.commands++;
    if (isRefused(reply)) this.#refused(reply);
    if (reply.outcome !== 'fail') return 0;
    this.#account.failures++;
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
    if (this.#loginFailures >= loginFailuresBeforeCut || !this.#sleep.begin()) {
      this.loginsFailed = true;
      return 'cut';
    }
    return loginFailureDelayMs * 2 ** (this.#loginFailures - 1);
  }

  rested(): void {
    this.#sleep.end();
  }

  crashed(state: string, event: string, error: unknown): void {
    this.#account.crashed(event, state, error);
  }

  closed(end: SessionEnd): void {
    this.#sleep.end();
    this.isOver = true;
    this.#account.ended(end, this.tls);
  }
}
