import { BARE, GIVEN, LineScan } from './line-scan.ts';

const LINE_START = 0;
const TEXT = 1;
const AFTER_CR = 2;

const SCAN = new LineScan(
  // biome-ignore format: a table: after text, CR, LF, dot
  Uint8Array.of(
    /* LINE_START */ TEXT | GIVEN,        AFTER_CR | GIVEN,        TEXT | GIVEN | BARE, TEXT | GIVEN,
    /* TEXT       */ TEXT | GIVEN,        AFTER_CR | GIVEN,        TEXT | GIVEN | BARE, TEXT | GIVEN,
    /* AFTER_CR   */ TEXT | GIVEN | BARE, AFTER_CR | GIVEN | BARE, LINE_START | GIVEN,  TEXT | GIVEN | BARE,
  ),
);

/** Watches octets that pass for a CR or LF that is not part of a CR LF, across any split into views. */
export class BareNewlines {
  #at = LINE_START;
  #found = false;

  see(view: Buffer): void {
    if (this.#found) return;
    const { state, bare } = SCAN.read(view, this.#at);
    this.#at = state;
    this.#found = bare;
  }

  /** No more octets come: a CR at the very end is bare. */
  end(): boolean {
    return this.#found || this.#at === AFTER_CR;
  }
}
