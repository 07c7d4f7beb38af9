/**
 * Counts things per key (an address, an inbox, a subject) in bounded memory.
 *
 * Each key has a few counters. A counter says how much came within the last window: what came in the window before
 * weighs as much as of it still lies within (a sliding window kept in two numbers). So a key that falls quiet fades to
 * nothing within two windows, and costs nothing while it does: no timer, no sweep. Keys beyond the capacity push out
 * the one that was quiet for longest; keys that have faded are given back as others come.
 *
 * Every operation takes the same time whatever the table holds. Numbers lie in typed arrays that grow with the number
 * of keys up to the capacity; a key costs them 16 octets per counter and 16 more, beside its text in a Map.
 */
export class AgeingTable {
  readonly #capacity: number;
  readonly #counters: number;
  readonly #windowMs: number;
  /** Slot of each key. */
  readonly #slots = new Map<string, number>();
  #keys: (string | undefined)[] = [];
  /** Start of the window that a slot's `now` counts in. */
  #starts = new Float64Array(0);
  /** For each slot and counter: what came in the window at hand, and in the one before. */
  #amounts = new Float64Array(0);
  /** Slots by use, as a ring through slot 0, which is no key's: after it the latest, before it the quietest. */
  #after = new Int32Array(0);
  #before = new Int32Array(0);
  /** Slots that were given back; as many as `#freeCount` from the start. */
  #free: number[] = [];
  #used = 1;
  readonly #now: () => number;

  /**
   * @param capacity keys at most
   * @param counters counters per key
   * @param windowMs the time that counters look back
   * @param now milliseconds, never running backwards
   */
  constructor(capacity: number, counters: number, windowMs: number, now: () => number = () => performance.now()) {
    this.#capacity = Math.max(1, capacity);
    this.#counters = counters;
    this.#windowMs = windowMs;
    this.#now = now;
    this.#grow(Math.min(64, this.#capacity));
  }

  /** Keys that are known. */
  get size(): number {
    return this.#slots.size;
  }

  /** Octets of the typed arrays. */
  get bytes(): number {
    return this.#starts.byteLength + this.#amounts.byteLength + this.#after.byteLength + this.#before.byteLength;
  }

  /** Counts something, and gives how much there is now. */
  add(key: string, counter: number, amount = 1): number {
    const now = this.#now();
    const slot = this.#touch(key, now);
    const at = this.#place(slot, counter);
    this.#amounts[at]! += amount;
    return this.#sum(slot, counter, now);
  }

  /** How much there is; asking does not keep a key alive. */
  count(key: string, counter: number): number {
    const slot = this.#slots.get(key);
    if (slot === undefined) return 0;
    const now = this.#now();
    this.#turn(slot, now);
    return this.#sum(slot, counter, now);
  }

  /** Forgets a key. */
  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.#drop(slot);
  }

  #place(slot: number, counter: number): number {
    return (slot * this.#counters + counter) * 2;
  }

  #sum(slot: number, counter: number, now: number): number {
    const at = this.#place(slot, counter);
    const share = 1 - (now - this.#starts[slot]!) / this.#windowMs;
    return this.#amounts[at]! + this.#amounts[at + 1]! * Math.max(0, share);
  }

  /** Brings a slot's windows up to date. */
  #turn(slot: number, now: number): void {
    const windows = Math.floor((now - this.#starts[slot]!) / this.#windowMs);
    if (windows <= 0) return;
    const first = this.#place(slot, 0);
    for (let at = first; at < first + this.#counters * 2; at += 2) {
      this.#amounts[at + 1] = windows === 1 ? this.#amounts[at]! : 0;
      this.#amounts[at] = 0;
    }
    this.#starts[slot] = windows === 1 ? this.#starts[slot]! + this.#windowMs : now;
  }

  /** The slot of a key, made if need be, as the one used latest. */
  #touch(key: string, now: number): number {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      this.#dropFaded(now);
      slot = this.#take(key, now);
    } else {
      this.#turn(slot, now);
      this.#unlink(slot);
    }
    this.#linkFirst(slot);
    return slot;
  }

  #take(key: string, now: number): number {
    if (this.#slots.size >= this.#capacity) this.#drop(this.#before[0]!);
    const slot = this.#free.pop() ?? this.#used++;
    if (slot >= this.#starts.length) this.#grow(Math.min(this.#starts.length * 2, this.#capacity + 1));
    this.#slots.set(key, slot);
    this.#keys[slot] = key;
    this.#starts[slot] = now;
    const first = this.#place(slot, 0);
    this.#amounts.fill(0, first, first + this.#counters * 2);
    return slot;
  }

  /** Gives up to two of the quietest keys back if nothing is left of their counters. */
  #dropFaded(now: number): void {
    for (let tries = 0; tries < 2; tries++) {
      const quietest = this.#before[0]!;
      if (quietest === 0 || now - this.#starts[quietest]! < 2 * this.#windowMs) return;
      this.#drop(quietest);
    }
  }

  #drop(slot: number): void {
    this.#unlink(slot);
    this.#slots.delete(this.#keys[slot]!);
    this.#keys[slot] = undefined;
    this.#free.push(slot);
  }

  #unlink(slot: number): void {
    const before = this.#before[slot]!;
    const after = this.#after[slot]!;
    this.#after[before] = after;
    this.#before[after] = before;
  }

  #linkFirst(slot: number): void {
    const first = this.#after[0]!;
    this.#after[0] = slot;
    this.#before[slot] = 0;
    this.#after[slot] = first;
    this.#before[first] = slot;
  }

  #grow(slots: number): void {
    const size = Math.max(2, slots);
    this.#starts = copyInto(new Float64Array(size), this.#starts);
    this.#amounts = copyInto(new Float64Array(size * this.#counters * 2), this.#amounts);
    this.#after = copyInto(new Int32Array(size), this.#after);
    this.#before = copyInto(new Int32Array(size), this.#before);
  }
}

function copyInto<T extends Float64Array | Int32Array>(to: T, from: T): T {
  to.set(from);
  return to;
}
