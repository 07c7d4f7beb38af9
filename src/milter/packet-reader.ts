import { Input } from '../wire/input.ts';
import { type Decoded, LENGTH_BYTES } from './packets.ts';

/** What is there to read: a packet, not enough yet, or octets that no packet can be made of. */
export type PacketRead<P> =
  | { readonly kind: 'packet'; readonly packet: P }
  | { readonly kind: 'more' }
  | { readonly kind: 'malformed'; readonly why: string };

const MORE = { kind: 'more' } as const;

/**
 * Cuts a stream of octets, split anywhere, into packets. Each octet is copied once, however few come at a time.
 * After a malformed packet nothing more is read: where the next one begins is anybody's guess.
 */
export class PacketReader<P> {
  readonly #input = new Input();
  readonly #decode: (octets: Buffer) => Decoded<P>;
  readonly #packetBytes: number;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  /** What is being filled: the length, then the packet. */
  #target = this.#length;
  #filled = 0;
  #fault: string | undefined;

  constructor(decode: (octets: Buffer) => Decoded<P>, packetBytes: number) {
    this.#decode = decode;
    this.#packetBytes = packetBytes;
  }

  /** Adds what has arrived; it has to stay as it is until it is read. */
  push(view: Buffer): void {
    this.#input.push(view);
  }

  /** Something has come that no packet given so far was made of. */
  get hasUnread(): boolean {
    return this.#input.length > 0 || this.#filled > 0 || this.#target !== this.#length;
  }

  next(): PacketRead<P> {
    if (this.#fault !== undefined) return { kind: 'malformed', why: this.#fault };
    if (this.#target === this.#length) {
      if (!this.#fill()) return MORE;
      const bytes = this.#length.readUInt32BE();
      if (bytes === 0) return this.#malformed('a packet of no octets');
      if (bytes > this.#packetBytes)
        return this.#malformed(`a packet of ${bytes} octets, more than ${this.#packetBytes}`);
      this.#target = Buffer.allocUnsafeSlow(bytes);
      this.#filled = 0;
    }
    if (!this.#fill()) return MORE;
    const decoded = this.#decode(this.#target);
    this.#target = this.#length;
    this.#filled = 0;
    return decoded.ok ? { kind: 'packet', packet: decoded.packet } : this.#malformed(decoded.why);
  }

  /** Copies what there is into the target; true once that is full. */
  #fill(): boolean {
    for (let head = this.#input.head; head && this.#filled < this.#target.length; head = this.#input.head) {
      const count = head.copy(this.#target, this.#filled);
      this.#filled += count;
      this.#input.consume(count);
    }
    return this.#filled === this.#target.length;
  }

  #malformed(why: string): PacketRead<P> {
    this.#fault = why;
    return { kind: 'malformed', why };
  }
}
