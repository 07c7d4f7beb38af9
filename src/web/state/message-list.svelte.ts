import { api, Refusal } from '../api/client.ts';
import type { MessagePage, Summary } from '../api/types.ts';

export interface View {
  readonly inbox: string | undefined;
  readonly q: string;
}

/** A row of the list; undefined where nobody has looked yet. */
export type Row = Summary | undefined;

/** Hides messages that the reader has deleted while it can still be undone. */
export interface Mask {
  hides(message: Summary, view: View): boolean;
  /** Whether rows that nobody has looked at yet are hidden as well. */
  hidesRest(view: View): boolean;
}

export interface Masked {
  /** Shows what was hidden. */
  lift(): void;
  /** Takes out for good what was hidden. */
  drop(): void;
}

const FIRST_PAGE = 100;
const PAGE = 200;
/** Rows that are there before they are scrolled to. */
const AHEAD = 60;
const FRESH_MS = 2_500;

/**
 * The messages of one view, newest first, of which only those are read that somebody looks at.
 *
 * The daemon says how many there are, and the list has a row for each from the start; those in sight are filled in,
 * wherever in the list that is. Places are counted from the end of the first page: what arrives later stands above that
 * and moves none of them. What is deleted below moves them, and if nobody knows from where, they are read anew.
 *
 * Arrays are replaced, never changed: a proxy around each of a hundred thousand rows would cost more than the rows.
 */
export class MessageList {
  view = $state.raw<View>({ inbox: undefined, q: '' });
  /** As the reader sees them. */
  rows = $state.raw<readonly Row[]>([]);
  loading = $state(false);
  failure = $state.raw<Error | null>(null);
  /** Ids that came in while looking, for a moment. */
  fresh = $state.raw<ReadonlySet<string>>(new Set());
  /** False while there are more than the rows: the daemon counts only so far. */
  isWhole = $state(true);
  /** As the daemon has them. */
  #all: readonly Row[] = [];
  #ids = new Set<string>();
  /** Where in `#all` each row is; undefined while they are the same. */
  #places: readonly number[] | undefined;
  /** Cursor behind the first page, and the row that it leads to. */
  #anchor: string | null = null;
  #base = 0;
  /** Cursor behind the last row, of a list whose length is not known. */
  #next: string | null = null;
  #wanted = { from: 0, to: 0 };
  #filling: Promise<void> | undefined;
  /** Grows whenever rows behind the anchor move. */
  #epoch = 0;
  #abort = new AbortController();
  readonly #masks = new Set<Mask>();

