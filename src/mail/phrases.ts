/**
 * Finds the phrases of a table in a text, in one pass.
 *
 * Phrases are words of any of the languages. Letters are compared folded: no case, no accents, no full width. A blank
 * in a phrase stands for a blank, hyphen or apostrophe in the text; `*` at the end of a word for any ending of it, and
 * at the start of a phrase for any beginning (`*code` finds `Anmeldecode`). Chinese and Japanese have no blanks, so
 * there a phrase is found anywhere. At one place the longest phrase wins, and phrases do not overlap: `promo code` is
 * not also `code`.
 */

/** A phrase found. */
export interface Found<M> {
  readonly at: number;
  readonly end: number;
  readonly meaning: M;
}

/** Finds all phrases in a folded text, in order. */
export type PhraseFinder<M> = (folded: string) => Found<M>[];

/**
 * Folds letters for comparing; every character keeps its place.
 */
export function fold(text: string): string {
  return narrow(text).replace(/[A-Z\u00c0-\u017f\u2010-\u2015\u2018\u2019]/g, (char) => FOLDED.get(char) ?? char);
}

/** Makes ASCII of full-width letters, digits and signs; every character keeps its place. The comma stays: it parts clauses, not digits. */
export function narrow(text: string): string {
  return text.replace(/[\uff01-\uff0b\uff0d-\uff5e\u3000]/g, (char) =>
    char === '\u3000' ? ' ' : String.fromCharCode(char.charCodeAt(0) - 0xfee0),
  );
}

const FOLDED: ReadonlyMap<string, string> = new Map([
  ...Array.from({ length: 26 }, (_, place): [string, string] => {
    return [String.fromCharCode(0x41 + place), String.fromCharCode(0x61 + place)];
  }),
  ...Array.from({ length: 0xc0 }, (_, place): [string, string] => {
    const char = String.fromCharCode(0xc0 + place);
    const base = char.normalize('NFD')[0]!.toLowerCase();
    return [char, base.length === 1 ? base : char];
  }),
  ['ß', 's'],
  ['æ', 'a'],
  ['œ', 'o'],
  ['Œ', 'o'],
  ...[...'\u2010\u2011\u2012\u2013\u2014\u2015'].map((dash): [string, string] => [dash, '-']),
  ['\u2018', "'"],
  ['\u2019', "'"],
]);

/** Where a phrase can begin: at a word, or at any character of a script without blanks. */
const WORDS = /[a-z0-9]+|[\u3005\u3040-\u30ff\u3400-\u9fff]+/g;
const JOINTS = " -'/\u00a0";

/** A step in a tree of letters; a joint is the letter ' '. */
interface Step<M> {
  readonly next: Map<string, Step<M>>;
  /** Of the phrase that ends here. */
  meaning?: M;
  /** Of the phrase that ends here with any ending. */
  open?: M;
}

/** Makes a finder of a table; the first meaning given to a phrase counts. */
export function createPhraseFinder<M>(table: Iterable<readonly [phrase: string, meaning: M]>): PhraseFinder<M> {
  const root: Step<M> = { next: new Map() };
  const endings: { ending: string; meaning: M }[] = [];
  for (const [phrase, meaning] of table) {
    const folded = fold(phrase).replace(/[-'/\s]+/g, ' ');
    if (folded.startsWith('*')) endings.push({ ending: folded.slice(1), meaning });
    else plant(root, folded, meaning);
  }
  return (folded) => findAll(folded, root, endings);
}

function plant<M>(root: Step<M>, phrase: string, meaning: M): void {
  let step = root;
  for (const letter of phrase.replace(/\*$/, '').split('')) {
    const next: Step<M> = step.next.get(letter) ?? { next: new Map() };
    step.next.set(letter, next);
    step = next;
  }
  if (phrase.endsWith('*')) step.open ??= meaning;
  else step.meaning ??= meaning;
}

function findAll<M>(
  folded: string,
  root: Step<M>,
  endings: readonly { readonly ending: string; readonly meaning: M }[],
): Found<M>[] {
  const found: Found<M>[] = [];
  let free = 0; // where the last phrase ended
  for (const { 0: run, index } of folded.matchAll(WORDS)) {
    const stop = index + run.length;
    const isSpaced = run.charCodeAt(0) < 0x80;
    for (let at = Math.max(index, free); at < stop; at++) {
      if (isSpaced && at > index) break;
      let hit = findAt(folded, at, root);
      if (hit === undefined && isSpaced) {
        const known = endings.find(({ ending }) => run.length > ending.length && run.endsWith(ending));
        if (known !== undefined) hit = { at, end: stop, meaning: known.meaning };
      }
      if (hit === undefined) continue;
      found.push(hit);
      free = hit.end;
      at = hit.end - 1;
    }
  }
  return found;
}

/** The longest phrase that begins at a place. */
function findAt<M>(folded: string, start: number, root: Step<M>): Found<M> | undefined {
  let best: Found<M> | undefined;
  let step: Step<M> | undefined = root;
  for (let at = start; ; ) {
    const letter = folded[at] ?? '';
    const isJoint = letter !== '' && JOINTS.includes(letter);
    step = step.next.get(isJoint ? ' ' : letter);
    if (step === undefined) return best;
    at++;
    if (isJoint && at < folded.length && JOINTS.includes(folded[at]!)) at++; // two at most: `n° - 5`
    const end = step.open === undefined ? at : lettersEnd(folded, at);
    const meaning = step.open ?? (isInWord(folded, at) ? undefined : step.meaning);
    if (meaning !== undefined && end > (best?.end ?? 0)) best = { at: start, end, meaning };
  }
}

function lettersEnd(text: string, from: number): number {
  let at = from;
  while (isLetter(text, at)) at++;
  return at;
}

function isInWord(text: string, at: number): boolean {
  return isLetter(text, at) && isLetter(text, at - 1);
}

function isLetter(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}
