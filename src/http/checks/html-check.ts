import { compile } from 'css-select';
import { DomUtils, parseDocument } from 'htmlparser2';
import { clientsByPlatform, FEATURES, type Feature, featureUrl, notesByNumber, supportResults } from './caniemail.ts';
import { type Declaration, type Stylesheet, scanDeclarations, scanStylesheet } from './css-scanner.ts';
import { type FeatureTest, featureTest } from './feature-tests.ts';
import { type Element, isComment, isDoctype, isElement, type Node, nodesOf } from './html-nodes.ts';
import { inlineMarkdown } from './markdown.ts';

/**
 * Tells what of an HTML mail some mail programs will not show as it is meant.
 *
 * Style sheets are applied to the elements that they match, so that a property counts as often as it is used. Nothing
 * is fetched: linked style sheets are not looked at. The rules and patterns of a mail are its sender's, and matching
 * them can be made slow, so this runs in a thread that is stopped when it takes too long.
 */

/** Answer of the check, in Mailpit's names. */
export interface HtmlCheck {
  readonly Warnings: readonly Warning[];
  readonly Platforms: Readonly<Record<string, readonly string[]>>;
  readonly Total: {
    readonly Tests: number;
    readonly Nodes: number;
    readonly Supported: number;
    readonly Partial: number;
    readonly Unsupported: number;
  };
}

export interface Warning {
  readonly Slug: string;
  readonly Title: string;
  readonly Description: string;
  readonly URL: string;
  readonly Category: string;
  readonly Tags: readonly string[];
  readonly Keywords: string;
  readonly Results: ReturnType<typeof supportResults>;
  readonly NotesByNumber: Readonly<Record<string, string>>;
  readonly Score: {
    readonly Found: number;
    readonly Supported: number;
    readonly Partial: number;
    readonly Unsupported: number;
  };
}

/** What is read of a mail; the rest of a longer one is passed over. */
export const HTML_CHECK_LIMITS = Object.freeze({ characters: 2_097_152, rules: 2_000 });

/** Checks the HTML of a mail. */
export function checkHtml(html: string): HtmlCheck {
  const mail = readMail(html.slice(0, HTML_CHECK_LIMITS.characters));
  const warnings: Warning[] = [];
  let tests = 1;
  const scripts = count(mail.elements, fitting(SCRIPTS));
  if (scripts > 0) warnings.push(scriptWarning(scripts));
  for (const feature of FEATURES.values()) {
    const test = featureTest(feature.slug);
    if (test === undefined) continue;
    tests++;
    const found = countIn(mail, test);
    const warning = found > 0 ? warn(feature, found) : undefined;
    // what everybody shows is nothing to warn of
    if (warning !== undefined && warning.Score.Supported < 100) warnings.push(warning);
  }
  const weight = (warning: Warning, percent: number): number => (percent * warning.Score.Found) / mail.size;
  const worst = (percent: (warning: Warning) => number): number =>
    Math.max(0, ...warnings.map((warning) => weight(warning, percent(warning))));
  const partial = worst((warning) => warning.Score.Partial);
  const unsupported = worst((warning) => warning.Score.Unsupported);
  const rank = (warning: Warning): number => weight(warning, warning.Score.Unsupported + warning.Score.Partial);
  return {
    Warnings: warnings.sort((one, other) => rank(other) - rank(one)),
    Platforms: clientsByPlatform(),
    Total: {
      Tests: tests,
      Nodes: mail.size,
      Supported: Math.max(0, 100 - partial - unsupported),
      Partial: partial,
      Unsupported: unsupported,
    },
  };
}

/** Scripts that would run; data in a script element does not. */
const SCRIPTS = 'script:not([type="application/ld+json"]):not([type="application/json"])';

interface Mail {
  readonly nodes: readonly Node[];
  readonly elements: readonly Element[];
  /** How many elements count; never 0, since figures are divided by it. */
  readonly size: number;
  readonly hasBody: boolean;
  readonly sheet: Stylesheet;
  /** Declarations that each element gets: its own, and those of rules that match it always. */
  readonly styles: ReadonlyMap<Element, readonly Declaration[]>;
  /** Selectors of all rules, strings and what stands in brackets emptied. */
  readonly selectors: readonly string[];
  readonly images: readonly string[];
}

/** Elements that are not counted where the mail is a whole document. */
const FRAME = new Set(['html', 'head', 'meta']);

function readMail(html: string): Mail {
  const nodes = nodesOf(parseDocument(html));
  const elements = nodes.filter(isElement);
  const named = (name: string): Element[] => elements.filter((element) => element.name === name);
  const sheet = scanStylesheet(named('style').map(DomUtils.textContent).join('\n'));
  return {
    nodes,
    elements,
    size: Math.max(
      1,
      count(elements, ({ name }) => !FRAME.has(name)),
    ),
    hasBody: /<\/body>/i.test(html),
    sheet,
    styles: applyStyles(elements, sheet),
    selectors: sheet.rules.map(({ selector }) => bareSelector(selector)),
    images: named('img').map(({ attribs }) => plainSource(attribs.src ?? '')),
  };
}

