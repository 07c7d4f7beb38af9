import { BLOCKS, CELLS, inlineText, readTag, skipElement, UNREAD } from './html-scanner.ts';

/**
 * Takes the readable text out of HTML, for snippets, search and readers without a browser.
 *
 * A scanner and not a parser: HTML of mails is untrusted and often broken, and this runs for every message in the
 * background. It is linear in its input, whatever that is, and what it gives is text, never markup to be trusted.
 */

/**
 * Gives the text of HTML: one line per block, white space collapsed, entities decoded.
 * @param characters how much HTML is read; the rest is passed over
 */
export function htmlToText(html: string, characters = 1_048_576): string {
  const source = html.length > characters ? html.slice(0, characters) : html;
  const out: string[] = [];
  let at = 0;
  while (at < source.length) {
    const open = source.indexOf('<', at);
    if (open < 0) {
      out.push(inlineText(source.slice(at)));
      break;
    }
    out.push(inlineText(source.slice(at, open)));
    const tag = readTag(source, open);
    if (tag === undefined) {
      out.push('<');
      at = open + 1;
    } else {
      if (BLOCKS.has(tag.name)) out.push('\n');
      else if (CELLS.has(tag.name)) out.push(' ');
      at = tag.closes || !UNREAD.has(tag.name) ? tag.end : skipElement(source, tag.end, tag.name);
    }
  }
  return out
    .join('')
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n');
}
