const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
/** No octet below this one is text, and every octet above CR is. */
const AFTER_CONTROL = 0x0e0e0e0e;
const HIGH_BITS = 0x80808080;

/** Finds where text ends in views of one memory, which is seen as words of four octets. */
class Text {
  readonly memory: ArrayBufferLike;
  readonly #words: Int32Array;
  offset = 0;

  constructor(memory: ArrayBufferLike) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, memory.byteLength >> 2);
  }

  /**
   * Where the text from `from` on, which is not a line's first octet, ends: at an octet up to CR that belongs to no CR LF,
   * or at the CR LF before a line that begins with a dot or another such octet, or whose beginning has not come.
   */
  end(view: Buffer, from: number): number {
    const { length } = view;
    let at = this.#lineEnd(view, from);
    while (at + 2 < length && view[at] === CR && view[at + 1] === LF) {
      const first = view[at + 2]!;
      if (first === CR) at += 2;
      else if (first > CR && first !== DOT) at = this.#lineEnd(view, at + 3);
      else break;
    }
    return at;
  }

  /** Where the octets from `from` on that are above CR end. Eight are looked at in one step: nearly all content is such. */
  #lineEnd(view: Buffer, from: number): number {
    const words = this.#words;
    const { offset } = this;
    const { length } = view;
    let at = from;
    while (at < length && ((offset + at) & 3) !== 0) {
      if (view[at]! <= CR) return at;
      at++;
    }
    const last = ((offset + length) >> 2) - 1;
    let word = (offset + at) >> 2;
    while (word < last) {
      const four = words[word]!;
      const next = words[word + 1]!;
      if (((((four - AFTER_CONTROL) & ~four) | ((next - AFTER_CONTROL) & ~next)) & HIGH_BITS) !== 0) break; // one of them is below 0x0e
      word += 2;
    }
    at = Math.max(at, (word << 2) - offset);
    while (at < length && view[at]! > CR) at++;
    return at;
  }
}

let newest: Text | undefined;

/** The text in a view, to be looked at before the next call: nearly all views are of the one buffer that connections read into. */
export function textIn(view: Buffer): Text {
  const memory = view.buffer; // not for every line: it is not a plain field
  if (newest?.memory !== memory) newest = new Text(memory);
  newest.offset = view.byteOffset;
  return newest;
}
