import type { Reporter } from '../mail/report.ts';
import { SessionAccount } from '../mail/session-account.ts';
import type { SessionEnd, Session as WireSession } from '../wire/connection.ts';
import { isThisMachine } from '../wire/networks.ts';
import type { FingerLimits } from './limits.ts';
import type { UserSource } from './source.ts';

/** What sessions of finger work with. */
export interface FingerServices {
  readonly source: UserSource;
  readonly limits: FingerLimits;
  /** Who may have the list of users: everybody, clients on this machine, nobody. */
  readonly list: 'all' | 'local' | 'none';
  readonly report: Reporter;
}

/** One client's question. */
export class FingerSession implements WireSession {
  readonly services: FingerServices;
  readonly address: string;
  readonly chunkBytes = 0;
  readonly ceilingBytes = 0;
  readonly #account: SessionAccount;
  readonly #gone = new AbortController();

  constructor(services: FingerServices, address: string) {
    this.services = services;
    this.address = address;
    this.#account = new SessionAccount('FINGER', address, services.report);
  }

  get id(): string {
    return this.#account.id;
  }

  get limits(): FingerLimits & { readonly [deadline: string]: number } {
    return this.services.limits;
  }

  get mayList(): boolean {
    const { list } = this.services;
    return list === 'all' || (list === 'local' && isThisMachine(this.address));
  }

  /** Fires when the source has taken too long, or the client has gone. */
  deadline(): AbortSignal {
    return AbortSignal.any([this.#gone.signal, AbortSignal.timeout(this.limits.sourceMs)]);
  }

  take(): void {
    // no state of finger reads content
  }

  settle(event: string, _line: string, reply: { readonly outcome: string }): 0 {
    if (event === 'answer') this.#account.commands++;
    if (reply.outcome === 'fail') this.#account.failures++;
    return 0;
  }

  secured(): void {
    // finger knows no encryption
  }

  crashed(state: string, _event: string, error: unknown): void {
    if (this.#gone.signal.aborted) return; // nobody is left to be told, and the source was asked to stop
    this.#account.crashed('finger source', state, error);
  }

  closed(end: SessionEnd): void {
    this.#gone.abort(new Error('the client has gone'));
    this.#account.ended(end);
  }
}
