/**
 * Readers of lines as tables: what an octet does in a state, and what four do in one step.
 *
 * Looking at one octet after another takes 0.2 ns for each where lines are long, and up to 13 where they are short or dots and CRs
 * stand anywhere, since no branch can be foretold then: whoever sends content would choose what it costs. Looked up by fours it
 * is 1 ns whatever the content, and the table of fours is made from that of single octets, so that one place says what is
 * right. Long runs of text are not looked up but passed over by eights, and with them the ends of their lines; nor are runs of
 * the same four octets that change nothing, as empty lines are.
 *
 * The functions in the middle of this are written out where they would call others: V8 makes one function of several only up
 * to a size, and what it leaves out then is not the same in every run.
 */

/** What each octet is to a reader of lines, in two bits: 0 is any other. */
const CR_KIND = 1;
const LF_KIND = 2;
const DOT_KIND = 3;

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

const KINDS = new Uint8Array(256);
KINDS[CR] = CR_KIND;
KINDS[LF] = LF_KIND;
KINDS[DOT] = DOT_KIND;

/** The kinds of two octets, that of the first in the lower bits. */
const PAIRS = new Uint8Array(65_536);
for (let pair = 0; pair < PAIRS.length; pair++) PAIRS[pair] = KINDS[pair & 0xff]! | (KINDS[pair >> 8]! << 2);

/** A step is the state that follows, and besides: the octet is content; */
export const GIVEN = 0x08;
/** a CR or LF that is not part of a CR LF was seen; */
export const BARE = 0x10;
/** an octet that was held back, a CR, is content after all and comes before this one. */
export const HELD_CR = 0x20;

/** The same again: the value of an exported name is looked up every time. */
const IS_GIVEN = GIVEN;
const IS_BARE = BARE;
const HAS_HELD_CR = HELD_CR;
const STATE = 0x07;

/** A step of four says which of them is no content (4: none is left out), BARE, and the state where the index of the next step has it; */
const LEFT_OUT = 0x07;
const STATE_SHIFT = 8;
const STATE_OF_FOUR = STATE << STATE_SHIFT;
/** or only this: more than one of them is no content, or more comes out than goes in, or it is the end. */
const ONE_BY_ONE = 0x08;

/** The bits of those of four octets that stand before the first, the second ...; the first is the lowest. */
const BEFORE = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1);

const CR_LF = (LF << 8) | CR;
/** No octet below this one is text, and every octet above CR is. */
const AFTER_CONTROL = 0x0e0e0e0e;
const HIGH_BITS = 0x80808080;

/** How far a view was read. */
export interface Reading {
  state: number;
  /** A bare CR or LF was seen in it. */
  bare: boolean;
  /** Octets of the view that were read, and how many octets at its beginning are the content that was in them. */
  read: number;
  given: number;
}

const reading: Reading = { state: 0, bare: false, read: 0, given: 0 };

/** Where the reading that is under way stands in memory, what its steps have said, and four octets of which a run has begun. */
const place = { from: 0, to: 0, row: 0, flags: 0, four: 0 };

/** Why the reading by fours stopped: they cannot be read in one step, or there is a faster way. */
const NO_STEP = 0;
const AT_TEXT = 1;
const AT_RUN = 2;
/** A step that leaves nothing out and sees nothing. */
const PLAIN = 4;

/** See above. */
export class LineScan {
  readonly #steps: Uint8Array;
  readonly #fours: Uint16Array;

