import type { Candidate } from './candidates.ts';
import type { Line } from './lines.ts';
import type { Word, WordMeaning } from './words.ts';

/**
 * Judges how sure it is that a candidate is a one-time code, by the words around it.
 *
 * A candidate is nothing by itself. In its own sentence the nearest word decides: `order no.` before it refuses,
 * `verification code` before or behind it vouches for it. A candidate that has a line for itself is judged by the lines
 * above and below. All figures are here, in one table.
 */

/** Where a mail as a whole changes the judgement. */
export interface Mood {
  /** The subject names one-time codes without doubt. */
  readonly namesCodes: boolean;
  /** It says what mails with a code say: valid for ten minutes, do not share. */
  readonly assures: boolean;
}

// biome-ignore format: a table
export const SURE = Object.freeze({
  /** Same sentence, `code is 123456` or `code: 123456`. */
  directStrong: 0.95, directWeak: 0.82,
  /** Same sentence, other words between. */
  nearStrong: 0.85, nearWeak: 0.62,
  /** `123456 is your code`. */
  behindStrong: 0.9, behindWeak: 0.74,
  /** The word in the sentence before. */
  sentenceStrong: 0.72,
  sentenceWeak: 0.62,
  /** `enter 123456 to sign in`, or in a mail that is about a code. */
  purpose: 0.78,
  /** A line of its own, the word in the line above; then less by every line further up. */
  aboveStrong: 0.92, aboveWeak: 0.78, abovePurpose: 0.68, perLine: 0.05,
  /** A line of its own, the word in the line below. */
  belowStrong: 0.78, belowWeak: 0.64,
  /** A line of its own in a mail that is about a code. */
  moodStrong: 0.58,
  /** Another in a list of codes. */
  next: 0.02,
  /** Less if the word could speak of a number between. */
  numberBetween: 0.15,
  /** Less for a candidate beside another that stands behind `is:`. */
  rival: 0.3,
  /** More in a mail that says what mails with a code say. */
  assured: 0.04,
});

const REACH = Object.freeze({
  /** Characters between a word and the number it speaks of. */
  before: 100,
  weakBefore: 45,
  behind: 70,
  name: 24,
  action: 24,
  linesAbove: 4,
  linesBelow: 2,
  /** From the name of a conference or an offer to its code. */
  linesOfTopic: 2,
  charactersAbove: 500,
});

