/**
 * Turns the colours of a mail that was made for white paper dark, by rewriting them where they are written.
 *
 * Light grounds become dark and dark text light, each in its own hue; a ground that is dark already, such as that of a
 * button, stays, and so does the light text on it. Pictures stay what they are. A filter over the whole frame would be
 * shorter, and would turn brands into their opposites and photographs into negatives. The sums are the browser's: what
 * is written is a relative colour (CSS Color 5), so every way to write a colour is understood that it understands.
 */

/** In OKLab lightness: as dark as light grounds become, and as light as dark text becomes. */
const GROUND = (colour: string): string => `oklch(from ${colour} min(l, calc(1.21 - l)) c h / alpha)`;
const TEXT = (colour: string): string => `oklch(from ${colour} max(l, min(0.93, calc(1.22 - l))) c h / alpha)`;
const LINE = (colour: string): string => `oklch(from ${colour} max(0.33, min(l, calc(1.25 - l))) c h / alpha)`;

/** A declaration with a colour in it: what stands before the property, the property, and its value. */
const DECLARATION =
  /(^|[;{\s"'])((?:background|border|outline|column-rule|text-decoration|text-emphasis|-webkit-text-fill|-webkit-text-stroke)[\w-]*|color)(\s*:)([^;{}]+)/gi;
/** What may be a colour, and what looks like one inside addresses and strings. */
const TOKEN =
  /url\((?:"[^"]*"|'[^']*'|[^)]*)\)|"[^"]*"|'[^']*'|var\([^)]*\)|#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch)\([^()]*\)|(?<![\w-])[a-z]{3,20}(?![\w(-])/gi;
const NO_COLOUR = /^(?:url\(|["']|var\(|(?:transparent|currentcolor|inherit|initial|unset|revert|none)$)/i;
/** The mail says how it wants to look in the dark. */
const OWN = /prefers-color-scheme\s*:\s*dark|<meta[^>]{1,200}color-schemes?["'\s][^>]{0,200}\bdark\b/i;
const SCHEME = /(^|[;{\s])color-scheme\s*:[^;}]*/gi;

const known = new Map<string, boolean>();

/** Whether a mail brings dark colours of its own, which are then to be used. */
export function hasOwnDark(html: string): boolean {
  return OWN.test(html);
}

/** Rewrites a style sheet, or the value of a style attribute. */
export function adaptStyle(style: string): string {
  return style
    .replace(SCHEME, '$1')
    .replace(DECLARATION, (_, before: string, property: string, colon: string, value: string) => {
      const turn = /^(?:color|text|-webkit-text)/i.test(property)
        ? TEXT
        : /^background/i.test(property)
          ? GROUND
          : LINE;
      return before + property + colon + value.replace(TOKEN, (token) => (isColour(token) ? turn(token) : token));
    });
}

const ATTRIBUTES = [
  ['bgcolor', 'background-color', GROUND],
  ['color', 'color', TEXT],
  ['text', 'color', TEXT],
  ['bordercolor', 'border-color', LINE],
] as const;

/**
 * Makes a sheet for the colours that old markup keeps in attributes. In a layer, so that it stands below all that the
 * mail's own sheets say, as the attributes do.
 */
export function adaptAttributes(root: Element): string {
  const rules = new Set<string>();
  for (const [name, property, turn] of ATTRIBUTES) {
    for (const element of root.querySelectorAll(`[${name}]`)) {
      const value = element.getAttribute(name)!;
      if (!/^#?\w{3,20}$/.test(value)) continue;
      const colour = /^[0-9a-f]{3}(?:[0-9a-f]{3})?$/i.test(value) ? `#${value}` : value;
      if (isColour(colour)) rules.add(`[${name}="${value}"]{${property}:${turn(colour)}}`);
    }
  }
  return rules.size === 0 ? '' : `@layer attributes{${[...rules].join('')}}`;
}

function isColour(token: string): boolean {
  if (NO_COLOUR.test(token)) return false;
  let is = known.get(token);
  if (is === undefined) {
    is = CSS.supports('color', token);
    if (known.size < 1_000) known.set(token, is);
  }
  return is;
}
