import type { Input } from './input.ts';
import { BARE, GIVEN, HELD_CR, LineScan } from './line-scan.ts';

const LF = 0x0a;
const LONE_CR = Buffer.from('\r');

/** Where in a line the reader stands; the names say what the last octets were. */
const LINE_START = 0;
const TEXT = 1;
const AFTER_CR = 2;
const DOT_AT_START = 3;
const DOT_CR = 4;
const ENDED = 5;

const SCAN = new LineScan(
  // biome-ignore format: a table: after text, CR, LF, dot
  Uint8Array.of(
    /* LINE_START   */ TEXT | GIVEN,                  AFTER_CR | GIVEN,                  TEXT | GIVEN | BARE, DOT_AT_START,
    /* TEXT         */ TEXT | GIVEN,                  AFTER_CR | GIVEN,                  TEXT | GIVEN | BARE, TEXT | GIVEN,
    /* AFTER_CR     */ TEXT | GIVEN | BARE,           AFTER_CR | GIVEN | BARE,           LINE_START | GIVEN,  TEXT | GIVEN | BARE,
    /* DOT_AT_START */ TEXT | GIVEN,                  DOT_CR,                            TEXT | GIVEN | BARE, TEXT | GIVEN,
    /* DOT_CR       */ TEXT | GIVEN | BARE | HELD_CR, AFTER_CR | GIVEN | BARE | HELD_CR, ENDED,               TEXT | GIVEN | BARE | HELD_CR,
  ),
);

/**
 * Reads content up to CR LF . CR LF and nothing else (RFC 5321 §4.1.1.4), taking away the dot that transparency put
 * before a line (§4.5.2). A CR or LF that is not part of a CR LF is content like any other octet and is noted.
 *
 * One pass over the octets, one view out for one view in, whatever the content: from the first stuffed dot of a view on
 * its octets are moved up in place. The view is therefore ours to change.
 */
export class DotReader {
  #at = LINE_START;
  /** True as soon as a bare CR or bare LF was seen. */
  bareNewlines = false;

  get ended(): boolean {
    return this.#at === ENDED;
  }

  /** Reads from the first waiting view; gives content octets, maybe none, or undefined when more bytes are needed. */
  next(input: Input): Buffer | undefined {
    if (this.ended) return undefined;
    const view = input.head;
    if (!view) return undefined;
    if (this.#at === DOT_CR && view[0] !== LF) {
      // the CR that was held back after a lone dot is content after all, and the view has no room for it
      this.bareNewlines = true;
      this.#at = AFTER_CR;
      return LONE_CR;
    }
    const { state, bare, read, given } = SCAN.read(view, this.#at);
    this.#at = state;
    if (bare) this.bareNewlines = true;
    input.consume(read);
    return given === view.length ? view : view.subarray(0, given);
  }
}
