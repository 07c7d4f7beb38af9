import { createId } from '../mail/message.ts';
import type { Reporter } from '../mail/report.ts';
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
  readonly id = createId();
  readonly address: string;
  readonly chunkBytes = 0;
  readonly ceilingBytes = 0;
  readonly #startedAt = performance.now();
  readonly #gone = new AbortController();
  #queries = 0;
  #failures = 0;

  constructor(services: FingerServices, address: string) {
    this.services = services;
    this.address = address;
    services.report({ type: 'session-start', protocol: 'FINGER', session: this.id, address });
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
    if (event === 'answer') this.#queries++;
    if (reply.outcome === 'fail') this.#failures++;
    return 0;
  }

  secured(): void {
    // finger knows no encryption
  }

  crashed(state: string, _event: string, error: unknown): void {
    if (this.#gone.signal.aborted) return; // nobody is left to be told, and the source was asked to stop
    this.services.report({ type: 'crash', where: 'finger source', session: this.id, state, error });
  }

  closed({ reason, bytesIn, bytesOut }: SessionEnd): void {
    this.#gone.abort(new Error('the client has gone'));
    this.services.report({
      type: 'session-end',
      protocol: 'FINGER',
      session: this.id,
      address: this.address,
      hello: '',
      messages: 0,
      commands: this.#queries,
      failures: this.#failures,
      bytesIn,
      bytesOut,
      milliseconds: performance.now() - this.#startedAt,
      reason,
    });
  }
}
