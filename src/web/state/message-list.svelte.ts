import { api, Refusal } from '../api/client.ts';
import type { Summary } from '../api/types.ts';

export interface View {
  readonly inbox: string | undefined;
  readonly q: string;
}

const FIRST_PAGE = 100;
const PAGE = 500;
/** Rows that are there before they are scrolled to. */
const AHEAD = 60;

/** Hides messages that the reader has deleted while it can still be undone. */
export type Mask = (message: Summary, view: View) => boolean;

/**
 * The messages of one view, newest first, read page by page as far as somebody looks.
 *
 * The array is replaced, never changed: a proxy around each of a hundred thousand rows would cost more than the rows.
 */
export class MessageList {
  view = $state.raw<View>({ inbox: undefined, q: '' });
  rows = $state.raw<readonly Summary[]>([]);
  /** All that match, as far as is known. */
  total = $state(0);
  /** Whether there are more than `total`. */
  isMore = $state(false);
  loading = $state(false);
  failure = $state.raw<Error | null>(null);
  /** Ids that came in while looking, for a moment. */
  fresh = $state.raw<ReadonlySet<string>>(new Set());
  #next: string | null = null;
  #ids = new Set<string>();
  #abort = new AbortController();
  #wanted = 0;
  readonly #masks = new Set<Mask>();

  /** Shows another view from its start. */
  async open(view: View): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const same = view.inbox === this.view.inbox && view.q === this.view.q;
    this.view = view;
    this.#wanted = 0;
    if (!same) this.#replace([], null);
    this.loading = true;
    try {
      const page = await api.messages({ ...view, limit: FIRST_PAGE }, signal);
      if (signal.aborted) return;
      this.failure = null;
      this.#replace(page.messages, page.next);
      this.total = page.matches ?? this.total;
      this.isMore = page.isMore ?? page.matches === undefined;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Error)) throw error;
      this.failure = error;
      if (error instanceof Refusal) this.#replace([], null);
    } finally {
      if (!signal.aborted) this.loading = false;
    }
  }

  get atEnd(): boolean {
    return this.#next === null;
  }

  /** Sees to it that the row at an index is there, if there is one. */
  async reach(index: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, index + AHEAD);
    if (this.loading || this.#next === null || this.rows.length >= this.#wanted) return;
    const { signal } = this.#abort;
    this.loading = true;
    try {
      while (this.#next !== null && this.rows.length < this.#wanted) {
        const cursor: string = this.#next;
        const page = await api.messages({ ...this.view, limit: PAGE, cursor }, signal);
        if (signal.aborted) return;
        this.#next = page.next === cursor ? null : page.next;
        this.#append(page.messages);
      }
    } catch (error) {
      if (!signal.aborted) this.failure = error as Error;
    } finally {
      if (!signal.aborted) this.loading = false;
    }
  }

  /** Takes in what has arrived, in any order. */
  arrive(messages: readonly Summary[]): number {
    const now = messages.filter((message) => !this.#ids.has(message.id) && this.#isShown(message));
    if (now.length === 0) return 0;
    for (const { id } of now) this.#ids.add(id);
    this.rows = [...now, ...this.rows].sort(byNewest);
    this.total += now.length;
    this.fresh = new Set([...this.fresh, ...now.map(({ id }) => id)]);
    setTimeout(() => {
      const gone = new Set(now.map(({ id }) => id));
      this.fresh = new Set([...this.fresh].filter((id) => !gone.has(id)));
    }, 2_500);
    return now.length;
  }

  update(messages: readonly Summary[]): void {
    const known = new Map(messages.filter(({ id }) => this.#ids.has(id)).map((message) => [message.id, message]));
    if (known.size > 0) this.rows = this.rows.map((row) => known.get(row.id) ?? row);
  }

  /** Takes messages out; gives those that were there. */
  drop(ids: ReadonlySet<string>): Summary[] {
    const gone = this.rows.filter(({ id }) => ids.has(id));
    if (gone.length === 0) return [];
    for (const { id } of gone) this.#ids.delete(id);
    this.rows = this.rows.filter(({ id }) => !ids.has(id));
    this.total = Math.max(this.total - gone.length, this.rows.length);
    return gone;
  }

  /** Hides what matches until the way back is called. */
  mask(mask: Mask): () => void {
    this.#masks.add(mask);
    this.drop(new Set(this.rows.filter((row) => mask(row, this.view)).map(({ id }) => id)));
    if (this.rows.length === 0) this.total = 0;
    return () => this.#masks.delete(mask);
  }

  indexOf(id: string | undefined): number {
    return id !== undefined && this.#ids.has(id) ? this.rows.findIndex((row) => row.id === id) : -1;
  }

  #isShown(message: Summary): boolean {
    for (const mask of this.#masks) if (mask(message, this.view)) return false;
    return true;
  }

  #replace(messages: readonly Summary[], next: string | null): void {
    const shown = messages.filter((message) => this.#isShown(message));
    this.#ids = new Set(shown.map(({ id }) => id));
    this.rows = shown;
    this.#next = next;
    this.total = shown.length;
  }

  #append(messages: readonly Summary[]): void {
    const more = messages.filter((message) => !this.#ids.has(message.id) && this.#isShown(message));
    for (const { id } of more) this.#ids.add(id);
    this.rows = [...this.rows, ...more];
    this.total = Math.max(this.total, this.rows.length);
  }
}

function byNewest(a: Summary, b: Summary): number {
  if (a.receivedAt !== b.receivedAt) return a.receivedAt < b.receivedAt ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}
