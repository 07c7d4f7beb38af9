import { parseDocument } from 'htmlparser2';
import { type Element, isElement, nodesOf } from './html-nodes.ts';

/** What is read of a mail, and how many of its links are tried. */
export const LINK_LIMITS = Object.freeze({ characters: 2_097_152, links: 100, linkCharacters: 4_096 });

/**
 * Finds the links of a mail that a check tries: of HTML where they point or load from (`a`, style sheets, images), then
 * those in the text; each once, the first hundred.
 */
export function findLinks(html: string, text: string): string[] {
  const found = new Set<string>();
  const add = (link: string): void => {
    if (found.size < LINK_LIMITS.links && link.length <= LINK_LIMITS.linkCharacters) found.add(link);
  };
  for (const link of htmlLinks(html.slice(0, LINK_LIMITS.characters))) add(link);
  for (const link of textLinks(text.slice(0, LINK_LIMITS.characters))) add(link);
  return [...found];
}

function htmlLinks(html: string): string[] {
  const elements = nodesOf(parseDocument(html)).filter(isElement);
  const values = (name: string, attribute: string): string[] =>
    elements
      .filter((element) => element.name === name && (name !== 'link' || isStylesheet(element)))
      .map(({ attribs }) => (attribs[attribute] ?? '').trim())
      .filter((link) => /^https?:\/\//i.test(link));
  return [...values('a', 'href'), ...values('link', 'href'), ...values('img', 'src')];
}

function isStylesheet({ attribs }: Element): boolean {
  return /(^|\s)stylesheet(\s|$)/i.test(attribs.rel ?? '');
}

/** Between angle brackets a link may be broken over lines (RFC 3986 appendix C); elsewhere it ends at a blank. */
function* textLinks(text: string): Generator<string> {
  for (const [, bracketed, bare] of text.matchAll(/<(https?:\/\/[^<>]{1,4096})>|\b(https?:\/\/[^\s<>"]+)/gi)) {
    if (bracketed !== undefined) yield bracketed.replace(/\s+/g, '');
    // a full stop or a closing bracket behind a link belongs to the sentence
    else yield withoutEnd(bare ?? '');
  }
}

function withoutEnd(link: string): string {
  let end = link.length;
  while (end > 0) {
    const last = link[end - 1]!;
    const isBracket = last === ')' || last === ']';
    const opener = last === ')' ? '(' : '[';
    if (isBracket ? link.lastIndexOf(opener, end - 1) >= 0 : !`.,;:!?'*`.includes(last)) break;
    end--;
  }
  return link.slice(0, end);
}
