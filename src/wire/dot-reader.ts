import type { Input } from './input.ts';
import { textIn } from './text.ts';

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
        // nearly all octets are read here
        const end = view[from]! > CR ? text.end(view, from) : from;
        if (to === from) to = end;
        else to = moveUp(view, to, from, end);
        from = end;
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

/** Octets from which on a call into the runtime moves them faster than a loop does. */
const MANY_OCTETS = 24;

/** Moves the octets between two places to an earlier one; gives where they end then. */
function moveUp(view: Buffer, to: number, from: number, end: number): number {
  if (end - from >= MANY_OCTETS) {
    view.copyWithin(to, from, end);
    return to + end - from;
  }
  let at = to;
  for (let next = from; next < end; next++) view[at++] = view[next]!;
  return at;
}
