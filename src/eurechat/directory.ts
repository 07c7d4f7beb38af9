import type { ChangeEvent, Feed } from '../mail/feed.ts';
import type { Naming } from '../mail/inbox.ts';
import type { Reporter } from '../mail/report.ts';
import type { Caller } from './caller.ts';
import { Endpoint, type Notice, type NoticeResult } from './endpoint.ts';
import type { DirectoryLimits } from './limits.ts';
import { usersOf } from './names.ts';
import { noticeOf } from './notice.ts';
import { mayCall, type Place } from './place.ts';

/** Leave to be told of mail, as a login gave it. */
export interface Pass {
  /** The name that is bound. */
  readonly user: string;
  /** True if what comes into an inbox may be told to this user. */
  sees(inbox: string): boolean;
  /** True if the user may know that another is bound, and where. */
  knows(other: Pass): boolean;
  /** False once it has been taken back or has run out. */
  holds(): boolean;
}

interface Binding {
  readonly pass: Pass;
  readonly endpoint: Endpoint;
}

/** Why a binding was not made. */
export type BindTrouble = 'too many' | 'too many of the user' | 'too many of the address' | 'unreachable' | 'closed';

export interface DirectoryOptions {
  readonly caller: Caller;
  readonly limits: DirectoryLimits;
  readonly feed: Feed;
  readonly naming: Naming;
  readonly report: Reporter;
}

