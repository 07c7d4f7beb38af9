import { createId, type TlsFacts } from './message.ts';
import type { Report, Reporter } from './report.ts';

type Reported = Extract<Report, { type: 'session-end' }>;

/** How a connection ended, and what had gone over it. */
export type ConnectionEnd = Pick<Reported, 'reason' | 'bytesIn' | 'bytesOut' | 'trouble'>;

/** What the sessions of protocols without mail transactions count, and report from their beginning to their end. */
export class SessionAccount {
  readonly id = createId();
  readonly #protocol: string;
  readonly #address: string;
  readonly #report: Reporter;
  readonly #startedAt = performance.now();
  /** Messages that went over it. */
  messages = 0;
  commands = 0;
  failures = 0;

  /** Reports that the session has begun. */
  constructor(protocol: string, address: string, report: Reporter) {
    this.#protocol = protocol;
    this.#address = address;
    this.#report = report;
    report({ type: 'session-start', ...this.#facts });
  }

  /** @param user as whom */
  loggedIn(user: string): void {
    this.#report({ type: 'login', ...this.#facts, mechanism: 'USER', user });
  }

  /** The user is not named: who is refused may have typed a password in his place. */
  loginRefused(why: string): void {
    this.#report({ type: 'login-refused', ...this.#facts, mechanism: 'USER', why, user: '' });
  }

  crashed(where: string, state: string, error: unknown): void {
    this.#report({ type: 'crash', where, session: this.id, state, error });
  }

  /** @param tls what the session ended encrypted with, if it did */
  ended({ reason, bytesIn, bytesOut, trouble }: ConnectionEnd, tls?: TlsFacts): void {
    const { messages, commands, failures } = this;
    this.#report({
      type: 'session-end',
      ...this.#facts,
      hello: '',
      ...(tls && { tls }),
      messages,
      commands,
      failures,
      bytesIn,
      bytesOut,
      milliseconds: performance.now() - this.#startedAt,
      reason,
      ...(trouble !== undefined && { trouble }),
    });
  }

  get #facts(): Pick<Reported, 'protocol' | 'session' | 'address'> {
    return { protocol: this.#protocol, session: this.id, address: this.#address };
  }
}
