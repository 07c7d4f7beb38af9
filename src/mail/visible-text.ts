import { isHiddenByStyle, readHidingRules } from './hidden-style.ts';
import {
  BLOCKS,
  CELLS,
  inlineText,
  readAttributes,
  readTag,
  skipElement,
  type Tag,
  UNREAD,
  VOIDS,
} from './html-scanner.ts';

/**
 * Reads HTML as a person sees it: lines of visible text, and the links with the place where they stand.
 *
 * What style attributes or plain rules of a style sheet hide is left out (preheaders, spacers, texts for spam filters).
 * Colours and positions are not looked at: that would take a browser. Linear in its input.
 */

/** A link of the HTML, also of a hidden one. */
export interface Anchor {
  readonly href: string;
  /** What can be clicked: text, or the alternative text of images; white space collapsed. */
  readonly text: string;
  /** Where it stands in the lines: the first character, and the line and column behind its last one. */
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface VisibleText {
  /** One per block, white space collapsed; none is empty. */
  readonly lines: readonly string[];
  readonly anchors: readonly Anchor[];
}

/** Reads HTML; what is behind the limits is passed over. */
export function readVisibleText(html: string, limits: { characters: number; anchors: number }): VisibleText {
  const source = html.length > limits.characters ? html.slice(0, limits.characters) : html;
  const page = createPage(limits.anchors);
  const hiding = readHidingRules(source);
  const elements = createElements(hiding);
  let at = 0;
  while (at < source.length) {
    const open = source.indexOf('<', at);
    const stop = open < 0 ? source.length : open;
    if (stop > at) page.text(inlineText(source.slice(at, stop)), elements.isHidden());
    if (open < 0) break;
    const tag = readTag(source, open);
    if (tag === undefined) {
      page.text('<', elements.isHidden());
      at = open + 1;
    } else at = takeTag(source, tag, page, elements);
  }
  return page.end();
}

type Page = ReturnType<typeof createPage>;
type Elements = ReturnType<typeof createElements>;

function takeTag(source: string, tag: Tag, page: Page, elements: Elements): number {
  const { name } = tag;
  if (UNREAD.has(name) && !tag.closes) return skipElement(source, tag.end, name);
  if (BLOCKS.has(name) && !elements.isHidden()) page.newLine();
  else if (CELLS.has(name)) page.text(' ', elements.isHidden());
  if (name === '') return tag.end;
  if (tag.closes) {
    if (name === 'a') page.closeAnchor();
    elements.close(name);
    return tag.end;
  }
  const attributes = tag.end - tag.inside > 1 ? readAttributes(source, tag) : NO_ATTRIBUTES;
  elements.open(name, attributes);
  if (name === 'img') page.image(attributes.get('alt') ?? '');
  const href = name === 'a' || name === 'area' ? attributes.get('href') : undefined;
  if (name === 'a') page.closeAnchor();
  if (href !== undefined) page.openAnchor(href);
  if (name === 'area') {
    page.image(attributes.get('alt') ?? '');
    page.closeAnchor();
  }
  return tag.end;
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

/** Gathers lines and anchors. */
function createPage(anchorsAtMost: number) {
  const lines: string[] = [];
  const anchors: Anchor[] = [];
  let pieces: string[] = [];
  let column = 0;
  let endsBlank = true;
  let anchor: { href: string; words: string[]; line: number; column: number } | undefined;

  const newLine = (): void => {
    anchor?.words.push(' ');
    const line = pieces.join('').trimEnd();
    if (line !== '') lines.push(line);
    pieces = [];
    column = 0;
    endsBlank = true;
  };
  const closeAnchor = (): void => {
    if (anchor === undefined) return;
    const { href, words, line, column: from } = anchor;
    const text = words.join('').replace(/\s+/g, ' ').trim();
    anchors.push({ href, text, line, column: from, endLine: lines.length, endColumn: column });
    anchor = undefined;
  };
  return {
    newLine,
    closeAnchor,
    text(text: string, isHidden: boolean): void {
      anchor?.words.push(text);
      if (isHidden) return;
      let shown = text.replace(INVISIBLE, '').replace(/\s+/g, ' ');
      if (endsBlank && shown.startsWith(' ')) shown = shown.slice(1);
      if (shown === '') return;
      pieces.push(shown);
      column += shown.length;
      endsBlank = shown.endsWith(' ');
    },
    image(alternative: string): void {
      anchor?.words.push(` ${alternative} `);
    },
    openAnchor(href: string): void {
      if (anchors.length < anchorsAtMost) anchor = { href, words: [], line: lines.length, column };
    },
    end(): VisibleText {
      closeAnchor();
      newLine();
      return { lines, anchors };
    },
  };
}

/** Soft hyphens, zero-width and direction marks: they part nothing that is seen. */
export const INVISIBLE =
  /\u00ad|\u034f|[\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|\ufe0f/g;

interface Element {
  readonly name: string;
  readonly hidden: boolean;
  /** Of a font too small to see; what is inside may set its own. */
  readonly tiny: boolean;
}

/** Elements whose end tag may be left out: what ends them, and what they stand in. */
// a map, since any word can stand in a tag: `constructor` is none of ours
const IMPLIED: ReadonlyMap<string, { ends: readonly string[]; within: readonly string[] }> = new Map([
  ['td', { ends: ['td', 'th'], within: ['table'] }],
  ['th', { ends: ['td', 'th'], within: ['table'] }],
  ['tr', { ends: ['tr'], within: ['table'] }],
  ['li', { ends: ['li'], within: ['ul', 'ol'] }],
  ['dd', { ends: ['dd', 'dt'], within: ['dl'] }],
  ['dt', { ends: ['dd', 'dt'], within: ['dl'] }],
]);
const P = { ends: ['p'], within: ['td', 'th', 'div'] };
const IMPLIED_DEPTH = 32; // how far up is looked: bounds the work on hostile nesting

/** Keeps the open elements, to know what is hidden. */
function createElements(hides: (name: string, attributes: ReadonlyMap<string, string>) => boolean) {
  const stack: Element[] = [];
  const open = new Map<string, number>();
  const top = (): Element | undefined => stack[stack.length - 1];
  const popTo = (depth: number): void => {
    while (stack.length > depth) {
      const { name } = stack.pop()!;
      open.set(name, (open.get(name) ?? 1) - 1);
    }
  };
  const endImplied = (name: string): void => {
    const rule = IMPLIED.get(name) ?? (BLOCKS.has(name) ? P : undefined);
    if (rule === undefined || !rule.ends.some((ended) => (open.get(ended) ?? 0) > 0)) return;
    const lowest = Math.max(0, stack.length - IMPLIED_DEPTH);
    for (let depth = stack.length - 1; depth >= lowest && !rule.within.includes(stack[depth]!.name); depth--) {
      if (!rule.ends.includes(stack[depth]!.name)) continue;
      popTo(depth);
      return;
    }
  };
  return {
    isHidden: (): boolean => top()?.hidden === true || top()?.tiny === true,
    open(name: string, attributes: ReadonlyMap<string, string>): void {
      if (VOIDS.has(name)) return;
      endImplied(name);
      const style = attributes.get('style') ?? '';
      const size = /font-size\s*:\s*(\d*\.?\d+)/i.exec(style);
      const hidden =
        top()?.hidden === true || attributes.has('hidden') || isHiddenByStyle(style) || hides(name, attributes);
      stack.push({ name, hidden, tiny: size === null ? top()?.tiny === true : Number(size[1]) <= 1 });
      open.set(name, (open.get(name) ?? 0) + 1);
    },
    close(name: string): void {
      if ((open.get(name) ?? 0) === 0) return;
      let depth = stack.length - 1;
      while (stack[depth]!.name !== name) depth--;
      popTo(depth);
    },
  };
}
