const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const CRLF = Buffer.from('\r\n');
const JUST_LF = Buffer.from('\n');
const NOTHING = Buffer.alloc(0);

/**
 * Brings content into the form in which every line ends with CR LF, the last one too. A bare CR stays: it ends no line.
 * One view out for one view in, and the same one where nothing is to be done.
 */
export class LineEnds {
  #last = LF;

  pass(view: Buffer): Buffer {
    if (view.length === 0) return view;
    const bare: number[] = [];
    for (let at = view.indexOf(LF); at !== -1; at = view.indexOf(LF, at + 1)) {
      if ((at === 0 ? this.#last : view[at - 1]) !== CR) bare.push(at);
    }
    this.#last = view[view.length - 1]!;
    return bare.length === 0 ? view : insertBefore(view, bare, CR);
  }

  /** What the last line lacks. */
  end(): Buffer {
    if (this.#last === LF) return NOTHING;
    return this.#last === CR ? JUST_LF : CRLF;
  }
}

/** Puts a dot before each line that begins with one (RFC 1939 §3, RFC 5321 §4.5.2). Wants lines that end with CR LF. */
export class DotWriter {
  #atLineStart = true;

  pass(view: Buffer): Buffer {
    if (view.length === 0) return view;
    const dots: number[] = [];
    for (let at = view.indexOf(DOT); at !== -1; at = view.indexOf(DOT, at + 1)) {
      if (at === 0 ? this.#atLineStart : view[at - 1] === LF) dots.push(at);
    }
    this.#atLineStart = view[view.length - 1] === LF;
    return dots.length === 0 ? view : insertBefore(view, dots, DOT);
  }
}

function insertBefore(view: Buffer, places: readonly number[], octet: number): Buffer {
  const out = Buffer.allocUnsafe(view.length + places.length);
  let from = 0;
  let to = 0;
  for (const place of places) {
    to += view.copy(out, to, from, place);
    out[to++] = octet;
    from = place;
  }
  view.copy(out, to, from);
  return out;
}
