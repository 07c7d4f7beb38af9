import type { Caller } from '../../src/eurechat/caller.ts';
import type { Pass } from '../../src/eurechat/directory.ts';
import type { Place } from '../../src/eurechat/place.ts';
import type { ChangeEvent, Feed } from '../../src/mail/feed.ts';
import type { Summary } from '../../src/mail/store.ts';

/** A feed that tells what a test wants told. */
export class ScriptedFeed implements Feed {
  readonly #listeners = new Set<(event: ChangeEvent) => void>();
  #latest = 0;

  get listeners(): number {
    return this.#listeners.size;
  }

  latest(): number {
    return this.#latest;
  }

  async since(): Promise<readonly ChangeEvent[]> {
    return [];
  }

  subscribe(listener: (event: ChangeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A message has come into inboxes. */
  receive(facts: Partial<Summary> & { readonly id: string }, ...inboxes: readonly string[]): void {
    const common = { quarantine: null, subject: 'hello', bytes: 237 };
    const summary = { ...common, from: { name: '', address: 'ada@out.test' }, ...facts } as Summary;
    this.tell({ id: ++this.#latest, type: 'received', message: facts.id, inboxes, at: new Date(), summary });
  }

  tell(event: ChangeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** Calls nobody, and notes whom it should have called. */
export class ScriptedCaller implements Caller {
  readonly calls: string[] = [];
  /** Ports that somebody listens on. */
  readonly listening: Set<number>;

  constructor(listening: Iterable<number>) {
    this.listening = new Set(listening);
  }

  reach = (place: Place): Promise<void> => this.#call('reach', place);
  ping = (place: Place): Promise<void> => this.#call('ping', place);
  tell = (place: Place, frame: Buffer): Promise<void> => this.#call(frame.toString(), place);

  close(): void {
    this.listening.clear();
  }

  async #call(what: string, { address, port }: Place): Promise<void> {
    this.calls.push(`${what} ${address}:${port}`);
    if (!this.listening.has(port)) throw Object.assign(new Error('nobody listens'), { code: 'ECONNREFUSED' });
  }
}

/** Leave for one user, who may know and see everything unless told otherwise. */
export function passOf(user: string, traits: Partial<Pass> = {}): Pass {
  return { user, sees: () => true, knows: () => true, holds: () => true, ...traits };
}
