import { fold, narrow } from '../phrases.ts';
import { INVISIBLE } from '../visible-text.ts';
import { type Candidate, findCandidates } from './candidates.ts';
import { maskOthers } from './masks.ts';
import { findWords, type Word } from './words.ts';

/** A line of a mail with all that is looked at; equal places in all of its texts. */
export interface Line {
  /** As written, white space collapsed. */
  readonly shown: string;
  /** With what is no code blotted out. */
  readonly masked: string;
  readonly words: readonly Word[];
  readonly candidates: readonly Candidate[];
  /** The candidate that the line consists of, but for ornaments and a short word such as `Copy`. */
  readonly alone: Candidate | undefined;
}

/** How long a line is that was broken because it was full; shorter ones end where their writer ended them. */
const FULL_LINE = 50;
const LONGEST = 4_000; // what is behind it in a line is another line

/** Prepares lines of text; those without anything are left out. */
export function readLines(texts: readonly string[]): Line[] {
  return joinSingles(
    texts
      .flatMap(cut)
      .map(clean)
      .filter((text) => text !== ''),
  ).map(readLine);
}

/** Joins the lines of plain text that only the width of a mail has parted; drops marks of quoting. */
export function unwrap(text: string): string[] {
  const out: string[] = [];
  let joins = false;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/^(?:\s{0,3}>)+/, '').trim();
    const isProse = line !== '' && /^[\p{L}\d(„“"'«]/u.test(line);
    if (joins && isProse) out[out.length - 1] += ` ${line}`;
    else out.push(line);
    joins = widthOf(line) >= FULL_LINE && /[\p{L}\d,;:’'-]$/u.test(line);
  }
  return out;
}

/** Chinese and Japanese characters are two columns wide. */
function widthOf(line: string): number {
  return line.length + (line.match(/[\u3000-\u9fff\uff00-\uff60]/g)?.length ?? 0);
}

function clean(text: string): string {
  return text
    .replace(INVISIBLE, '')
    .replace(/[\s\u0000-\u001f\u007f]+/g, ' ')
    .trim();
}

function cut(text: string): string[] {
  if (text.length <= LONGEST) return [text];
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += LONGEST) pieces.push(text.slice(at, at + LONGEST));
  return pieces;
}

/** Joins lines of one character each, as cells make them: `4`, `8`, `2`, … */
function joinSingles(lines: readonly string[]): string[] {
  const out: string[] = [];
  let run: string[] = [];
  const flush = (): void => {
    if (run.length >= 4 && run.length <= 12) out.push(run.join(' '));
    else out.push(...run);
    run = [];
  };
  for (const line of lines) {
    if (/^[0-9A-Z\uff10-\uff19]$/.test(line) || (run.length > 0 && /^[-–•·]$/.test(line))) run.push(line);
    else {
      flush();
      out.push(line);
    }
  }
  flush();
  return out;
}

function readLine(shown: string): Line {
  const plain = narrow(shown);
  const masked = maskOthers(plain);
  const candidates = findCandidates(masked);
  const words = findWords(fold(plain));
  return { shown, masked, words, candidates, alone: aloneIn(masked, candidates) };
}

/** Letters that may stand beside a lone code: `Copy`, `复制`. */
const BESIDE = 12;

function aloneIn(masked: string, candidates: readonly Candidate[]): Candidate | undefined {
  const [only] = candidates;
  if (only === undefined || candidates.length > 1 || masked.length > only.end - only.at + 40) return undefined;
  const rest = masked.slice(0, only.at) + masked.slice(only.end);
  if (/[\d\u0000]/.test(rest)) return undefined;
  return (rest.match(/\p{L}/gu)?.length ?? 0) <= BESIDE ? only : undefined;
}
