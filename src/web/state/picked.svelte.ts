import type { Summary } from '../api/types.ts';
import type { MessageList, View } from './message-list.svelte.ts';

/** All of a view that had been received before a moment. */
export interface Everything {
  readonly view: View;
  /** ISO 8601. */
  readonly before: string;
  readonly count: number;
}

/** Most messages that are picked one by one; what is more is picked as everything that a search finds. */
const MOST = 10_000;

/** The messages that the reader has picked out of the list, to do something to all of them. */
export class Picked {
  ids = $state.raw<ReadonlySet<string>>(new Set());
  everything = $state.raw<Everything | null>(null);
  /** The row that the next step of a range starts from. */
  head = $state<string | undefined>();
  #anchor: string | undefined;
  /** What had been picked before the range. */
  #before: ReadonlySet<string> = new Set();
  readonly #list: MessageList;

  constructor(list: MessageList) {
    this.#list = list;
  }

  get count(): number {
    return this.everything?.count ?? this.ids.size;
  }

  has({ id, receivedAt }: Summary): boolean {
    return this.everything === null ? this.ids.has(id) : receivedAt < this.everything.before;
  }

  clear(): void {
    this.ids = new Set();
    this.everything = null;
    this.head = undefined;
    this.#anchor = undefined;
  }

  toggle(id: string): void {
    const ids = new Set(this.#known());
    if (!ids.delete(id)) ids.add(id);
    this.ids = ids;
    this.everything = null;
    this.#start(id);
  }

  /** Picks what lies between the row where the range began, or the one given, and another. */
  async extend(to: number, from = to): Promise<void> {
    if (this.#anchor === undefined || this.#list.indexOf(this.#anchor) < 0) {
      await this.#list.reach(from, from);
      const row = this.#list.rows[from];
      if (row === undefined) return;
      this.#start(row.id);
    }
    const begin = this.#list.indexOf(this.#anchor);
    const first = Math.min(begin, to);
    const last = Math.min(Math.max(begin, to), first + MOST - 1, this.#list.rows.length - 1);
    if (this.#list.rows.slice(first, last + 1).includes(undefined)) await this.#list.reach(first, last);
    const within = this.#list.rows.slice(first, last + 1).flatMap((row) => row?.id ?? []);
    this.ids = new Set([...this.#before, ...within]);
    this.everything = null;
    this.head = this.#list.rows[to]?.id ?? this.head;
  }

  /** Picks all of the view, the rows that nobody has looked at too; what arrives later is not among them. */
  pickAll(): void {
    const { rows, view, isWhole } = this.#list;
    const newest = rows[0];
    if (newest === undefined) return;
    this.clear();
    if (isWhole && rows.length <= MOST && !rows.includes(undefined)) {
      this.ids = new Set(rows.map((row) => row!.id));
    } else {
      this.everything = { view, before: justAfter(newest), count: rows.length };
    }
  }

  /** Forgets those that are gone. */
  drop(gone: ReadonlySet<string>): void {
    if ([...gone].some((id) => this.ids.has(id))) this.ids = new Set([...this.ids].filter((id) => !gone.has(id)));
  }

  /** Those of the picked that the list has read. */
  rows(): Summary[] {
    return this.#list.rows.filter((row) => row !== undefined).filter((row) => this.has(row));
  }

  #known(): ReadonlySet<string> {
    return this.everything === null ? this.ids : new Set(this.rows().map(({ id }) => id));
  }

  #start(id: string): void {
    this.#anchor = id;
    this.head = id;
    this.#before = this.ids;
  }
}

/** The moment after a message: what is before it has been received until then. */
export function justAfter({ receivedAt }: Summary): string {
  return new Date(Date.parse(receivedAt) + 1).toISOString();
}
