import type { TlsFacts } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
import { SessionAccount } from '../mail/session-account.ts';
import type { Pace, SessionEnd, Session as WireSession } from '../wire/connection.ts';
import { isThisMachine } from '../wire/networks.ts';
import type { Reply } from '../wire/reply.ts';
import { Sleep, type Sleepers } from '../wire/sleep.ts';
import type { Directory, Pass } from './directory.ts';
import type { EurechatLimits } from './limits.ts';

/** What came of a login. */
export type Admission =
  | { readonly ok: true; readonly pass: Pass }
  | {
      readonly ok: false;
      /** `wrong`; `blocked`, as too many were wrong before; `busy`, so that nobody can say now; `elsewhere`: only this machine may. */
      readonly why: 'wrong' | 'blocked' | 'busy' | 'elsewhere';
    };

/** Decides who may be told of whose mail. */
export interface Doorkeeper {
  /** Reads what USER names; undefined if nobody can be called so. */
  nameOf(text: string): string | undefined;
  /**
   * @param user as `nameOf` gave it
   * @param address of the client, whose failures are counted
   */
  admit(user: string, secret: string, address: string): Promise<Admission>;
}

/** What sessions of one listener share. */
export interface EurechatServices {
  readonly directory: Directory;
  readonly limits: EurechatLimits;
  readonly doorkeeper: Doorkeeper;
  readonly report: Reporter;
  /** Room for replies that are held back, over all sessions. */
  readonly sleepers: Sleepers;
}

/** One client's session with the directory. */
export class Session implements WireSession {
  readonly services: EurechatServices;
  readonly address: string;
  readonly #account: SessionAccount;
  readonly #sleep: Sleep;
  tls: TlsFacts | undefined;
  /** The name that USER gave, until PASS comes. */
  user = '';
  #pass: Pass | undefined;
  readonly chunkBytes = 0;
  #loginFailed = false;

  constructor(services: EurechatServices, address: string) {
    this.services = services;
    this.address = address;
    this.#account = new SessionAccount('EURECHAT', address, services.report);
    this.#sleep = new Sleep(services.sleepers, address);
  }

  get id(): string {
    return this.#account.id;
  }

  get limits(): EurechatLimits {
    return this.services.limits;
  }

  get ceilingBytes(): number {
    return this.limits.payloadBytes;
  }

  /** Leave to be told of mail; there is one in every state behind the login. */
  get pass(): Pass {
    return this.#pass!;
  }

  /** Nobody on the way can read a password. No option says otherwise: there is `eurechats`. */
  get mayLogIn(): boolean {
    return this.tls !== undefined || isThisMachine(this.address);
  }

  /** Tells what came of a login, and remembers a wrong one for the pace of the reply. */
  judged(admission: Admission): void {
    if (admission.ok) {
      this.#pass = admission.pass;
      this.#account.loggedIn(admission.pass.user);
    } else {
      this.#loginFailed = admission.why !== 'busy';
      this.#account.loginRefused(admission.why);
    }
  }

  secured(handshake: TlsFacts): void {
    this.tls = handshake;
  }

  take(): void {
    // no command of the directory has a payload that means anything; it was read so that it is not taken for commands
  }

  settle(_event: string, line: string, reply: Reply): Pace {
    if (line !== '') this.#account.commands++;
    if (reply.outcome !== 'fail') return 0;
    this.#account.failures++;
    if (!this.#loginFailed || !this.#sleep.begin()) return 0;
    this.#loginFailed = false;
    return this.limits.loginFailureDelayMs;
  }

  rested(): void {
    this.#sleep.end();
  }

  crashed(state: string, event: string, error: unknown): void {
    this.#account.crashed(event, state, error);
  }

  closed(end: SessionEnd): void {
    this.#sleep.end();
    this.#account.ended(end, this.tls);
  }
}
