/** Something that belongs to inboxes. */
interface Laned {
  readonly inboxes: readonly string[];
}

/**
 * Keeps the order within each inbox: what comes later to an inbox waits until all before it there have gone, and what
 * lies in several inboxes waits in each.
 */
export class Lanes<T extends Laned> {
  readonly #lanes = new Map<string, Set<T>>();
  readonly #ready = new Set<T>();

  /** Everything that nothing goes before, in the order in which it came to be so. */
  get ready(): Iterable<T> {
    return this.#ready;
  }

  get size(): number {
    return this.#ready.size;
  }

  /** Lines up behind what is there. */
  add(item: T): void {
    for (const inbox of item.inboxes) {
      const lane = this.#lanes.get(inbox) ?? new Set();
      this.#lanes.set(inbox, lane);
      lane.add(item);
    }
    this.#look(item);
  }

  /** It has gone, or will never. */
  remove(item: T): void {
    this.#ready.delete(item);
    for (const inbox of item.inboxes) {
      const lane = this.#lanes.get(inbox);
      if (!lane?.delete(item)) continue;
      const [head] = lane;
      if (head === undefined) this.#lanes.delete(inbox);
      else this.#look(head);
    }
  }

  #look(item: T): void {
    const isFirst = item.inboxes.every((inbox) => {
      const [head] = this.#lanes.get(inbox) ?? [];
      return head === item;
    });
    if (isFirst) this.#ready.add(item);
  }
}