/** An address without query and fragment, so that it ends as its file does. */
function plainSource(source: string): string {
  return /^\s*data:/i.test(source) ? source.trim() : source.replace(/[?#].*$/s, '').trim();
}

function applyStyles(elements: readonly Element[], sheet: Stylesheet): ReadonlyMap<Element, readonly Declaration[]> {
  const styles = new Map<Element, Declaration[]>();
  for (const element of elements) {
    const { style } = element.attribs;
    if (style !== undefined) styles.set(element, scanDeclarations(style));
  }
  for (const rule of sheet.rules.slice(0, HTML_CHECK_LIMITS.rules)) {
    if (rule.isConditional) continue;
    const applies = applying(rule.selector);
    for (const element of elements) {
      if (!applies(element)) continue;
      const known = styles.get(element);
      if (known === undefined) styles.set(element, [...rule.declarations]);
      else known.push(...rule.declarations);
    }
  }
  return styles;
}

/** Pseudo-elements, and classes that depend on what the reader does: their style applies at times, so it is used. */
const MOMENTARY =
  /::[\w-]+(\([^)]*\))?|:(before|after|first-letter|first-line|hover|active|focus(-within|-visible)?|visited|link|target|checked|default|placeholder-shown)(?![\w-])/gi;

/** Tells which elements a rule applies to. */
function applying(selector: string): (element: Element) => boolean {
  // `a:hover` applies to `a` and `:hover` to everything, but not to nothing
  const lasting = selector.replace(MOMENTARY, '').replace(/(^|[\s>+~,])(?=\s*(,|$))/g, '$1*');
  try {
    return fitting(lasting);
  } catch {
    return () => false; // css-select throws at a selector that it cannot read, and such a rule applies to nothing
  }
}

function fitting(selector: string): (element: Element) => boolean {
  return compile<Node, Element>(selector);
}

/** Leaves of a selector its structure. */
function bareSelector(selector: string): string {
  return selector
    .replace(/\[[^\]]*\]?/g, '[]')
    .replace(/\([^)]*\)?/g, '()')
    .trim();
}

function countIn(mail: Mail, test: FeatureTest): number {
  switch (test.kind) {
    case 'elements':
      return count(mail.elements, fitting(test.selector));
    case 'style':
      return count(mail.styles.values(), (style) =>
        style.some(({ property, value }) => test.property.test(property) && test.value.test(value)),
      );
    case 'at-rule':
      return count(mail.sheet.atRules, ({ name, prelude }) => name === test.name && test.prelude.test(prelude));
    case 'selector':
      return count(mail.selectors, (selector) => test.pattern.test(selector));
    case 'image':
      return count(mail.images, (source) => test.source.test(source));
    case 'document':
      return countInDocument(mail, test.what);
  }
}

function countInDocument(mail: Mail, what: (FeatureTest & { kind: 'document' })['what']): number {
  switch (what) {
    case 'body':
      return mail.hasBody ? 1 : 0;
    case 'doctype':
      return count(mail.nodes, isDoctype);
    case 'comments':
      return count(mail.nodes, isComment);
    case 'css-comments':
      return mail.sheet.comments;
    case 'css-nesting':
      return count(mail.sheet.rules, ({ isNested }) => isNested);
  }
}

function count<T>(all: Iterable<T>, fits: (one: T) => boolean): number {
  let fitting = 0;
  for (const one of all) if (fits(one)) fitting++;
  return fitting;
}

function warn(feature: Feature, found: number): Warning | undefined {
  const results = supportResults(feature);
  if (results.length === 0) return undefined;
  const percent = (support: string): number =>
    (results.filter((result) => result.Support === support).length / results.length) * 100;
  return {
    Slug: feature.slug,
    Title: feature.title,
    Description: inlineMarkdown(feature.description),
    URL: featureUrl(feature.slug),
    Category: feature.category === 'css' ? 'css' : 'html', // image formats come with HTML
    Tags: feature.tags ?? [],
    Keywords: '',
    Results: results,
    NotesByNumber: notesByNumber(feature),
    Score: {
      Found: found,
      Supported: percent('yes'),
      Partial: percent('partial'),
      Unsupported: percent('no'),
    },
  };
}

function scriptWarning(found: number): Warning {
  return {
    Slug: 'html-script',
    Title: '<script> element',
    Description: 'No mail program runs scripts.',
    URL: '',
    Category: 'html',
    Tags: [],
    Keywords: '',
    Results: [],
    NotesByNumber: {},
    Score: { Found: found, Supported: 0, Partial: 0, Unsupported: 100 },
  };
}
