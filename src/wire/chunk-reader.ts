import type { Input } from './input.ts';

/** Reads a counted number of octets, opaque as they are (RFC 3030 §2). */
export class ChunkReader {
  #left: number;

  /** @param bytes octets of the chunk; 0 has ended before it began */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  get ended(): boolean {
    return this.#left === 0;
  }

  /** Octets of the chunk from the first waiting view, or undefined when more bytes are needed or the chunk is complete. */
  next(input: Input): Buffer | undefined {
    const view = input.head;
    if (!view || this.#left === 0) return undefined;
    const count = Math.min(view.length, this.#left);
    const chunk = count === view.length ? view : view.subarray(0, count);
    this.#left -= count;
    input.consume(count);
    return chunk;
  }
}