/**
 * Who is bound where. A binding outlives the session that made it: it ends by LEAVE, when its endpoint gives no PONG, when
 * the token that it was made with holds no more, or with the daemon, since nothing is written down.
 *
 * What cannot be helped: when a program that was bound ends and another listens on its port before the next check, that
 * one is told of mail until the check, if it takes connections; and for as long as it likes, if it answers PING.
 */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #bindings = new Map<string, Binding>();
  readonly #users = new Map<string, Set<Binding>>();
  readonly #endpoints = new Map<string, Endpoint>();
  /** Bindings whose endpoint is being called: they count, or many at once would pass every bound. */
  readonly #reserved = new Map<symbol, { readonly user: string; readonly place: Place }>();
  /** Set while somebody is bound: a feed without listeners costs its writers nothing. */
  #leaveFeed: (() => void) | undefined;
  #checking: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** Binds a user to a place once somebody there takes a connection; the same again changes nothing. Says why it did not. */
  async bind(pass: Pass, place: Place, session: string): Promise<BindTrouble | undefined> {
    const trouble = (await this.#admit(pass.user, place)) ?? this.#add(pass, place);
    const event = trouble === undefined ? 'bound' : 'refused';
    this.#report(event, pass.user, place, { session, ...(trouble !== undefined && { why: trouble }) });
    return trouble;
  }

  /** Tells that a client named a place that is not his own. */
  refuse({ user }: Pass, address: string, session: string): void {
    this.#report('refused', user, { address, port: 0 }, { session, why: 'not the own address of the client' });
  }

  /** Ends what a user has bound to the addresses of a client. */
  leave({ user }: Pass, source: string, session: string): void {
    for (const binding of [...(this.#users.get(user) ?? [])]) {
      if (mayCall({ ...binding.endpoint.place, source })) this.#end(binding, 'left', { session });
    }
  }

  /** Bindings that a user may know, as `user,address,port`, oldest first; of one user, or of all. */
  list(asker: Pass, user?: string): readonly string[] {
    const lines: string[] = [];
    let left = this.#options.limits.resultBytes + 1; // one LF less than lines
    for (const { pass, endpoint } of (user === undefined ? this.#bindings : (this.#users.get(user) ?? [])).values()) {
      if (!asker.knows(pass)) continue;
      const line = [pass.user, endpoint.place.address, endpoint.place.port].join(',');
      left -= line.length + 1;
      if (left < 0) break;
      lines.push(line);
    }
    return lines;
  }

  /** Ends all calls and tells nobody any more. */
  close(): void {
    this.#isClosed = true;
    this.#rest();
    for (const endpoint of this.#endpoints.values()) endpoint.close();
    this.#options.caller.close();
  }

  async #admit(user: string, place: Place): Promise<BindTrouble | undefined> {
    const isKnown = this.#bindings.has(keyOf(user, place));
    const full = isKnown ? undefined : this.#full(user, place);
    if (full !== undefined) return full;
    const reservation = Symbol(user);
    if (!isKnown) this.#reserved.set(reservation, { user, place });
    try {
      await this.#options.caller.reach(place);
      return undefined;
    } catch {
      return 'unreachable'; // why does not matter: nobody is there for us
    } finally {
      this.#reserved.delete(reservation);
    }
  }

  #full(user: string, { address }: Place): BindTrouble | undefined {
    const { bindings, bindingsPerUser, bindingsPerAddress } = this.#options.limits;
    const all = [
      ...[...this.#bindings.values()].map(({ pass, endpoint }) => ({ user: pass.user, place: endpoint.place })),
      ...this.#reserved.values(),
    ];
    if (all.length >= bindings) return 'too many';
    if (all.filter((one) => one.user === user).length >= bindingsPerUser) return 'too many of the user';
    return all.filter(({ place }) => place.address === address).length >= bindingsPerAddress
      ? 'too many of the address'
      : undefined;
  }

  #add(pass: Pass, place: Place): BindTrouble | undefined {
    if (this.#isClosed) return 'closed';
    const key = keyOf(pass.user, place);
    const before = this.#bindings.get(key);
    const endpoint = before?.endpoint ?? this.#endpointAt(place);
    const binding = { pass, endpoint };
    this.#bindings.set(key, binding);
    const ofUser = this.#users.get(pass.user) ?? new Set();
    if (before) ofUser.delete(before);
    this.#users.set(pass.user, ofUser.add(binding));
    this.#leaveFeed ??= this.#options.feed.subscribe((event) => this.#hear(event));
    this.#checking ??= setInterval(() => void this.#check(), this.#options.limits.checkMs).unref();
    return undefined;
  }

  #endpointAt(place: Place): Endpoint {
    const { caller, limits } = this.#options;
    const key = `${place.address} ${place.port}`;
    let endpoint = this.#endpoints.get(key);
    if (!endpoint) {
      const told = (notice: Notice, result: NoticeResult, error?: unknown): void =>
        this.#told(place, notice, result, error);
      endpoint = new Endpoint({ place, caller, limits, told });
      this.#endpoints.set(key, endpoint);
    }
    return endpoint;
  }

  #end(binding: Binding, event: 'left' | 'dropped', facts: { readonly session?: string; readonly why?: string }): void {
    const { pass, endpoint } = binding;
    const { place } = endpoint;
    const key = keyOf(pass.user, place);
    if (this.#bindings.get(key) !== binding) return; // it has been made anew meanwhile, or ended
    this.#bindings.delete(key);
    const ofUser = this.#users.get(pass.user);
    ofUser?.delete(binding);
    if (ofUser?.size === 0) this.#users.delete(pass.user);
    if (![...this.#bindings.values()].some((one) => one.endpoint === endpoint)) {
      endpoint.close();
      this.#endpoints.delete(`${place.address} ${place.port}`);
    }
    if (this.#bindings.size === 0) this.#rest();
    this.#report(event, pass.user, place, facts);
  }

  #rest(): void {
    this.#leaveFeed?.();
    this.#leaveFeed = undefined;
    clearInterval(this.#checking);
    this.#checking = undefined;
  }

  /** Asks every endpoint at once, so that a slow one delays nobody, and drops those that do not answer. */
  async #check(): Promise<void> {
    for (const binding of [...this.#bindings.values()]) {
      if (!binding.pass.holds()) this.#end(binding, 'dropped', { why: 'token ended' });
    }
    await Promise.all(
      [...this.#endpoints.values()].map(async (endpoint) => {
        const asked = [...this.#bindings.values()].filter((binding) => binding.endpoint === endpoint);
        if ((await endpoint.ping()) || this.#isClosed) return;
        for (const binding of asked) this.#end(binding, 'dropped', { why: 'no PONG' });
      }),
    );
  }

  #hear(event: ChangeEvent): void {
    if (event.type !== 'received') return;
    const due = new Set<Endpoint>(); // once, to however many inboxes the message came
    for (const inbox of event.inboxes) {
      for (const user of usersOf(inbox, this.#options.naming)) {
        for (const { pass, endpoint } of this.#users.get(user) ?? []) {
          if (pass.sees(inbox) && pass.holds()) due.add(endpoint);
        }
      }
    }
    const summary = due.size === 0 ? undefined : event.summary;
    if (!summary || summary.quarantine !== null) return;
    const notice = { message: summary.id, frame: noticeOf(summary, this.#options.limits.textCharacters) };
    for (const endpoint of due) endpoint.tell(notice);
  }

  #told({ address, port }: Place, { message }: Notice, result: NoticeResult, error?: unknown): void {
    const why = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : '';
    this.#options.report({ type: 'notice', result, message, address, port, why });
  }

  #report(
    event: 'bound' | 'refused' | 'left' | 'dropped',
    user: string,
    { address, port }: Pick<Place, 'address' | 'port'>,
    { session = '', why = '' }: { readonly session?: string; readonly why?: string },
  ): void {
    const { report } = this.#options;
    report({ type: 'binding', event, user, address, port, session, why, bound: this.#bindings.size });
  }
}

function keyOf(user: string, { address, port }: Place): string {
  return `${user} ${address} ${port}`;
}
