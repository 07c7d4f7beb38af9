import { setImmediate } from 'node:timers/promises';
import { Parser } from 'htmlparser2';

/**
 * Takes out of the HTML of a mail what could act, and leaves what shows.
 *
 * The barrier is the policy that the reply is sent with: a sandbox without scripts that may load nothing. This is the
 * second line, and sees to what no policy covers, such as `<link rel=dns-prefetch>`. Nothing of the mail is passed through
 * as markup: the mail is cut into tags and text, what is on the lists below is written anew, quoted and escaped, and
 * everything else is left out, so that it does not matter whether browsers would have read the original the same way.
 */
export interface HtmlFilterOptions {
  /** Gives the `data:` URL of an inline picture by its Content-ID; undefined if there is none. */
  readonly picture: (contentId: string) => string | undefined;
  /** Elements within each other; a mail that goes deeper is cut off there. */
  readonly depth?: number;
  /** Read of the HTML; the rest is cut off. */
  readonly characters?: number;
}

// biome-ignore format: lists
const KEPT = new Set((
  'a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details ' +
  'dfn dir div dl dt em fieldset figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd legend li main ' +
  'mark menu nav nobr ol p pre q rp rt ruby s samp section small span strike strong style sub summary sup table tbody td ' +
  'tfoot th thead time tr tt u ul var wbr'
).split(' '));
/** Elements that go with all that is in them; of others only the tags go. */
// biome-ignore format: lists
const DROPPED = new Set((
  'script noscript template iframe frame frameset noframes object embed applet svg math title textarea select option ' +
  'audio video canvas map xmp noembed plaintext'
).split(' '));
const VOIDS = new Set(['br', 'col', 'hr', 'img', 'wbr']);
// biome-ignore format: lists
const ATTRIBUTES = new Set((
  'abbr align alt aria-hidden aria-label bgcolor border cellpadding cellspacing class clear color colspan datetime dir ' +
  'face headers height hspace id lang name noshade nowrap open reversed role rowspan scope size span start style title ' +
  'type valign value vspace width'
).split(' '));
const CHUNK = 65_536;

/** Gives a whole document; lets the event loop go on between pieces of a long one. */
export async function filterHtml(html: string, options: HtmlFilterOptions): Promise<string> {
  const writer = new Writer(options);
  const stop = Math.min(html.length, options.characters ?? 8 * 1024 * 1024);
  for (let at = 0; at < stop && !writer.isDone; at += CHUNK) {
    writer.write(html.slice(at, Math.min(at + CHUNK, stop)));
    if (at + CHUNK < stop) await setImmediate();
  }
  return `<!doctype html>\n<html><head><meta charset="utf-8"></head><body>${writer.end()}</body></html>\n`;
}

class Writer {
  isDone = false;
  readonly #out: string[] = [];
  readonly #picture: HtmlFilterOptions['picture'];
  readonly #parser: Parser;
  #depth = 0;
  /** Depth of the outermost element that is left out; 0 outside of one. */
  #droppedAt = 0;
  #inStyle = false;

  constructor({ picture, depth = 512 }: HtmlFilterOptions) {
    this.#picture = picture;
    this.#parser = new Parser({
      onopentag: (name, attributes) => {
        this.#depth++;
        // its parser looks through all open elements for each end tag
        if (this.#depth > depth) {
          this.isDone = true;
          this.#parser.pause();
        } else this.#open(name, attributes);
      },
      onclosetag: (name) => {
        this.#close(name);
        this.#depth--;
      },
      ontext: (text) => this.#text(text),
    });
  }

  write(html: string): void {
    this.#parser.write(html);
  }

  end(): string {
    if (!this.isDone) this.#parser.end();
    return this.#out.join('');
  }

  #open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.#droppedAt > 0) return;
    if (DROPPED.has(name)) this.#droppedAt = this.#depth;
    else if (name === 'body') this.#out.push(`<div${this.#attributes(name, attributes)}>`);
    else if (KEPT.has(name)) {
      this.#inStyle = name === 'style';
      this.#out.push(`<${name}${this.#attributes(name, attributes)}>`);
    }
  }

  #close(name: string): void {
    if (this.#droppedAt > 0) {
      if (this.#depth === this.#droppedAt) this.#droppedAt = 0;
      return;
    }
    this.#inStyle = false;
    if (name === 'body') this.#out.push('</div>');
    else if (KEPT.has(name) && !VOIDS.has(name)) this.#out.push(`</${name}>`);
  }

  #text(text: string): void {
    if (this.#droppedAt > 0) return;
    // no entity is read inside of style, and only its end tag ends it
    this.#out.push(this.#inStyle ? text.replaceAll('<', '\\3c ') : escapeText(text));
  }

  #attributes(element: string, attributes: Readonly<Record<string, string>>): string {
    let out = '';
    for (const [name, value] of Object.entries(attributes)) {
      if (ATTRIBUTES.has(name)) out += attribute(name, value);
      else if (name === 'href' && element === 'a') out += link(value);
      else if (name === 'src' && element === 'img') out += this.#source(value);
    }
    return out;
  }

  #source(value: string): string {
    const url = withoutBlanks(value);
    if (/^cid:/i.test(url)) {
      const picture = this.#picture(decode(url.slice(4)));
      return picture === undefined ? '' : attribute('src', picture);
    }
    if (/^data:image\/(?:png|gif|jpe?g|webp|avif|bmp)[;,]/i.test(url)) return attribute('src', url);
    return /^(?:https?:)?\/\//i.test(url) ? attribute('src', url.startsWith('//') ? `https:${url}` : url) : '';
  }
}

function link(value: string): string {
  const url = withoutBlanks(value);
  if (url.startsWith('#')) return attribute('href', url);
  if (!/^(?:https?|mailto|tel):/i.test(url)) return '';
  return `${attribute('href', url)} target="_blank" rel="noopener noreferrer"`;
}

/** Browsers pass over blanks and controls before a URL, and over line ends and tabs inside of it. */
function withoutBlanks(url: string): string {
  return url.replace(/^[\u0000-\u0020]+/, '').replace(/[\t\r\n]/g, '');
}

function attribute(name: string, value: string): string {
  return ` ${name}="${escapeText(value)}"`;
}

function escapeText(text: string): string {
  return text.replace(/[&<>"'`\u0000]/g, (char) => (char === '\u0000' ? '' : `&#${char.charCodeAt(0)};`));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // it throws only URIError: then the percent signs stand for themselves
  }
}
