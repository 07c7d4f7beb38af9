/**
 * Finds addresses of the web in plain text, as people and mail programs write them.
 *
 * Between angle brackets all belongs to the address, line ends too (RFC 3986 appendix C). Elsewhere an address ends
 * where a reader would end it: at a blank, before the full stop of the sentence, before a bracket it did not open, and
 * where Chinese or Japanese text goes on behind ASCII. One that fills its line to the end goes on in the next line if
 * that looks like more of it.
 */

/** An address in a text. */
export interface PlainUrl {
  readonly url: string;
  readonly at: number;
  /** Behind its last character, brackets included. */
  readonly end: number;
}

const START = /(?:https?:\/\/|mailto:)(?=[^\s<>"])/gi;
const URL_CHARACTERS = 4_096;
/** Wrapped at this column or later, a line may break an address; editors wrap at 66 to 78, some servers later. */
const WRAP_COLUMN = 60;
const WRAPPED_LINES = 20;

/** Finds the addresses in order. */
export function findPlainUrls(text: string, atMost: number): PlainUrl[] {
  const found: PlainUrl[] = [];
  START.lastIndex = 0;
  for (let match = START.exec(text); match !== null && found.length < atMost; match = START.exec(text)) {
    const at = match.index;
    const before = text[at - 1] ?? '';
    if (/[A-Za-z0-9]/.test(before)) continue; // shttp://, xmailto:
    const url = (before === '<' ? readBracketed(text, at) : undefined) ?? readBare(text, at);
    START.lastIndex = Math.max(url.end, at + match[0].length);
    if (url.url.length > match[0].length) found.push(url);
  }
  return found;
}

/** Reads up to `>`; blanks and line ends are not of the address. */
function readBracketed(text: string, at: number): PlainUrl | undefined {
  const close = text.slice(at, at + URL_CHARACTERS).search(/[<>"]/);
  if (close < 0 || text[at + close] !== '>') return undefined;
  const inner = text.slice(at, at + close);
  // with blanks in the middle of a line it is prose between brackets: <https://x.example and so on>
  if (/\S[^\S\n]+\S/.test(inner)) return undefined;
  return { url: inner.replace(/\s+/g, ''), at, end: at + close + 1 };
}

function readBare(text: string, at: number): PlainUrl {
  let end = runEnd(text, at);
  let url = text.slice(at, end);
  for (let lines = 0; lines < WRAPPED_LINES && url.length < URL_CHARACTERS; lines++) {
    const more = continuation(text, at, end);
    if (more === undefined) break;
    url += text.slice(more.from, more.to);
    end = more.to;
  }
  const trimmed = trimEnd(url);
  return { url: trimmed, at, end: end - (url.length - trimmed.length) };
}

const WIDE = /[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uff66-\uff9f]/;
const STOPS = /[\s<>"`{}|\\^“”„«»‹›，。、；：！？（）【】「」『』《》〈〉…\u0000-\u001f\u007f]/;

/** Where a run of characters of an address ends. */
function runEnd(text: string, at: number): number {
  let end = at;
  const stop = Math.min(text.length, at + URL_CHARACTERS);
  while (end < stop && !STOPS.test(text[end]!)) {
    // Chinese right behind ASCII letters is the sentence that goes on; behind `/` or `.` it is of the address
    if (WIDE.test(text[end]!) && /[A-Za-z0-9]/.test(text[end - 1] ?? '')) break;
    end++;
  }
  return end;
}

/** The next line, if the address fills the line it is in and the next one looks like more of it. */
function continuation(text: string, at: number, end: number): { from: number; to: number } | undefined {
  if (text[end] !== '\n') return undefined;
  const lineStart = text.lastIndexOf('\n', end - 1) + 1;
  if (end - lineStart < WRAP_COLUMN || end - Math.max(at, lineStart) < 10) return undefined;
  const from = end + 1;
  const to = runEnd(text, from);
  if (to === from || (to < text.length && text[to] !== '\n')) return undefined;
  const line = text.slice(from, to);
  const isMore = /^[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$/.test(line) && /[\d=&%/?_]/.test(line);
  return isMore && !/^(?:https?:|mailto:|[-=_*~#]+$|\d{1,2}[.)])/i.test(line) ? { from, to } : undefined;
}

const PAIRS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Takes off what belongs to the sentence. */
function trimEnd(url: string): string {
  const signs = new Map<string, number>();
  for (const sign of url.match(/[()[\]{}]/g) ?? []) signs.set(sign, (signs.get(sign) ?? 0) + 1);
  let end = url.length;
  for (; end > 0; end--) {
    const last = url[end - 1]!;
    if (".,;:!?'*_~’".includes(last)) continue;
    const opening = PAIRS[last];
    if (opening === undefined || (signs.get(opening) ?? 0) >= signs.get(last)!) break;
    signs.set(last, signs.get(last)! - 1);
  }
  return url.slice(0, end);
}
