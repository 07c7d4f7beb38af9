import { isUtf8 } from 'node:buffer';
import type { Input } from './input.ts';

/** Why a line is none. */
export type LineTrouble =
  /** Longer than the limit; read away to its end. */
  | 'tooLong'
  /** Longer than any patience; its end has not been seen. */
  | 'endless'
  /** LF without CR before it. What follows up to the next CR LF belongs to it and is read away. */
  | 'bareLineFeed'
  /** CR without LF after it. */
  | 'bareCarriageReturn'
  | 'nul'
  | 'notUtf8'
  /** Starts as a TLS handshake does, on a listener that speaks plain text. */
  | 'tls';

export interface BadLine {
  readonly trouble: LineTrouble;
}

const TROUBLES = {
  tooLong: { trouble: 'tooLong' },
  endless: { trouble: 'endless' },
  bareLineFeed: { trouble: 'bareLineFeed' },
  bareCarriageReturn: { trouble: 'bareCarriageReturn' },
  nul: { trouble: 'nul' },
  notUtf8: { trouble: 'notUtf8' },
  tls: { trouble: 'tls' },
} as const satisfies Record<LineTrouble, BadLine>;

const LF = 0x0a;
const CR = 0x0d;
const TLS_HANDSHAKE = 0x16;
/** How far past the limit a line is read away before it counts as endless. */
const PATIENCE_BYTES = 64 * 1024;

/**
 * Cuts input into command lines. Only CR LF ends a line (RFC 5321 §2.3.8); a bare LF is answered at once, since its
 * sender waits for an answer, and never starts a new command: all up to the next CR LF is read away.
 *
 * A line split over segments is gathered in one growing buffer, so a line that comes in single octets costs no more
 * than one that comes whole.
 */
export class LineReader {
  #held: Buffer | undefined;
  #heldBytes = 0;
  /** Octets of the current line seen so far, kept or not. */
  #seen = 0;
  #lastOctet = 0;
  #skipping = false;
  #first = true;
  readonly #anyEnd: boolean;

  /** @param anyEnd LF alone ends a line too */
  constructor(anyEnd = false) {
    this.#anyEnd = anyEnd;
  }

  /**
   * The next line without its CR LF, why it is none, or undefined when more bytes are needed.
   * @param limit octets of the longest line taken, CR LF included; the same until the line has come
   */
  next(input: Input, limit: number): string | BadLine | undefined {
    for (let head = input.head; head; head = input.head) {
      if (this.#first) {
        this.#first = false;
        if (head[0] === TLS_HANDSHAKE) return TROUBLES.tls;
      }
      const end = head.indexOf(LF);
      if (end === -1) {
        this.#hold(head, limit);
        this.#lastOctet = head[head.length - 1]!;
        input.consume(head.length);
        if (this.#seen > limit + PATIENCE_BYTES) return TROUBLES.endless;
        continue;
      }
      if (this.#seen + end > limit + PATIENCE_BYTES) return TROUBLES.endless;
      const before = end > 0 ? head[end - 1] : this.#seen > 0 ? this.#lastOctet : 0;
      if (before !== CR && !this.#anyEnd) {
        input.consume(end + 1);
        this.#reset(true);
        return TROUBLES.bareLineFeed;
      }
      if (this.#skipping) {
        input.consume(end + 1);
        this.#reset(false);
        continue;
      }
      const line = this.#take(head, end, limit, before === CR ? 1 : 0);
      input.consume(end + 1);
      this.#reset(false);
      return line;
    }
    return undefined;
  }

  #reset(skipping: boolean): void {
    this.#heldBytes = 0;
    this.#held = undefined;
    this.#seen = 0;
    this.#lastOctet = 0;
    this.#skipping = skipping;
  }

  #hold(part: Buffer, limit: number): void {
    this.#seen += part.length;
    if (this.#skipping || this.#heldBytes >= limit) return;
    const wanted = this.#heldBytes + part.length;
    if (!this.#held || wanted > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(256, wanted * 2)); // not of the shared pool, which it would keep alive
      this.#held?.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
    }
    part.copy(this.#held, this.#heldBytes);
    this.#heldBytes = wanted;
  }

  /** Makes a line of what is held and `head` up to its LF at `end`, without the `returns` before that. */
  #take(head: Buffer, end: number, limit: number, returns: number): string | BadLine {
    if (this.#seen + end + 1 > limit) return TROUBLES.tooLong;
    if (this.#seen === 0) return decode(head, end - returns);
    this.#hold(head.subarray(0, end), limit);
    return decode(this.#held!, this.#heldBytes - returns);
  }
}

function decode(bytes: Buffer, length: number): string | BadLine {
  let ascii = true;
  for (let at = 0; at < length; at++) {
    const octet = bytes[at]!;
    if (octet === CR) return TROUBLES.bareCarriageReturn;
    if (octet === 0) return TROUBLES.nul;
    if (octet >= 0x80) ascii = false;
  }
  if (ascii) return bytes.toString('latin1', 0, length);
  if (!isUtf8(bytes.subarray(0, length))) return TROUBLES.notUtf8;
  return bytes.toString('utf8', 0, length);
}
