/**
 * How each feature of caniemail's list is found in a mail.
 *
 * The names of most features say it: `css-<property>`, `html-<element>`, `image-<file ending>`. The tables below hold
 * those that are something else; a test sees to it that every feature of the list is looked for.
 */

/** What to look for in a mail. */
export type FeatureTest =
  /** Elements, by a selector. */
  | { readonly kind: 'elements'; readonly selector: string }
  /** Declarations that an element gets, by property and value. */
  | { readonly kind: 'style'; readonly property: RegExp; readonly value: RegExp }
  /** At-rules, by name and what follows it. */
  | { readonly kind: 'at-rule'; readonly name: string; readonly prelude: RegExp }
  /** Selectors in style sheets, strings and brackets emptied. */
  | { readonly kind: 'selector'; readonly pattern: RegExp }
  /** Addresses of images, without query. */
  | { readonly kind: 'image'; readonly source: RegExp }
  /** Something of the whole document. */
  | { readonly kind: 'document'; readonly what: 'body' | 'doctype' | 'comments' | 'css-comments' | 'css-nesting' };

const ANY = /(?:)/;

const elements = (selector: string): FeatureTest => ({ kind: 'elements', selector });
const property = (name: RegExp, value = ANY): FeatureTest => ({ kind: 'style', property: name, value });
const value = (pattern: RegExp): FeatureTest => ({ kind: 'style', property: ANY, value: pattern });
const selector = (pattern: RegExp): FeatureTest => ({ kind: 'selector', pattern });
const whole = (what: (FeatureTest & { kind: 'document' })['what']): FeatureTest => ({ kind: 'document', what });
const SIDES = '(-(top|right|bottom|left))?';

