export interface Pending {
  /** Key of the message catalogue that says what was done, and how many it was. */
  readonly label: string;
  /** Does it. @param leaving the page is being closed */
  commit(leaving: boolean): Promise<void>;
  restore(): void;
}

export const UNDO_MS = 7_000;

/** A deletion is shown at once and done a little later, so that it can be taken back. One waits at a time. */
export class Undo {
  pending = $state.raw<Pending | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Lets this wait; what waited before is done now. */
  offer(pending: Pending): void {
    void this.settle();
    this.pending = pending;
    this.#timer = setTimeout(() => void this.settle(), UNDO_MS);
  }

  /** Does what waits. */
  async settle(leaving = false): Promise<void> {
    const { pending } = this;
    clearTimeout(this.#timer);
    this.pending = null;
    await pending?.commit(leaving);
  }

  /** Takes back what waits. */
  takeBack(): void {
    const { pending } = this;
    clearTimeout(this.#timer);
    this.pending = null;
    pending?.restore();
  }
}
