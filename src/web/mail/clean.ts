import type { DOMPurify } from 'dompurify';
import { adaptAttributes, adaptStyle } from './adapt.ts';

/**
 * Makes the HTML of a mail fit to be shown.
 *
 * This is the first of three walls. The second is the frame: sandboxed, without scripts and with an origin of its own.
 * The third is the policy that the frame's document comes with, which forbids every load. So what this lets through by
 * mistake can neither run nor ask anybody for anything.
 */
export interface Cleaned {
  /** A whole document. */
  readonly html: string;
  /** Pictures and the like on other hosts that were taken out. */
  readonly held: number;
}

export interface CleanOptions {
  /** Leave pictures of other hosts in. */
  readonly remote: boolean;
  readonly dark: boolean;
  /** Turn light colours dark. */
  readonly adapt: boolean;
  /** Content-ID to `data:` address of the parts that the mail brought along. */
  readonly parts: ReadonlyMap<string, string>;
}

/** What has no place in a mail that is read: it asks for input, plays, embeds, or speaks another language than HTML. */
const FORBIDDEN = [
  ...['form', 'input', 'button', 'textarea', 'select', 'option', 'optgroup', 'fieldset', 'datalist', 'output'],
  ...['iframe', 'frame', 'frameset', 'object', 'embed', 'applet', 'audio', 'video', 'track', 'portal', 'dialog'],
  ...['svg', 'math', 'template', 'slot', 'noscript', 'base', 'link', 'meta', 'title', 'script', 'selectedcontent'],
];

/** Deeper, elements become their text: laying out thousands of levels keeps a browser busy for minutes. */
const DEEPEST = 120;

/**
 * Asked of every attribute that could hold an address, widths and colours among them: so what has no scheme passes, and
 * those that are addresses are looked at again below.
 */
const ALLOWED_VALUE = /^(?:(?:https?|mailto|tel|cid):|data:image\/|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i;
const HREF = /^(?:https?:\/\/|mailto:|tel:)/i;
const PICTURE = /^data:image\/(?:png|gif|jpe?g|webp|bmp|avif)[;,]/i;
const REMOTE = /^(?:https?:)?\/\//i;
const CID = /^cid:/i;
/** An address in a style sheet that leads to another host; also as an image-set string. */
const STYLE_REMOTE = /(?:https?:)?\/\/[^\s"')]+/gi;
const SCHEME = /\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)/gi;
const STYLE_CID = /cid:([^\s"')]+)/gi;

/** No ground: the frame has one, and what the mail gives its body has to reach the edges. */
const BASE_STYLE = {
  light: ':root{color-scheme:light;color:#1b1d21}',
  dark: ':root{color-scheme:dark;color:#e6e6e3}a{color:#8ab4f8}',
  both:
    'body{font:15px/1.55 system-ui,sans-serif;overflow-wrap:break-word;margin:16px}' +
    'img{max-width:100%}img:not([src],[width="1"],[height="1"]){display:inline-block;min-width:1em;min-height:1em;outline:1px dashed #9996}' +
    'pre{white-space:pre-wrap}',
} as const;

/** @param purifier of a window where mails may be taken apart, see purifier.ts */
export function clean(html: string, options: CleanOptions, purifier: DOMPurify): Cleaned {
  let held = 0;
  const { parts, remote } = options;
  const pictureOf = (source: string): string | undefined => {
    if (CID.test(source)) return parts.get(contentId(source.slice(4)));
    if (PICTURE.test(source)) return source;
    if (!REMOTE.test(source)) return undefined;
    if (remote) return source.startsWith('//') ? `https:${source}` : source;
    held++;
    return undefined;
  };
  // a style sheet asks what the reader prefers; here that is what he chose for this mail, whatever his system says
  const chosen = (_: string, scheme: string): string =>
    (scheme.toLowerCase() === 'dark') === options.dark ? '(min-width:0)' : '(max-width:0)';
  const styleOf = (style: string): string => {
    const own = (options.adapt ? adaptStyle(style) : style)
      .replace(SCHEME, chosen)
      .replace(STYLE_CID, (whole, id: string) => parts.get(contentId(id)) ?? whole);
    if (!remote) held += own.match(STYLE_REMOTE)?.length ?? 0;
    return own;
  };

  purifier.removeAllHooks();
  purifier.addHook('uponSanitizeElement', (node, { tagName }) => {
    if (tagName === 'style') node.textContent = styleOf(node.textContent ?? '');
  });
  purifier.addHook('afterSanitizeAttributes', (element) => {
    for (const name of ['src', 'background', 'poster']) {
      const source = element.getAttribute(name);
      if (source === null) continue;
      const picture = pictureOf(source.trim());
      if (picture === undefined) element.removeAttribute(name);
      else element.setAttribute(name, picture);
    }
    const set = element.getAttribute('srcset');
    // a browser takes `src` where this is gone
    if (set !== null && !(remote && set.split(',').every((entry) => REMOTE.test(entry.trim())))) {
      if (!remote) held += element.hasAttribute('src') ? 0 : 1;
      element.removeAttribute('srcset');
    }
    const style = element.getAttribute('style');
    if (style !== null) element.setAttribute('style', styleOf(style));
    if (element.hasAttribute('href')) {
      if (!HREF.test(element.getAttribute('href')!.trim())) element.removeAttribute('href');
      else {
        element.setAttribute('target', '_blank');
        element.setAttribute('rel', 'noopener noreferrer nofollow');
      }
    }
  });

  const root = purifier.sanitize(html, {
    WHOLE_DOCUMENT: true,
    RETURN_DOM: true,
    USE_PROFILES: { html: true },
    FORBID_TAGS: FORBIDDEN,
    FORBID_ATTR: [
      'action',
      'formaction',
      'ping',
      'contenteditable',
      'autofocus',
      'tabindex',
      'accesskey',
      'popover',
      'popovertarget',
    ],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: true,
    ADD_ATTR: ['background'],
    ALLOWED_URI_REGEXP: ALLOWED_VALUE,
  }) as HTMLElement;
  flatten(root);
  const sheet = root.ownerDocument.createElement('style');
  sheet.textContent = (options.dark ? BASE_STYLE.dark : BASE_STYLE.light) + BASE_STYLE.both;
  if (options.adapt) sheet.textContent += adaptAttributes(root);
  const head = root.querySelector('head');
  if (head === null) root.prepend(sheet);
  else head.prepend(sheet);
  return { html: `<!doctype html>${root.outerHTML}`, held };
}

function flatten(root: Element): void {
  const waiting: { readonly element: Element; readonly depth: number }[] = [{ element: root, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { element, depth } = next;
    if (depth >= DEEPEST) element.replaceChildren(element.textContent ?? '');
    else for (const child of element.children) waiting.push({ element: child, depth: depth + 1 });
  }
}

/** Content-IDs come with and without brackets and percent signs. */
export function contentId(text: string): string {
  const bare = text.trim().replace(/^<|>$/g, '');
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare; // a lone %: then it is meant as it stands
  }
}
