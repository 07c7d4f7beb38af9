/** Bytes that have arrived and are not read yet: views in order, taken from the front without copying. */
export class Input {
  #views: Buffer[] = [];
  #first = 0;
  /** Octets waiting. */
  length = 0;

  /** Adds what has arrived; unless `keep` is called, the view has to stay as it is until it is read. */
  push(view: Buffer): void {
    if (view.length === 0) return;
    this.#views.push(view);
    this.length += view.length;
  }

  /** Makes what is left of the view that was added last our own. */
  keep(): void {
    const last = this.#views.length - 1;
    if (last >= this.#first) this.#views[last] = Buffer.from(this.#views[last]!);
  }

  /** The oldest view, whole, or undefined when all is read. */
  get head(): Buffer | undefined {
    return this.#views[this.#first];
  }

  /** Marks the first `count` octets of `head` as read. */
  consume(count: number): void {
    const head = this.#views[this.#first]!;
    this.length -= count;
    if (count < head.length) {
      this.#views[this.#first] = head.subarray(count);
      return;
    }
    this.#first++;
    if (this.#first === this.#views.length) {
      this.#views = [];
      this.#first = 0;
    } else if (this.#first > 64) {
      this.#views = this.#views.slice(this.#first);
      this.#first = 0;
    }
  }

  clear(): void {
    this.#views = [];
    this.#first = 0;
    this.length = 0;
  }
}
