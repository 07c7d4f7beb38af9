import { createId, type TlsFacts } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
import type { Pace, SessionEnd, Session as WireSession } from '../wire/connection.ts';
import { isThisMachine } from '../wire/networks.ts';
import type { Reply } from '../wire/reply.ts';
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
  readonly sleepers: { take(address: string): boolean; give(address: string): void };
}

/** One client's session with the directory. */
export class Session implements WireSession {
  readonly services: EurechatServices;
  readonly id = createId();
  readonly address: string;
  readonly #startedAt = performance.now();
  tls: TlsFacts | undefined;
  /** The name that USER gave, until PASS comes. */
  user = '';
  #pass: Pass | undefined;
  readonly chunkBytes = 0;
  #commands = 0;
  #failures = 0;
  #loginFailed = false;
  #sleeps = false;

  constructor(services: EurechatServices, address: string) {
    this.services = services;
    this.address = address;
    services.report({ type: 'session-start', protocol: 'EURECHAT', session: this.id, address });
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
    const { report } = this.services;
    const facts = { protocol: 'EURECHAT', session: this.id, address: this.address, mechanism: 'USER' };
    if (admission.ok) {
      this.#pass = admission.pass;
      report({ type: 'login', ...facts, user: admission.pass.user });
    } else {
      this.#loginFailed = admission.why !== 'busy';
      report({ type: 'login-refused', ...facts, why: admission.why, user: '' });
    }
  }

  secured(handshake: TlsFacts): void {
    this.tls = handshake;
  }

  take(): void {
    // no command of the directory has a payload that means anything; it was read so that it is not taken for commands
  }

  settle(_event: string, line: string, reply: Reply): Pace {
    if (line !== '') this.#commands++;
    if (reply.outcome !== 'fail') return 0;
    this.#failures++;
    if (!this.#loginFailed || !this.services.sleepers.take(this.address)) return 0;
    this.#loginFailed = false;
    this.#sleeps = true;
    return this.limits.loginFailureDelayMs;
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
    this.services.report({
      type: 'session-end',
      protocol: 'EURECHAT',
      session: this.id,
      address: this.address,
      hello: '',
      ...(this.tls && { tls: this.tls }),
      messages: 0,
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
