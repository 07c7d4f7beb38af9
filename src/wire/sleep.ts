/** Room for replies that are held back, over all sessions. */
export interface Sleepers {
  take(address: string): boolean;
  give(address: string): void;
}

/** The place of one session among those whose replies are held back: taken for a reply, and given back when that goes. */
export class Sleep {
  readonly #sleepers: Sleepers;
  readonly #address: string;
  #isTaken = false;

  constructor(sleepers: Sleepers, address: string) {
    this.#sleepers = sleepers;
    this.#address = address;
  }

  /** @returns whether there is a place */
  begin(): boolean {
    this.#isTaken ||= this.#sleepers.take(this.#address);
    return this.#isTaken;
  }

  /** The reply is on its way, or nobody waits for it any more. Safe to call when there was none. */
  end(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    this.#sleepers.give(this.#address);
  }
}
