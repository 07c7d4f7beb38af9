import { judgeKind, type KindJudgement, type LinkKind } from './links/kinds.ts';
import { findPlainUrls } from './links/plain-urls.ts';
import type { ListUnsubscribe } from './list-unsubscribe.ts';
import { type Anchor, readVisibleText } from './visible-text.ts';

/**
 * Finds the links of a mail and what they are for.
 *
 * First the HTML's in their order, anchors and bare addresses alike, then those that only the text part has. An address
 * is listed once; of several texts for it the first that is no address itself is kept, and of several kinds the surest.
 * What a link is for, its words, its address and the sentence around it say (`links/kinds.ts`, tables of words for six
 * languages in `links/words/`). An address without `http:`, `https:` or `mailto:` is no link here, relative ones and
 * `www.` without scheme included. Linear in the input and bounded; never throws.
 */

export type { LinkKind } from './links/kinds.ts';

/** A link of a mail. */
export interface Link {
  /** As written, entities decoded; http, https or mailto. */
  readonly url: string;
  /** What can be clicked: text, or the alternative text of an image; the address for one that stands by itself. */
  readonly text: string;
  readonly kind: LinkKind;
}

export const LINK_LIMITS = Object.freeze({
  /** Read of each part. */
  characters: 524_288,
  links: 200,
  /** Looked at in each part, doubles included. */
  anchors: 2_000,
  urlCharacters: 8_192,
  textCharacters: 300,
  /** Of the sentence around, to each side. */
  sentenceCharacters: 200,
});

/** A mail, as far as its links go; a ParsedMail is one. */
export interface LinkSources {
  readonly text: string;
  readonly html: string;
  /** Addresses of the List-Unsubscribe field: a link of the body to one of them unsubscribes. */
  readonly listUnsubscribe?: Pick<ListUnsubscribe, 'links'>;
}

/** Finds the links of a mail in order of appearance. */
export function findLinks(mail: LinkSources): Link[] {
  const list = createList(mail.listUnsubscribe?.links ?? []);
  for (const place of htmlPlaces(mail.html)) list.add(place);
  for (const place of textPlaces(mail.text.slice(0, LINK_LIMITS.characters))) list.add(place);
  return list.links();
}

/** An address where it stands. */
interface Place {
  readonly url: string;
  readonly text: string;
  readonly sentences: readonly string[];
}

function createList(listUnsubscribe: readonly string[]) {
  const byKey = new Map<string, Link & KindJudgement>();
  const unsubscribing = new Set(listUnsubscribe.map((url) => keyOf(url)).filter((key) => key !== undefined));
  return {
    add({ url, text, sentences }: Place): void {
      const key = keyOf(url);
      const known = key === undefined ? undefined : byKey.get(key);
      if (key === undefined || (known === undefined && byKey.size >= LINK_LIMITS.links)) return;
      const judged: KindJudgement = unsubscribing.has(key)
        ? { kind: 'unsubscribe', weight: Number.POSITIVE_INFINITY }
        : judgeKind({ url, text, sentences });
      const shown = text.slice(0, LINK_LIMITS.textCharacters).toWellFormed();
      if (known === undefined) byKey.set(key, { url, text: shown === '' ? url : shown, ...judged });
      else {
        const words = isBare(known.text, known.url) && text !== '' ? shown : known.text;
        byKey.set(key, { ...known, text: words, ...(judged.weight > known.weight ? judged : {}) });
      }
    },
    links: (): Link[] => [...byKey.values()].map(({ url, text, kind }) => ({ url, text, kind })),
  };
}

function isBare(text: string, url: string): boolean {
  return text === url || /^(?:https?:\/\/|mailto:)\S*$/i.test(text);
}

/** What two ways of writing one address have in common; undefined for what is no address of the web or of mail. */
function keyOf(url: string): string | undefined {
  if (url.length > LINK_LIMITS.urlCharacters) return undefined;
  const parsed = URL.parse(url);
  if (parsed === null) return undefined;
  const isKept = parsed.protocol === 'mailto:' ? parsed.pathname !== '' : /^https?:$/.test(parsed.protocol);
  return isKept ? parsed.href : undefined;
}

