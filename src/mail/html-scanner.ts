/**
 * Cuts HTML into tags and text, for what reads mails without a browser.
 *
 * Forgiving and linear in its input, whatever that is: HTML of mails is untrusted and often broken.
 */

/** Elements whose content is not for reading. */
export const UNREAD = new Set(['script', 'style', 'title', 'noscript', 'template', 'svg', 'math']);
/** Elements that begin a line of their own. */
export const BLOCKS = new Set(
  (
    'address article aside blockquote body br center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 ' +
    'h6 header hr html li main nav ol p pre section table tbody tfoot thead tr ul'
  ).split(' '),
);
/** Elements that part words from each other. */
export const CELLS = new Set(['td', 'th', 'img', 'option', 'button', 'input']);

// prettier-ignore
const LATIN_1 = // HTML names of U+00A0 to U+00FF, in order
  (
    'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro ' +
    'para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil ' +
    'Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave ' +
    'Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml ' +
    'igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute ' +
    'thorn yuml'
  ).split(' ');
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ...LATIN_1.map((name, place): [string, string] => [name, String.fromCharCode(0xa0 + place)]),
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['euro', '€'],
  ['hellip', '…'],
  ['ndash', '–'],
  ['mdash', '—'],
  ['lsquo', '‘'],
  ['rsquo', '’'],
  ['sbquo', '‚'],
  ['ldquo', '“'],
  ['rdquo', '”'],
  ['bdquo', '„'],
  ['bull', '•'],
  ['trade', '™'],
  ['zwnj', '\u200c'],
  ['zwj', '\u200d'],
  ['larr', '←'],
  ['rarr', '→'],
]);

/** Elements that never have an end tag. */
export const VOIDS = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));

/** A tag, comment or declaration. */
export interface Tag {
  /** Lower case; '' for comments and declarations. */
  readonly name: string;
  readonly closes: boolean;
  /** Where the attributes begin. */
  readonly inside: number;
  /** Where the text goes on. */
  readonly end: number;
}

/** Reads a tag, comment or declaration at `<`; undefined where the sign stands for itself. */
export function readTag(source: string, open: number): Tag | undefined {
  if (source.startsWith('<!--', open)) {
    const end = source.indexOf('-->', open + 4);
    return { name: '', closes: false, inside: open, end: end < 0 ? source.length : end + 3 };
  }
  TAG_START.lastIndex = open;
  const match = TAG_START.exec(source);
  if (match === null) return undefined;
  const inside = TAG_START.lastIndex;
  return { name: (match[2] ?? '').toLowerCase(), closes: match[1] === '/', inside, end: tagEnd(source, inside) };
}

const TAG_START = /<(\/?)(?:([A-Za-z][A-Za-z0-9:-]{0,31})|[!?])/y;

/** Finds the end of a tag; a `>` in a quoted attribute does not end it, unless the quote is never closed. */
function tagEnd(source: string, from: number): number {
  let quote = '';
  const stop = Math.min(source.length, from + TAG_CHARACTERS);
  for (let at = from; at < stop; at++) {
    const char = source[at]!;
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '>') return at + 1;
    else if ((char === '"' || char === "'") && source[at - 1] === '=') quote = char;
  }
  const plain = source.indexOf('>', from);
  return plain < 0 ? source.length : plain + 1;
}

const TAG_CHARACTERS = 65_536; // data: URLs are long

/** Passes over an element that nobody reads; one that never closes takes the rest with it. */
export function skipElement(source: string, from: number, name: string): number {
  const close = new RegExp(`</${name}(?=[\\s/>])`, 'gi');
  close.lastIndex = from;
  const match = close.exec(source);
  return match === null ? source.length : tagEnd(source, close.lastIndex);
}

/** Decodes the text between tags; white space and control characters become one space. */
export function inlineText(text: string): string {
  const spaced = text.replace(/[\u0000-\u0020\u007f\ufeff]+/g, ' ');
  if (!spaced.includes('&')) return spaced;
  return spaced.replace(/&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));?/g, decodeEntity);
}

function decodeEntity(whole: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return ENTITIES.get(name) ?? whole;
  const code = decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? '', 16);
  const shown = code >= 0x20 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return shown ? String.fromCodePoint(code) : ' ';
}

/** Gives the attributes of a tag, names in lower case, values decoded; the first of a name counts. */
export function readAttributes(source: string, tag: Tag): Map<string, string> {
  const attributes = new Map<string, string>();
  const text = source.slice(tag.inside, tag.end - 1);
  ATTRIBUTE.lastIndex = 0;
  for (let match = ATTRIBUTE.exec(text); match !== null && attributes.size < ATTRIBUTES; match = ATTRIBUTE.exec(text)) {
    const name = match[1]!.toLowerCase();
    if (!attributes.has(name)) attributes.set(name, decodeAttribute(match[2] ?? match[3] ?? match[4] ?? ''));
  }
  return attributes;
}

const ATTRIBUTES = 64; // read of one tag
const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g;

/** In attributes `&copy=1` is no entity: a name wants its semicolon there, or what cannot be of a query behind it. */
function decodeAttribute(value: string): string {
  if (!value.includes('&')) return value;
  return value.replace(
    /&(?:#(\d{1,7});?|#[xX]([0-9A-Fa-f]{1,6});?|([A-Za-z][A-Za-z0-9]{1,31})(?:;|(?![A-Za-z0-9=])))/g,
    decodeEntity,
  );
}
