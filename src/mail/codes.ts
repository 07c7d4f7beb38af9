import { judge, type Mood, SURE } from './codes/judge.ts';
import { type Line, readLines, unwrap } from './codes/lines.ts';
import { readVisibleText } from './visible-text.ts';

/**
 * Finds one-time codes in a mail: what its reader is meant to type or paste somewhere.
 *
 * Three steps. What cannot be a code is blotted out (`codes/masks.ts`: dates, prices, telephones, addresses). What is
 * written like a code is a candidate (`codes/candidates.ts`). The words around a candidate decide (`codes/judge.ts`,
 * with tables of words for six languages in `codes/words/`). Subject, text and HTML are read apart; a code that more
 * than one of them gives is surer. Linear in the input and bounded; never throws.
 */

/** A one-time code. */
export interface Code {
  /** As one would type it: groups of digits joined, other hyphens kept. */
  readonly code: string;
  /** Text around it, white space collapsed, at most 160 characters. */
  readonly context: string;
  /** 0 to 1. */
  readonly confidence: number;
}

export const CODE_LIMITS = Object.freeze({
  /** Read of each part. */
  characters: 524_288,
  /** Candidates judged in each part; a mail with more is a table of numbers. */
  candidates: 2_000,
  codes: 50,
  contextCharacters: 160,
  /** Below this it is not said. */
  confidence: 0.5,
  /** How far behind the best one another may be. */
  spread: 0.3,
  /** More for every other part that has it. */
  repeated: 0.03,
});

/** Finds the one-time codes of a mail, best first. */
export function findCodes(mail: { readonly subject: string; readonly text: string; readonly html: string }): Code[] {
  const html = readVisibleText(mail.html, { characters: CODE_LIMITS.characters, anchors: 0 });
  const parts = [
    readLines([mail.subject.slice(0, 2_000)]),
    readLines(unwrap(mail.text.slice(0, CODE_LIMITS.characters))),
    readLines(html.lines),
  ];
  const mood = moodOf(parts);
  const found = new Map<string, Code & { parts: number }>();
  for (const part of parts) {
    for (const code of codesOf(part, mood)) {
      const before = found.get(code.code);
      const best = before !== undefined && before.confidence >= code.confidence ? before : code;
      found.set(code.code, { ...best, parts: (before?.parts ?? 0) + 1 });
    }
  }
  const all = [...found.values()].map(({ parts: inParts, ...code }): Code => {
    return { ...code, confidence: roundOf(code.confidence + (inParts - 1) * CODE_LIMITS.repeated) };
  });
  all.sort((one, other) => other.confidence - one.confidence); // stable: then in order of appearance
  const least = Math.max(CODE_LIMITS.confidence, (all[0]?.confidence ?? 0) - CODE_LIMITS.spread);
  return all.filter(({ confidence }) => confidence >= least).slice(0, CODE_LIMITS.codes);
}

function moodOf(parts: readonly (readonly Line[])[]): Mood {
  const [subject = [], ...bodies] = parts;
  const says = (lines: readonly Line[], meaning: string): boolean =>
    lines.some(({ words }) => words.some((word) => word.meaning === meaning));
  return {
    namesCodes: says(subject, 'strong'),
    assures: bodies.some((lines) => says(lines, 'assurances')),
  };
}

/** The codes of one part, each once, with its best confidence. */
function codesOf(lines: readonly Line[], mood: Mood): Code[] {
  const found = new Map<string, Code>();
  const earlier = new Map<number, number>();
  let seen = 0;
  for (const [place, line] of lines.entries()) {
    for (const candidate of line.candidates) {
      if (++seen > CODE_LIMITS.candidates) return [...found.values()];
      const judged = judge(lines, place, candidate, mood, earlier);
      if (line.alone === candidate) earlier.set(place, judged);
      const confidence = judged + (mood.assures && judged > 0 ? SURE.assured : 0);
      if (confidence < CODE_LIMITS.confidence || confidence <= (found.get(candidate.code)?.confidence ?? 0)) continue;
      found.set(candidate.code, { code: candidate.code, context: contextOf(lines, place, candidate), confidence });
    }
  }
  return [...found.values()];
}

function roundOf(confidence: number): number {
  return Math.round(Math.min(0.99, confidence) * 100) / 100;
}

/** The line with the code; for one that consists of the code, the lines beside it as well. */
function contextOf(
  lines: readonly Line[],
  place: number,
  candidate: { readonly at: number; readonly end: number },
): string {
  const line = lines[place]!;
  const before = line.alone === undefined ? '' : `${lines[place - 1]?.shown ?? ''} `;
  const behind = line.alone === undefined ? '' : ` ${lines[place + 1]?.shown ?? ''}`;
  const text = before + line.shown + behind;
  const at = before.length + candidate.at;
  const end = before.length + candidate.end;
  const room = CODE_LIMITS.contextCharacters - (end - at);
  const from = Math.max(0, Math.min(at - Math.floor(room / 2), text.length - CODE_LIMITS.contextCharacters));
  return text
    .slice(from, from + CODE_LIMITS.contextCharacters)
    .toWellFormed()
    .trim();
}