  /** Shows another view from its start, or the same one as it is now. */
  async open(view: View): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const same = view.inbox === this.view.inbox && view.q === this.view.q;
    this.view = view;
    this.#filling = undefined;
    if (!same) {
      this.#wanted = { from: 0, to: 0 };
      this.#replace({ messages: [], next: null, matches: 0 });
    }
    this.loading = true;
    try {
      const page = await api.messages({ ...view, limit: FIRST_PAGE }, signal);
      if (signal.aborted) return;
      this.failure = null;
      this.#replace(page);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Error)) throw error;
      this.failure = error;
      if (error instanceof Refusal) this.#replace({ messages: [], next: null, matches: 0 });
    } finally {
      if (!signal.aborted) this.loading = false;
    }
    if (!signal.aborted) await this.#fill();
  }

  /** Sees to it that rows are there, and some around them; resolves when they are. */
  async reach(from: number, to: number): Promise<void> {
    this.#wanted = { from: Math.max(0, from - AHEAD), to: to + AHEAD };
    await this.#fill();
  }

  /** Takes in what has arrived, in any order; gives how many are new. */
  arrive(messages: readonly Summary[]): number {
    const now = messages.filter(({ id }) => !this.#ids.has(id)).sort(byNewest);
    if (now.length === 0) return 0;
    const rows = [...this.#all];
    for (const message of now.toReversed()) {
      const found = rows.findIndex((row) => row === undefined || byNewest(message, row) < 0);
      const at = found < 0 ? rows.length : found;
      rows.splice(at, 0, message);
      if (at <= this.#base) this.#base++;
      else this.#epoch++;
      this.#ids.add(message.id);
    }
    this.#show(rows);
    const ids = new Set(now.map(({ id }) => id));
    this.fresh = new Set([...this.fresh, ...ids]);
    setTimeout(() => {
      this.fresh = new Set([...this.fresh].filter((id) => !ids.has(id)));
    }, FRESH_MS);
    return now.length;
  }

  update(messages: readonly Summary[]): void {
    const known = new Map(messages.filter(({ id }) => this.#ids.has(id)).map((message) => [message.id, message]));
    if (known.size > 0) this.#show(this.#all.map((row) => (row && known.get(row.id)) ?? row));
  }

  /** Takes out what has been deleted. */
  drop(gone: readonly { readonly id: string; readonly inboxes: readonly string[] }[]): void {
    const { inbox } = this.view;
    const ids = new Set(gone.map(({ id }) => id));
    const unknown = gone.filter(
      ({ id, inboxes }) => !this.#ids.has(id) && (inbox === undefined || inboxes.includes(inbox)),
    );
    if (unknown.length < gone.length) this.#remove((row) => row !== undefined && ids.has(row.id));
    // they may have been in rows that nobody has looked at, or in none
    if (unknown.length > 0 && this.isWhole && this.#ids.size < this.#all.length) void this.open(this.view);
  }

  /** Hides what matches until that is lifted or dropped. */
  mask(mask: Mask): Masked {
    this.#masks.add(mask);
    this.#show(this.#all);
    const end = (): void => {
      this.#masks.delete(mask);
      this.#show(this.#all);
      void this.#fill();
    };
    return {
      lift: end,
      drop: () => {
        const { view } = this;
        this.#remove((row) => (row === undefined ? mask.hidesRest(view) : mask.hides(row, view)));
        end();
      },
    };
  }

  indexOf(id: string | undefined): number {
    return id !== undefined && this.#ids.has(id) ? this.rows.findIndex((row) => row?.id === id) : -1;
  }

  #replace({ messages, next, matches, isMore }: MessagePage): void {
    this.#ids = new Set(messages.map(({ id }) => id));
    this.#anchor = next;
    this.#base = messages.length;
    this.#next = matches === undefined ? next : null;
    this.isWhole = next === null || (matches !== undefined && !isMore);
    this.#epoch++;
    const unread = next === null ? 0 : Math.max(0, (matches ?? 0) - messages.length);
    this.#show([...messages, ...Array.from<Row>({ length: unread })]);
  }

  #remove(isGone: (row: Row) => boolean): void {
    let base = 0;
    const kept = this.#all.filter((row, at) => {
      const gone = isGone(row);
      if (gone && row !== undefined) this.#ids.delete(row.id);
      if (!gone && at < this.#base) base++;
      return !gone;
    });
    this.#base = base;
    this.#epoch++;
    this.#show(kept);
  }

  #show(all: readonly Row[]): void {
    this.#all = all;
    if (this.#masks.size === 0) {
      this.#places = undefined;
      this.rows = all;
      return;
    }
    const masks = [...this.#masks];
    const { view } = this;
    const places: number[] = [];
    for (const [at, row] of all.entries()) {
      const hidden = masks.some((mask) => (row === undefined ? mask.hidesRest(view) : mask.hides(row, view)));
      if (!hidden) places.push(at);
    }
    this.#places = places;
    this.rows = places.map((at) => all[at]);
  }

  /** Reads what is wanted and missing, page after page; one at a time, and always for what is wanted now. */
  #fill(): Promise<void> {
    if (this.#filling !== undefined) return this.#filling;
    const filling = this.#readOn().finally(() => {
      if (this.#filling === filling) this.#filling = undefined;
    });
    this.#filling = filling;
    return filling;
  }

  async #readOn(): Promise<void> {
    const { signal } = this.#abort;
    try {
      for (;;) {
        const missing = this.#missing();
        if (missing === undefined) return;
        this.loading = true;
        const epoch = this.#epoch;
        const page = await api.messages({ ...this.view, limit: PAGE, ...missing }, signal);
        if (signal.aborted) return;
        if (missing.start === undefined) this.#append(page);
        else if (epoch === this.#epoch) this.#place(page, missing.start);
      }
    } catch (error) {
      if (!signal.aborted) this.failure = error as Error;
    } finally {
      if (!signal.aborted) this.loading = false;
    }
  }

  /** What to ask for next; undefined when all that is wanted is there. */
  #missing(): { readonly cursor: string; readonly start?: number } | undefined {
    const { from, to } = this.#wanted;
    if (this.#next !== null) return this.rows.length <= to ? { cursor: this.#next } : undefined;
    if (this.#anchor === null) return undefined;
    const end = Math.min(to, this.rows.length - 1);
    for (let at = from; at <= end; at++) {
      if (this.rows[at] !== undefined) continue;
      const place = this.#places?.[at] ?? at;
      return { cursor: this.#anchor, start: Math.max(0, place - this.#base) };
    }
    // the daemon has counted to here, and there are more
    if (!this.isWhole && to >= this.rows.length) return { cursor: this.#anchor, start: this.#all.length - this.#base };
    return undefined;
  }

  #place({ messages, next }: MessagePage, start: number): void {
    const rows = [...this.#all];
    const first = this.#base + start;
    const ids = new Set(messages.map(({ id }) => id));
    for (const [at, row] of rows.entries()) if (row && at >= first && ids.has(row.id)) rows[at] = undefined;
    for (const [at, message] of messages.entries()) {
      rows[first + at] = message;
      this.#ids.add(message.id);
    }
    // the daemon has no more: it has deleted some of which no word has come yet, or what nobody has counted ends here
    if (next === null) {
      rows.length = first + messages.length;
      this.isWhole = true;
    }
    this.#show(rows);
  }

  #append({ messages, next }: MessagePage): void {
    const more = messages.filter(({ id }) => !this.#ids.has(id));
    for (const { id } of more) this.#ids.add(id);
    this.#next = next === this.#next ? null : next;
    this.isWhole = this.#next === null;
    this.#show([...this.#all, ...more]);
  }
}

function byNewest(a: Summary, b: Summary): number {
  if (a.receivedAt !== b.receivedAt) return a.receivedAt < b.receivedAt ? 1 : -1;
  return a.id === b.id ? 0 : a.id < b.id ? 1 : -1;
}
