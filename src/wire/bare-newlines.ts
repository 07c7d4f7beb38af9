import { textIn } from './text.ts';

const LF = 0x0a;
const CR = 0x0d;

/** Watches octets that pass for a CR or LF that is not part of a CR LF, across any split into views. */
export class BareNewlines {
  #afterCr = false;
  #found = false;

  see(view: Buffer): void {
    if (this.#found || view.length === 0) return;
    const text = textIn(view);
    let afterCr = this.#afterCr;
    for (let at = 0; at < view.length; at++) {
      if (!afterCr) at = text.end(view, at);
      if (at === view.length) break;
      const octet = view[at]!;
      if (afterCr !== (octet === LF)) {
        this.#found = true;
        return;
      }
      afterCr = octet === CR;
    }
    this.#afterCr = afterCr;
  }

  /** No more octets come: a CR at the very end is bare. */
  end(): boolean {
    return this.#found || this.#afterCr;
  }
}