/** Between a thing and its number: `order no. 1234`, `Rechnung Nr.: 1234`, `订单号 1234`. */
const NUMBER_SIGN =
  /^[\s:#.()\-–—]*(?:(?:no|nr|num|number|numero|numéro|núm|número|nummer|id|code|n|ref|is|lautet|est|es)?[.:°º#\s]*){0,3}(?:番号|番號|号码|号|號|碼|は|为|為|是|が)?[\s:#「【(]*$/i;
/** Between a word for codes and the code, when they belong together without doubt. */
const COPULA =
  /^["'“”„«»)\]】」』》\s]*(?:[:=\-–—>→]|is\b|are\b|was\b|lautet\b|ist\b|est\b|es\b|son\b|sind\b|为|為|是|は|が)?[\s:=\-–—>→"'“”„«»‹›「『【《(（[*_~`|]*(?:the following|following|folgender|below)?[\s:"'“„«「『【(（[*_~`|]*$/i;

/** The end of such a gap, other words before it: `code for your payment at SHOP 4417 is: 123456`. */
const COPULA_END = /(?:[:=→]|\b(?:is|lautet|ist|est|es|son)|是|为|為|は)[\s"'“„«「『【(*_`]*$/i;
const COPULA_ROOM = 12;

/** The same for `123456 is your code`. */
const COPULA_BEHIND = /^["'”»)\]】」\s*_`]*(?:(?:is|as|ist|als|est|comme|es|como)\s|是|为|為|は|が|を)/i;

/** Judges a candidate of a line; 0 is no code. `earlier` are the confidences of candidates alone in lines before. */
export function judge(
  lines: readonly Line[],
  place: number,
  candidate: Candidate,
  mood: Mood,
  earlier: ReadonlyMap<number, number>,
): number {
  const line = lines[place]!;
  const sentence = sentenceAround(line.masked, candidate);
  const words = line.words.filter((word) => word.at >= sentence.from && word.end <= sentence.to);
  const left = words.filter((word) => word.end <= candidate.at);
  const right = words.filter((word) => word.at >= candidate.end);
  if (isNamed(line, candidate, left) || isNear(lines, place, 'meetings')) return 0;
  const isAlone = line.alone === candidate;
  const inLine = inSentence(line, candidate, left, right, mood, isNear(lines, place, 'offers'));
  inLine.sure ||= sentenceBefore(line, candidate, sentence.from);
  const around = isAlone ? besideLines(lines, place, candidate, earlier) : 0;
  if (around < 0) return 0;
  const best = Math.max(inLine.sure, around, isAlone ? moodOf(lines, place, candidate, mood) : 0);
  if (best === 0) return 0;
  const isClose = inLine.direct || isAlone;
  const doubts = doubtsOf(line.masked, candidate, isClose, inLine.direct);
  return best - doubts - (inLine.direct || !hasRival(line, candidate, sentence) ? 0 : SURE.rival);
}

/** Another candidate of the sentence is the one that the word speaks of. */
function hasRival(line: Line, candidate: Candidate, sentence: { from: number; to: number }): boolean {
  return line.candidates.some(
    (other) =>
      other !== candidate && other.at >= sentence.from && other.end <= sentence.to && followsCopula(line, other),
  );
}

function followsCopula({ masked }: Line, { at }: Candidate): boolean {
  return COPULA_END.test(masked.slice(Math.max(0, at - COPULA_ROOM), at));
}

/** Conferences and offers are spoken of in the line of their code or just above. */
function isNear(lines: readonly Line[], place: number, meaning: WordMeaning): boolean {
  return lines
    .slice(Math.max(0, place - REACH.linesOfTopic), place + 1)
    .some(({ words }) => words.some((word) => word.meaning === meaning));
}

/** The nearest word before it names another number. */
function isNamed(line: Line, candidate: Candidate, left: readonly Word[]): boolean {
  const nearest = left.findLast((word) => isOneOf(word, ['strong', 'weak', 'names', 'things']));
  if (nearest === undefined) return false;
  const gap = line.masked.slice(nearest.end, candidate.at);
  if (/[\d\u0000]/.test(gap)) return false; // it speaks of the number between
  if (nearest.meaning === 'names') return gap.length <= REACH.name;
  return nearest.meaning === 'things' && gap.length <= REACH.name && NUMBER_SIGN.test(gap);
}

function isOneOf(word: Word, meanings: readonly WordMeaning[]): boolean {
  return meanings.includes(word.meaning);
}

/** By the words of its own sentence. */
function inSentence(
  line: Line,
  candidate: Candidate,
  left: readonly Word[],
  right: readonly Word[],
  mood: Mood,
  isNearOffer: boolean,
): { sure: number; direct: boolean } {
  const words = [...left, ...right];
  const has = (meaning: WordMeaning): boolean => words.some((word) => word.meaning === meaning);
  const isShopping = has('offers') || isNearOffer;
  let sure = 0;
  let direct = false;
  for (const word of words) {
    const isStrong = word.meaning === 'strong';
    if ((!isStrong && word.meaning !== 'weak') || (isShopping && !isStrong)) continue;
    const isBefore = word.end <= candidate.at;
    const gap = isBefore ? line.masked.slice(word.end, candidate.at) : line.masked.slice(candidate.end, word.at);
    const scored = isBefore ? beforeIt(gap, isStrong) : behindIt(gap, isStrong);
    if (scored === 0) continue;
    const isOpened = isBefore && isStrong && COPULA_END.test(gap.slice(-COPULA_ROOM));
    if (isOpened || (isBefore ? isCopula(gap) : COPULA_BEHIND.test(gap))) direct = true;
    sure = Math.max(sure, scored - (!isOpened && /[\d\u0000]/.test(gap) ? SURE.numberBetween : 0));
  }
  const isAsked = left.some(({ meaning, end }) => meaning === 'actions' && candidate.at - end <= REACH.action);
  if (isAsked && !isShopping && (has('purposes') || mood.namesCodes)) sure = Math.max(sure, SURE.purpose);
  return { sure, direct };
}

const BACK_REFERENCE =
  /^\s*(?:it(?:\sis|['’]s)|here\sit\sis|(?:er|sie|es)\s(?:lautet|ist)|c['’]est(?:\sle)?|es(?:\sel)?)[\s:]*["“„«]?$/i;

/** `You asked for a code. It is 123456.` */
function sentenceBefore(line: Line, candidate: Candidate, from: number): number {
  if (from === 0 || !BACK_REFERENCE.test(line.masked.slice(from, Math.min(candidate.at, from + REACH.name)))) return 0;
  const words = line.words.filter(({ at, end }) => end <= from && from - at <= REACH.before);
  if (words.some(({ meaning }) => meaning === 'strong')) return SURE.sentenceStrong;
  return words.some(({ meaning }) => meaning === 'weak') ? SURE.sentenceWeak : 0;
}

/** Short before matched: the pattern is for a few signs, not for a line of them. */
function isCopula(gap: string): boolean {
  return gap.length <= REACH.name && COPULA.test(gap);
}

function beforeIt(gap: string, isStrong: boolean): number {
  if (isCopula(gap)) return isStrong ? SURE.directStrong : SURE.directWeak;
  if (gap.length > (isStrong ? REACH.before : REACH.weakBefore)) return 0;
  return isStrong ? SURE.nearStrong : SURE.nearWeak;
}

function behindIt(gap: string, isStrong: boolean): number {
  if (gap.length > REACH.behind) return 0;
  return isStrong ? SURE.behindStrong : SURE.behindWeak;
}

/** By the lines around, for a candidate alone in its line; negative if they name another number. */
function besideLines(
  lines: readonly Line[],
  place: number,
  candidate: Candidate,
  earlier: ReadonlyMap<number, number>,
): number {
  let sure = 0;
  let characters = 0;
  for (let up = 1; up <= REACH.linesAbove && characters < REACH.charactersAbove; up++) {
    const line = lines[place - up];
    if (line === undefined) break;
    characters += line.shown.length;
    if (line.alone !== undefined) {
      if (up === 1 && isAlike(line.alone, candidate)) sure = (earlier.get(place - up) ?? 0) - SURE.next;
      break;
    }
    if (up === 1 && endsNaming(line)) return -1;
    const said = saidBy(line, SURE.aboveStrong, SURE.aboveWeak, SURE.abovePurpose) - (up - 1) * SURE.perLine;
    if (said > 0) {
      sure = said;
      break;
    }
  }
  for (let down = 1; down <= REACH.linesBelow; down++) {
    const line = lines[place + down];
    if (line === undefined || line.alone !== undefined) break;
    sure = Math.max(sure, saidBy(line, SURE.belowStrong, SURE.belowWeak, 0) - (down - 1) * SURE.perLine);
  }
  return sure;
}

function isAlike(one: Candidate, other: Candidate): boolean {
  return one.shape === other.shape && one.code.length === other.code.length;
}

/** A line such as `Order number:` or `Total`. */
function endsNaming(line: Line): boolean {
  const last = line.words.at(-1);
  if (last === undefined || !isOneOf(last, ['names', 'things'])) return false;
  const behind = line.masked.slice(last.end);
  const isAtEnd = behind.length <= REACH.name && NUMBER_SIGN.test(behind);
  return isAtEnd && (last.meaning === 'names' || line.masked.length <= 40);
}

function saidBy(line: Line, strong: number, weak: number, purpose: number): number {
  const has = (meaning: WordMeaning): boolean => line.words.some((word) => word.meaning === meaning);
  if (has('strong')) return strong;
  if (has('offers')) return 0;
  if (has('weak')) return weak;
  return has('actions') && has('purposes') ? purpose : 0;
}

/** A number alone in its line, in a mail that is about a code and does not say so near it. */
function moodOf(lines: readonly Line[], place: number, { shape, code }: Candidate, mood: Mood): number {
  const isPlain = (shape === 'digits' || shape === 'grouped') && code.length <= 8;
  const line = lines[place]!;
  const isBare = !/\p{L}/u.test(line.shown);
  const above = lines[place - 1];
  if (!mood.namesCodes || !isPlain || !isBare || (above !== undefined && endsNaming(above))) return 0;
  return SURE.moodStrong;
}

/** What else it could be. */
function doubtsOf(masked: string, { at, end, code, shape }: Candidate, isClose: boolean, isDirect: boolean): number {
  if (shape === 'letters') return isClose ? 0.15 : 1;
  if (shape === 'lower') return isClose ? 0.12 : 0.4;
  if (shape === 'mixed') return isClose ? 0 : 0.12;
  if (isDirect) return 0;
  const doubt = isClose ? 0.5 : 1;
  const behind = masked.slice(end, end + 3);
  if (/^(?:19|20)\d\d$/.test(code)) return 0.4 * doubt; // a year
  if (/^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/.test(code)) return 0.3 * doubt; // a day
  if (/^\d+000$/.test(code)) return 0.15 * doubt; // a round sum
  if (code.length === 5 && /^ [A-ZÄÖÜÉ][a-zäöüé]/.test(behind) && at > 0) return 0.3 * doubt; // a postal code and its town
  if (code.length >= 9) return 0.2 * doubt; // a telephone, a moment in seconds
  return code.length === 4 ? 0.04 : 0;
}

/** Where a sentence ends: `.` only before a capital, so that `No. 1234` stays together. */
const SENTENCE_END = /[。！？]|[!?](?=\s)|\.(?=\s+(?:["'(„«]?[A-ZÄÖÜÉÀÍÓÚ¿¡]))/g;
const SENTENCE_REACH = 200;

function sentenceAround(masked: string, { at, end }: Candidate): { from: number; to: number } {
  const low = Math.max(0, at - SENTENCE_REACH);
  const high = Math.min(masked.length, end + SENTENCE_REACH);
  let from = low;
  let to = high;
  for (const match of masked.slice(low, high).matchAll(SENTENCE_END)) {
    const mark = low + match.index;
    if (mark < at) from = mark + 1;
    else {
      to = mark;
      break;
    }
  }
  return { from, to };
}
