import type { Input } from './input.ts';

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const LONE_CR = Buffer.from('\r');

/** Where in a line the reader stands; the names say what the last octets were. */
const LINE_START = 0;
const TEXT = 1;
const AFTER_CR = 2;
const DOT_AT_START = 3;
const DOT_CR = 4;

/**
 * Reads content up to CR LF . CR LF and nothing else (RFC 5321 §4.1.1.4), taking away the dot that transparency put
 * before a line (§4.5.2). A CR or LF that is not part of a CR LF is content like any other octet and is noted.
 *
 * One pass over the octets, one view out for one view in, whatever the content: up to the first stuffed dot of a view
 * the view itself is given; from there on its octets are moved up in place. The view is therefore ours to change.
 */
export class DotReader {
  #at = LINE_START;
  /** True as soon as a bare CR or bare LF was seen. */
  bareNewlines = false;
  ended = false;

  /** Reads from the first waiting view; gives content octets, maybe none, or undefined when more bytes are needed. */
  next(input: Input): Buffer | undefined {
    if (this.ended) return undefined;
    const view = input.head;
    if (!view) return undefined;
    if (this.#at === DOT_CR && view[0] !== LF) {
      // the CR that was held back after a lone dot is content after all
      this.bareNewlines = true;
      this.#at = AFTER_CR;
      return LONE_CR;
    }
    return this.#read(view, input);
  }

  #read(view: Buffer, input: Input): Buffer {
    const length = view.length;
    let at = this.#at;
    let bare = this.bareNewlines;
    const text = textIn(view);
    let from = 0;
    let to = 0;
    // Until a dot has to go `to` follows `from`; afterwards octets move up.
    while (from < length) {
      if (at === TEXT) {
        // nearly all octets are read here, so these two loops do nothing else
        if (to === from) {
          from = to = text.end(view, from);
        } else {
          while (from < length && view[from]! > CR) view[to++] = view[from++]!;
        }
        if (from === length) break;
      }
      const octet = view[from]!;
      if (at === TEXT) {
        if (octet === CR) at = AFTER_CR;
        else if (octet === LF) bare = true;
      } else if (at === AFTER_CR) {
        if (octet === LF) at = LINE_START;
        else {
          bare = true;
          at = octet === CR ? AFTER_CR : TEXT;
        }
      } else if (at === LINE_START) {
        if (octet === DOT) {
          at = DOT_AT_START;
          from++;
          continue;
        }
        at = octet === CR ? AFTER_CR : TEXT;
        if (octet === LF) bare = true;
      } else if (at === DOT_AT_START) {
        if (octet === CR) {
          at = DOT_CR;
          from++;
          continue;
        }
        at = TEXT;
        if (octet === LF) bare = true;
      } else {
        // DOT_CR
        if (octet === LF) {
          this.ended = true;
          from++;
          break;
        }
        bare = true;
        view[to++] = CR; // there is room: the dot before it was taken out
        at = octet === CR ? AFTER_CR : TEXT;
        if (octet === LF) bare = true;
      }
      view[to++] = octet;
      from++;
    }
    this.#at = at;
    this.bareNewlines = bare;
    input.consume(from);
    return to === length ? view : view.subarray(0, to);
  }
}

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

  /** Where the text from `from` on ends: at an octet that is neither above CR nor of a CR LF between lines without a dot. */
  end(view: Buffer, from: number): number {
    const { length } = view;
    let at = this.#lineEnd(view, from);
    while (at + 2 < length && view[at] === CR && view[at + 1] === LF) {
      const first = view[at + 2]!;
      if (first <= CR || first === DOT) break;
      at = this.#lineEnd(view, at + 3);
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

/** Nearly all views are of the one buffer that connections read into. */
function textIn(view: Buffer): Text {
  const memory = view.buffer; // not for every line: it is not a plain field
  if (newest?.memory !== memory) newest = new Text(memory);
  newest.offset = view.byteOffset;
  return newest;
}