/** Anchors and bare addresses of the HTML in their order. */
function* htmlPlaces(html: string): Iterable<Place> {
  const { lines, anchors } = readVisibleText(html, LINK_LIMITS);
  let next = 0;
  let budget = LINK_LIMITS.anchors;
  for (let place = 0; place <= lines.length; place++) {
    const line = lines[place] ?? '';
    const here: Anchor[] = [];
    while (next < anchors.length && anchors[next]!.line <= place) here.push(anchors[next++]!);
    const bare = budget > 0 ? findPlainUrls(withoutAnchors(line, place, anchors, next), budget) : [];
    budget -= bare.length;
    const inLine = [
      ...here.map((anchor) => ({ at: anchor.column, place: anchorPlace(lines, anchor) })),
      ...bare.map(({ url, at, end }) => ({
        at,
        place: { url, text: '', sentences: sentencesOf(lines, place, at, place, end) },
      })),
    ];
    inLine.sort((one, other) => one.at - other.at);
    for (const each of inLine) yield each.place;
  }
}

function anchorPlace(lines: readonly string[], { href, text, line, column, endLine, endColumn }: Anchor): Place {
  const url = href
    .replace(/[\t\n\r]/g, '')
    .trim()
    .replace(/ /g, '%20');
  return { url, text, sentences: sentencesOf(lines, line, column, endLine, endColumn) };
}

/** The line with blanks where anchors are: an address on an anchor is not one of its own. */
function withoutAnchors(line: string, place: number, anchors: readonly Anchor[], behind: number): string {
  if (!/https?:\/\/|mailto:/i.test(line)) return '';
  const pieces: string[] = [];
  let at = line.length;
  for (let each = behind - 1; each >= 0 && anchors[each]!.endLine >= place; each--) {
    const { line: from, column, endLine, endColumn } = anchors[each]!;
    const start = from < place ? 0 : column;
    const end = Math.min(at, endLine > place ? line.length : endColumn);
    if (end < start) continue;
    pieces.push(line.slice(end, at), ' '.repeat(end - start));
    at = start;
  }
  pieces.push(line.slice(0, at));
  return pieces.reverse().join('');
}

/** The sentence a link stands in and the one before; those of the line above if there are no words before it. */
function sentencesOf(
  lines: readonly string[],
  line: number,
  column: number,
  endLine: number,
  endColumn: number,
): readonly string[] {
  const reach = LINK_LIMITS.sentenceCharacters;
  const own = (lines[line] ?? '').slice(Math.max(0, column - reach), column);
  const behind = (lines[endLine] ?? '').slice(endColumn, endColumn + reach);
  const above = line === 0 || HAS_WORDS.test(own) ? '' : lines[line - 1]!.slice(-reach);
  return sentencesAround(`${above}${above === '' ? '' : '\n'}${own}`, behind);
}

const HAS_WORDS = /\p{L}{2}|[\u3040-\u9fff]/u;
const SENTENCE_END = /(?:[.!?](?=\s)|[。！？])/;

/** Of the text before and behind a link: the sentence that it is in, and the one before that. */
function sentencesAround(before: string, behind: string): readonly string[] {
  const parts = before.split(SENTENCE_END).filter((part) => HAS_WORDS.test(part));
  const isOpen = HAS_WORDS.test(before.slice(lastStop(before) + 1));
  const own = isOpen ? (parts.pop() ?? '') : '';
  return [`${own} ${behind.split(BEHIND_END, 1)[0] ?? ''}`, parts.pop() ?? ''];
}

function lastStop(text: string): number {
  let at = text.length - 1;
  while (at >= 0 && !'.!?。！？'.includes(text[at]!)) at--;
  return at;
}

const BEHIND_END = /[.!?](?=\s|$)|[。！？]/;

/** Addresses of plain text, each with its line or the paragraph above it. */
function* textPlaces(text: string): Iterable<Place> {
  let from = 0; // behind the address before: what is in front of that speaks of it
  for (const { url, at, end } of findPlainUrls(text, LINK_LIMITS.anchors)) {
    const before = text.slice(Math.max(from, at - LINK_LIMITS.sentenceCharacters * 2), at);
    const paragraph = lastParagraph(before);
    const behind = text.slice(end, end + LINK_LIMITS.sentenceCharacters).split('\n', 1)[0] ?? '';
    yield { url, text: '', sentences: sentencesAround(paragraph, behind) };
    from = end;
  }
}

/** The paragraph in front of an address; the one above if the address begins a new one. */
function lastParagraph(before: string): string {
  const paragraphs = before.split(/\n[^\S\n]*\n/);
  const last = paragraphs.at(-1)!;
  return (HAS_WORDS.test(last) ? last : (paragraphs.at(-2) ?? last)).replace(/\s+/g, ' ');
}
