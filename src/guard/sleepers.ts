/** Bounds the replies that are held back at once: over all, and for each owner of addresses. */
export class Sleepers {
  readonly #total: number;
  readonly #each: number;
  readonly #ownerOf: (address: string) => string;
  /** As many entries as replies sleep at most. */
  readonly #sleeping = new Map<string, number>();
  #count = 0;

  /** @param each 0 is as many as in all */
  constructor(total: number, each: number, ownerOf: (address: string) => string) {
    this.#total = total;
    this.#each = each === 0 ? total : each;
    this.#ownerOf = ownerOf;
  }

  /** The share of places that are taken, 0 to 1. */
  get share(): number {
    return this.#total === 0 ? 1 : this.#count / this.#total;
  }

  get count(): number {
    return this.#count;
  }

  take(address: string): boolean {
    const owner = this.#ownerOf(address);
    const mine = this.#sleeping.get(owner) ?? 0;
    if (this.#count >= this.#total || mine >= this.#each) return false;
    this.#sleeping.set(owner, mine + 1);
    this.#count++;
    return true;
  }

  give(address: string): void {
    const owner = this.#ownerOf(address);
    const mine = this.#sleeping.get(owner) ?? 0;
    if (mine <= 1) this.#sleeping.delete(owner);
    else this.#sleeping.set(owner, mine - 1);
    this.#count--;
  }
}