// biome-ignore format: one feature per line
const SPECIAL: ReadonlyMap<string, FeatureTest> = new Map([
  ['css-at-media-device-pixel-ratio', atRule('media', /device-pixel-ratio/i)],
  ['css-at-media-hover', atRule('media', /\b(any-)?hover\b/i)],
  ['css-at-media-orientation', atRule('media', /\borientation\b/i)],
  ['css-at-media-prefers-color-scheme', atRule('media', /prefers-color-scheme/i)],
  ['css-at-media-prefers-reduced-motion', atRule('media', /prefers-reduced-motion/i)],
  ['css-animation', property(/^animation(-|$)/)],
  ['css-block-inline-size', property(/^(block|inline)-size$/)],
  ['css-border', property(new RegExp(`^border${SIDES}$`))],
  ['css-border-inline-block', property(/^border-(inline|block)$/)],
  ['css-border-inline-block-individual', property(/^border-(inline|block)-(start|end)(-(width|style|color))?$/)],
  ['css-border-inline-block-longhand', property(/^border-(inline|block)-(width|style|color)$/)],
  ['css-border-radius', property(/^border-((top|bottom)-(left|right)-)?radius$/)],
  ['css-border-radius-logical', property(/^border-(start|end)-(start|end)-radius$/)],
  ['css-column-layout-properties', property(/^(columns|column-(width|span|fill|rule(-\w+)?))$/)],
  ['css-comments', whole('css-comments')],
  ['css-conic-gradient', value(/\bconic-gradient\(/i)],
  ['css-display-flex', property(/^display$/, /^(inline-)?flex\b/i)],
  ['css-display-grid', property(/^display$/, /^(inline-)?grid\b/i)],
  ['css-display-none', property(/^display$/, /^none\b/i)],
  ['css-flex-direction', property(/^flex-direction$|^flex-flow$/, /\bcolumn/i)],
  ['css-flex-wrap', property(/^flex-wrap$|^flex-flow$/, /\bwrap/i)],
  ['css-gap', property(/^((column|row)-)?gap$/)],
  ['css-grid-template', property(/^grid-template(-|$)/)],
  ['css-important', value(/!\s*important\s*$/i)],
  ['css-inert-attribute', elements('[inert]')],
  ['css-intrinsic-size', value(/\b(fit|min|max)-content\b/i)],
  ['css-left-right-top-bottom', property(/^(left|right|top|bottom)$/)],
  ['css-linear-gradient', value(/\blinear-gradient\(/i)],
  ['css-margin', property(new RegExp(`^margin${SIDES}$`))],
  ['css-margin-block-start-end', property(/^margin-block-(start|end)$/)],
  ['css-margin-inline-block', property(/^margin-(inline|block)$/)],
  ['css-margin-inline-start-end', property(/^margin-inline-(start|end)$/)],
  ['css-modern-color', value(/\b(ok)?(lch|lab)\(/i)],
  ['css-nesting', whole('css-nesting')],
  ['css-padding', property(new RegExp(`^padding${SIDES}$`))],
  ['css-padding-block-start-end', property(/^padding-block-(start|end)$/)],
  ['css-padding-inline-block', property(/^padding-(inline|block)$/)],
  ['css-padding-inline-start-end', property(/^padding-inline-(start|end)$/)],
  ['css-radial-gradient', value(/\bradial-gradient\(/i)],
  ['css-rgb', value(/\brgb\(/i)],
  ['css-rgba', value(/\brgba\(/i)],
  ['css-scroll-snap', property(/^scroll-snap(-|$)/)],
  ['css-selector-adjacent-sibling', selector(/\+/)],
  ['css-selector-attribute', selector(/\[/)],
  ['css-selector-chaining', selector(/[\w\])-][.#[]/)],
  ['css-selector-child', selector(/>/)],
  ['css-selector-class', selector(/\.[\w-]/)],
  ['css-selector-descendant', selector(/[^\s>+~,]\s+[^\s>+~,]/)],
  ['css-selector-general-sibling', selector(/~/)],
  ['css-selector-grouping', selector(/,/)],
  ['css-selector-id', selector(/#[\w-]/)],
  ['css-selector-type', selector(/(^|[\s>+~,])[a-z]/i)],
  ['css-selector-universal', selector(/\*/)],
  ['css-sytem-ui', property(/^font(-family)?$/, /\b(system-ui|ui-(sans-serif|serif|rounded|monospace))\b/i)],
  ['css-transition', property(/^transition(-|$)/)],
  ['css-unit-calc', value(/\bcalc\(/i)],
  ['css-unit-initial', value(/^initial\b/i)],
  ['css-unit-percent', value(/\d%/)],
  ['css-variables', value(/\bvar\(/i)],
  ['html-align', elements('[align]')],
  ['html-anchor-links', elements('a[href^="#"]')],
  ['html-background', elements('[background]')],
  ['html-body', whole('body')],
  ['html-button-reset', elements('button[type="reset" i]')],
  ['html-button-submit', elements('button:not([type]), button[type="submit" i]')],
  ['html-cellpadding', elements('[cellpadding]')],
  ['html-cellspacing', elements('[cellspacing]')],
  ['html-comments', whole('comments')],
  ['html-dir', elements('[dir]')],
  ['html-doctype', whole('doctype')],
  ['html-h1-h6', elements('h1, h2, h3, h4, h5, h6')],
  ['html-height', elements('[height]')],
  ['html-hidden', elements('[hidden]')],
  ['html-image-maps', elements('map, img[usemap]')],
  ['html-input-text', elements('input:not([type]), input[type="text" i]')],
  ['html-lang', elements('[lang]')],
  ['html-lists', elements('ul, ol, dl')],
  ['html-loading-attribute', elements('[loading]')],
  ['html-mailto-links', elements('a[href^="mailto:" i]')],
  ['html-meta-color-scheme', elements('meta[name="color-scheme" i], meta[name="supported-color-schemes" i]')],
  ['html-object', elements('object, embed')],
  ['html-popover', elements('[popover]')],
  ['html-required', elements('[required]')],
  ['html-role', elements('[role]')],
  ['html-semantics', elements('article, aside, details, figcaption, figure, footer, header, main, mark, nav, section, summary, time')],
  ['html-srcset', elements('[srcset], [sizes]')],
  ['html-target', elements('[target]')],
  ['html-valign', elements('[valign]')],
  ['html-width', elements('[width]')],
  ['image-apng', image('apng')],
  ['image-base64', { kind: 'image', source: /^data:image\//i }],
  ['image-heif', image('hei[cf]')],
  ['image-jpg', image('jpe?g')],
  ['image-tiff', image('tiff?')],
]);

/** Tells how a feature is found; undefined for a category that is not known here. */
export function featureTest(slug: string): FeatureTest | undefined {
  const special = SPECIAL.get(slug);
  if (special !== undefined) return special;
  const rest = slug.replace(/^[a-z]+-/, '');
  if (slug.startsWith('css-at-')) return atRule(slug.slice(7), ANY);
  if (slug.startsWith('css-pseudo-class-')) return selector(new RegExp(`(?<!:):${slug.slice(17)}(?![\\w-])`, 'i'));
  if (slug.startsWith('css-pseudo-element-')) return selector(new RegExp(`::?${slug.slice(19)}(?![\\w-])`, 'i'));
  if (slug.startsWith('css-function-')) return value(new RegExp(`(?<![\\w-])${slug.slice(13)}\\(`, 'i'));
  if (slug.startsWith('css-unit-')) return value(new RegExp(`\\d${slug.slice(9)}(?![\\w-])`, 'i'));
  if (slug.startsWith('css-')) return property(new RegExp(`^${rest}$`));
  if (slug.startsWith('html-aria-')) return elements(`[${rest}]`);
  if (slug.startsWith('html-input-')) return elements(`input[type="${slug.slice(11)}" i]`);
  if (slug.startsWith('html-')) return elements(rest);
  if (slug.startsWith('image-')) return image(rest);
  return undefined;
}

function atRule(name: string, prelude: RegExp): FeatureTest {
  return { kind: 'at-rule', name, prelude };
}

function image(ending: string): FeatureTest {
  return { kind: 'image', source: new RegExp(`\\.${ending}$`, 'i') };
}