  /**
   * @param steps four for each state: what an octet of text does, CR, LF, a dot. The state after text is always the same one,
   *   which nothing but CR and LF ends. A state that has no steps ends the reading.
   */
  constructor(steps: Uint8Array) {
    this.#steps = steps;
    this.#fours = new Uint16Array((steps.length >> 2) << STATE_SHIFT);
    for (let index = 0; index < this.#fours.length; index++) this.#fours[index] = stepOfFour(steps, index);
  }

  /**
   * Reads to the end of the view, or of what is to be read. Content moves up in place where something before it is none.
   * @returns good until the next call
   */
  read(view: Buffer, state: number): Reading {
    const memory = memoryOf(view);
    const start = view.byteOffset;
    const end = start + view.length;
    const states = this.#steps.length >> 2;
    place.from = start;
    place.to = start;
    place.row = state << STATE_SHIFT;
    place.flags = 0;
    while (place.from < end && place.row >> STATE_SHIFT < states) {
      const why = readFours(memory.octets, end, this.#fours);
      if (why === AT_TEXT) passText(memory, end);
      else if (why === AT_RUN) passRun(memory.octets, end);
      else if (place.from < end) readOctet(memory.octets, this.#steps);
    }
    reading.state = place.row >> STATE_SHIFT;
    reading.bare = (place.flags & IS_BARE) !== 0;
    reading.read = place.from - start;
    reading.given = place.to - start;
    return reading;
  }
}

function stepOfFour(steps: Uint8Array, index: number): number {
  let state = index >> STATE_SHIFT;
  let bare = 0;
  let held: number | undefined;
  const given: number[] = [];
  for (let at = 0; at < 4; at++) {
    const step = steps[(state << 2) | ((index >> (2 * at)) & 3)];
    if (step === undefined) return ONE_BY_ONE;
    if (step & HAS_HELD_CR) {
      if (held === undefined) return ONE_BY_ONE;
      given.push(held);
    }
    held = at;
    if (step & IS_GIVEN) given.push(at);
    bare |= step & IS_BARE;
    state = step & STATE;
  }
  if (given.length < 3) return ONE_BY_ONE;
  const leftOut = [0, 1, 2, 3].find((at) => !given.includes(at)) ?? 4;
  return (state << STATE_SHIFT) | bare | leftOut;
}

/**
 * Reads on for as long as four octets can be read in one step, two steps at a time. What is written ends where it was read, or
 * before.
 * @returns AT_TEXT or AT_RUN if eight octets of it have passed: shorter ones are not worth another function
 */
function readFours(octets: DataView, end: number, fours: Uint16Array): number {
  let { from, to, row, flags } = place;
  let why = NO_STEP;
  while (from <= end - 8) {
    const first = octets.getInt32(from, true);
    const second = octets.getInt32(from + 4, true);
    const step = fours[row | PAIRS[first & 0xffff]! | (PAIRS[first >>> 16]! << 4)]!;
    const next = fours[(step & STATE_OF_FOUR) | PAIRS[second & 0xffff]! | (PAIRS[second >>> 16]! << 4)]!;
    if ((step | next) & ONE_BY_ONE) break;
    const before = BEFORE[step & LEFT_OUT]!;
    octets.setInt32(to, (first & before) | ((first >>> 8) & ~before), true);
    to += 3 + ((step & LEFT_OUT) >> 2);
    const beforeNext = BEFORE[next & LEFT_OUT]!;
    octets.setInt32(to, (second & beforeNext) | ((second >>> 8) & ~beforeNext), true);
    to += 3 + ((next & LEFT_OUT) >> 2);
    from += 8;
    flags |= step | next;
    if (((((first - AFTER_CONTROL) & ~first) | ((second - AFTER_CONTROL) & ~second)) & HIGH_BITS) === 0) why = AT_TEXT;
    else if (first === second && step === (row | PLAIN)) why = AT_RUN;
    row = next & STATE_OF_FOUR;
    if (why !== NO_STEP) {
      place.four = second;
      break;
    }
  }
  if (why === NO_STEP && from <= end - 4) {
    const four = octets.getInt32(from, true);
    const step = fours[row | PAIRS[four & 0xffff]! | (PAIRS[four >>> 16]! << 4)]!;
    if ((step & ONE_BY_ONE) === 0) {
      const before = BEFORE[step & LEFT_OUT]!;
      octets.setInt32(to, (four & before) | ((four >>> 8) & ~before), true);
      from += 4;
      to += 3 + ((step & LEFT_OUT) >> 2);
      flags |= step;
      row = step & STATE_OF_FOUR;
    }
  }
  place.from = from;
  place.to = to;
  place.row = row;
  place.flags = flags;
  return why;
}

/** Passes over more of the same four octets, which leave the state as it is. */
function passRun(octets: DataView, end: number): void {
  const { four, from } = place;
  const back = from - place.to;
  let at = from;
  while (at <= end - 4 && octets.getInt32(at, true) === four) {
    if (back > 0) octets.setInt32(at - back, four, true);
    at += 4;
  }
  place.from = at;
  place.to = at - back;
}

/** Passes over text, the state after which stays what it is. */
function passText(memory: Memory, end: number): void {
  const { from, to } = place;
  place.from = to === from ? endOfText(memory, from, end) : moveText(memory.octets, to, from, end);
  place.to += place.from - from;
}

function readOctet(octets: DataView, steps: Uint8Array): void {
  const octet = octets.getUint8(place.from++);
  const step = steps[(place.row >> (STATE_SHIFT - 2)) | KINDS[octet]!]!;
  if (step & HAS_HELD_CR) octets.setUint8(place.to++, CR); // there is room: it was left out
  if (step & IS_GIVEN) octets.setUint8(place.to++, octet);
  place.flags |= step;
  place.row = (step & STATE) << STATE_SHIFT;
}

/** Where the text ends that goes on at `from`: at a control character that is not the end of a line with more text behind it. */
function endOfText({ octets, words }: Memory, from: number, end: number): number {
  const last = (end >> 2) - 1;
  let at = from;
  while (at <= end - 4) {
    const four = octets.getInt32(at, true);
    const controls = (four - AFTER_CONTROL) & ~four & HIGH_BITS;
    if (controls === 0) {
      let word = (at + 4) >> 2;
      while (word < last) {
        const first = words[word]!;
        const second = words[word + 1]!;
        if (((((first - AFTER_CONTROL) & ~first) | ((second - AFTER_CONTROL) & ~second)) & HIGH_BITS) !== 0) break;
        word += 2;
      }
      at = word << 2;
      continue;
    }
    at += textBefore(controls);
    if (at > end - 4 || !isLineEndBeforeText(octets.getInt32(at, true))) break;
    at += 3;
  }
  return at;
}

/** The same for text that moves to an earlier place. */
function moveText(octets: DataView, to: number, from: number, end: number): number {
  const back = from - to;
  let at = from;
  while (at <= end - 4) {
    const four = octets.getInt32(at, true);
    const controls = (four - AFTER_CONTROL) & ~four & HIGH_BITS;
    if (controls === 0) {
      octets.setInt32(at - back, four, true);
      at += 4;
      continue;
    }
    const count = textBefore(controls);
    const text = BEFORE[count]!;
    octets.setInt32(at - back, (four & text) | (octets.getInt32(at - back, true) & ~text), true); // no more: what follows is unread
    at += count;
    if (at > end - 4) break;
    const around = octets.getInt32(at, true);
    if (!isLineEndBeforeText(around)) break;
    octets.setInt32(at - back, around, true);
    at += 3;
  }
  return at;
}

/** How many of four octets stand before the first with a bit here. */
function textBefore(controls: number): number {
  return (31 - Math.clz32(controls & -controls)) >> 3;
}

/** CR LF and an octet of text that is no dot. */
function isLineEndBeforeText(four: number): boolean {
  const third = (four >> 16) & 0xff;
  return (four & 0xffff) === CR_LF && third > CR && third !== DOT;
}

/** What views are views of. */
interface Memory {
  readonly octets: DataView;
  readonly words: Int32Array;
}

let newest: Memory | undefined;

/** Nearly all views are of the one buffer that connections read into. */
function memoryOf(view: Buffer): Memory {
  const { buffer } = view;
  if (newest?.octets.buffer !== buffer) {
    newest = { octets: new DataView(buffer), words: new Int32Array(buffer, 0, buffer.byteLength >> 2) };
  }
  return newest;
}
