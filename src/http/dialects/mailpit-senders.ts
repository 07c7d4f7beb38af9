const KEPT = 10_000;

/**
 * Who sent a message by HTTP, as far as lists show it: those of this run. The message itself keeps it for good, in the
 * parameters of its envelope, but a list is made without reading every message.
 */
export class Senders {
  readonly #names = new Map<string, string>(); // oldest first

  remember(id: string, name: string): void {
    if (name === '') return;
    this.#names.set(id, name);
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= KEPT) break;
      this.#names.delete(oldest);
    }
  }

  of(id: string): string {
    return this.#names.get(id) ?? '';
  }
}
