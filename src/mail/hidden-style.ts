/** What CSS hides, as far as declarations and simple selectors tell. */

const HIDING =
  /(?:^|[;\s{])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all|opacity\s*:\s*0(?:\.0+)?(?![.\d])|color\s*:\s*transparent)/i;
const FLAT = /(?:^|[;\s{])(?:max-)?(?:height|width)\s*:\s*0(?![.\d])/i;

/** Tells whether declarations of CSS hide what they are for. */
export function isHiddenByStyle(style: string): boolean {
  return style !== '' && (HIDING.test(style) || (FLAT.test(style) && /overflow(?:-[xy])?\s*:\s*hidden/i.test(style)));
}

/** Tells whether an element is hidden by a style sheet. */
export type HidingRules = (name: string, attributes: ReadonlyMap<string, string>) => boolean;

const STYLE_CHARACTERS = 131_072;
const RULES = 2_000;

/**
 * Reads from the style elements of a page which tags, classes and ids are hidden.
 *
 * Only rules that hold on every screen (none inside `@media`) and whose selector is one tag, class or id, or a tag with
 * a class: a rule that is not understood hides nothing.
 */
export function readHidingRules(html: string): HidingRules {
  const hidden = new Set<string>();
  for (const sheet of styleSheets(html)) gatherHidden(sheet, hidden);
  if (hidden.size === 0) return () => false;
  return (name, attributes) => {
    if (hidden.has(name) || (attributes.has('id') && hidden.has(`#${attributes.get('id')}`))) return true;
    const classes = attributes.get('class');
    if (classes === undefined) return false;
    return classes
      .split(/\s+/, 20)
      .some((each) => each !== '' && (hidden.has(`.${each}`) || hidden.has(`${name}.${each}`)));
  };
}

function styleSheets(html: string): string[] {
  const sheets: string[] = [];
  let left = STYLE_CHARACTERS;
  const opening = /<style(?=[\s>])/gi;
  for (let match = opening.exec(html); match !== null && left > 0; match = opening.exec(html)) {
    const from = html.indexOf('>', opening.lastIndex) + 1;
    if (from === 0) break;
    const close = html.indexOf('</', from); // no `<` has a meaning in CSS
    const sheet = html.slice(from, Math.min(close < 0 ? html.length : close, from + left));
    sheets.push(sheet);
    left -= sheet.length + 1;
    opening.lastIndex = from + sheet.length;
  }
  return sheets;
}

/** Goes through the rules of the top level. */
function gatherHidden(sheet: string, hidden: Set<string>): void {
  const css = withoutComments(sheet);
  let depth = 0;
  let selectors = '';
  let from = 0;
  for (const { 0: brace, index } of css.matchAll(/[{}]/g)) {
    if (brace === '{') {
      if (depth++ === 0) selectors = css.slice(from, index);
    } else if (depth > 0 && --depth === 0 && !selectors.includes('@') && isHiddenByStyle(css.slice(from, index))) {
      for (const selector of selectors.split(',')) {
        const simple = selector.trim();
        if (/^(?:[a-z][a-z0-9]*|[a-z0-9]*[.#][\w-]+)$/i.test(simple) && hidden.size < RULES) hidden.add(simple);
      }
    }
    from = index + 1;
  }
}

function withoutComments(css: string): string {
  return css
    .split('/*')
    .map((piece, place) => {
      const end = place === 0 ? -2 : piece.indexOf('*/');
      return end === -1 ? '' : piece.slice(end + 2);
    })
    .join('');
}
