import { decodeWords } from './encoded-words.ts';
import type { Address } from './store.ts';

/**
 * Reads the mailboxes of a header field (RFC 5322 §3.4), as people and programs really write them.
 *
 * One pass, no backtracking, never throws. Tolerated: missing or unclosed brackets, quotes and comments, `;` as
 * separator, encoded-words with commas in them, names without an address. An encoded-word never becomes an address,
 * however it decodes (RFC 2047 §5): that would let a sender forge what the field does not say.
 */
export function parseAddressList(text: string): Address[] {
  const found: Address[] = [];
  const reader = new ListReader(text);
  for (let mailbox = reader.next(); mailbox !== undefined; mailbox = reader.next()) {
    if (mailbox.name !== '' || mailbox.address !== '') found.push(mailbox);
  }
  return found;
}

const ENCODED_WORD = /=\?[A-Za-z0-9_.:*'-]{1,64}\?[BbQq]\?[^?\r\n]*\?=/y;

const LITERAL_CHARACTERS = 64; // the longest IPv6 literal has 54

/** A run of text without white space in it; `plain` is false where quotes or encoding say that it is no address. */
interface Word {
  text: string;
  quoted: boolean;
  encoded: boolean;
}

class ListReader {
  private readonly text: string;
  private at = 0;
  private words: Word[] = [];
  private comments: string[] = [];
  private angle: string | undefined;
  private nameWords = 0; // how many words stood before the angle bracket
  private open = false; // the last word may still grow
  private hasAt = false; // one of the words holds an @
  private hasQuote = true; // false once a search for a closing mark has failed: none can succeed behind it
  private hasParen = true;
  private hasAngle = true;

  constructor(text: string) {
    this.text = text;
  }

  /** Gives the next mailbox (perhaps an empty one), or undefined at the end. */
  next(): Address | undefined {
    if (this.at >= this.text.length) return undefined;
    while (this.at < this.text.length) {
      const char = this.text[this.at]!;
      if (char === ',' || char === ';') {
        this.at++;
        return this.finish();
      }
      if (char === '<' && this.angle !== undefined) {
        // `A <a@b> B <c@d>`: a comma was forgotten, and the words since belong to the next
        const later = this.words.splice(this.nameWords);
        const mailbox = this.finish();
        this.words = later;
        return mailbox;
      }
      this.take(char);
    }
    return this.finish();
  }

  private take(char: string): void {
    if (char === '"') this.takeQuoted();
    else if (char === '(') this.takeComment();
    else if (char === '<') this.takeAngle();
    else if (char === ':' && !this.hasAt) this.startGroup();
    else if (char === '[') this.takeLiteral();
    else if (char === ' ' || char === '\t' || char === '\r' || char === '\n') {
      this.open = false;
      this.at++;
    } else if (char === '=' && this.takeEncodedWord()) return;
    else this.takeAtom();
  }

  /** Forgets the name of the group: its members stand for themselves. */
  private startGroup(): void {
    this.at++;
    this.words = [];
    this.open = false;
  }

  private takeAtom(): void {
    const from = this.at++;
    while (this.at < this.text.length && !' \t\r\n",;:<([='.includes(this.text[this.at]!)) this.at++;
    this.add(this.text.slice(from, this.at), false, false);
  }

  private takeEncodedWord(): boolean {
    ENCODED_WORD.lastIndex = this.at;
    const match = ENCODED_WORD.exec(this.text);
    if (match === null) return false;
    this.open = false;
    this.add(match[0], false, true);
    this.open = false;
    this.at += match[0].length;
    return true;
  }

  private takeQuoted(): void {
    const end = this.hasQuote ? this.closing(this.at + 1, '"') : -1;
    if (end < 0) {
      this.hasQuote = false;
      this.at++; // a stray mark: as if it were not there
      return;
    }
    this.add(withoutEscapes(this.text.slice(this.at + 1, end)), true, false);
    this.at = end + 1;
  }

  private takeComment(): void {
    const end = this.hasParen ? this.closingParen(this.at + 1) : -1;
    if (end < 0) {
      this.hasParen = false;
      this.at++;
      return;
    }
    this.comments.push(withoutEscapes(this.text.slice(this.at + 1, end)));
    this.open = false;
    this.at = end + 1;
  }

  private takeAngle(): void {
    let end = this.hasAngle ? this.text.indexOf('>', this.at) : -1;
    const quote = this.text[this.at + 1] === '"' && this.hasQuote ? this.closing(this.at + 2, '"') : -1;
    if (quote > 0 && end > 0 && end < quote) end = this.text.indexOf('>', quote); // a quoted local part with > in it
    if (end < 0) {
      this.hasAngle = false;
      const comma = this.text.slice(this.at).search(/[,;]/);
      end = comma < 0 ? this.text.length : this.at + comma;
    }
    this.angle = this.text.slice(this.at + 1, end);
    this.nameWords = this.words.length;
    this.open = false;
    this.at = this.text[end] === '>' ? end + 1 : end;
  }

  /** Keeps a domain literal whole: the colons of an IPv6 address start no group. */
  private takeLiteral(): void {
    const end = this.open ? this.text.slice(this.at, this.at + LITERAL_CHARACTERS).indexOf(']') : -1;
    const stop = this.at + Math.max(end + 1, 1);
    this.add(this.text.slice(this.at, stop), false, false);
    this.at = stop;
  }

  private add(text: string, quoted: boolean, encoded: boolean): void {
    this.hasAt ||= !quoted && !encoded && text.includes('@');
    const last = this.words[this.words.length - 1];
    if (this.open && last !== undefined) {
      // `"john doe"@example.com` keeps its quotes, since they belong to the address
      if (last.quoted && text.startsWith('@')) last.text = `"${last.text}"${text}`;
      else last.text += text;
      last.quoted = last.quoted && quoted;
    } else this.words.push({ text, quoted, encoded });
    this.open = true;
  }

  private closing(from: number, mark: string): number {
    for (let at = from; at < this.text.length; at++) {
      if (this.text[at] === '\\') at++;
      else if (this.text[at] === mark) return at;
    }
    return -1;
  }

  private closingParen(from: number): number {
    let depth = 1;
    for (let at = from; at < this.text.length; at++) {
      const char = this.text[at];
      if (char === '\\') at++;
      else if (char === '(') depth++;
      else if (char === ')' && --depth === 0) return at;
    }
    return -1;
  }

  private finish(): Address {
    const { words, comments, angle } = this;
    this.words = [];
    this.comments = [];
    this.angle = undefined;
    this.open = false;
    this.hasAt = false;
    let address = angle === undefined ? '' : bareAddress(angle);
    if (angle === undefined) {
      const place = addressPlace(words);
      if (place >= 0) address = words.splice(place, 1)[0]!.text;
    }
    const phrase = words.length > 0 ? words.map((word) => word.text).join(' ') : comments.join(' ');
    return { name: decodeWords(phrase).trim(), address: withoutControls(address) };
  }
}

/** Finds the word that is the address of a mailbox without brackets; -1 if none can be. */
function addressPlace(words: readonly Word[]): number {
  for (let place = words.length - 1; place >= 0; place--) {
    const word = words[place]!;
    if (!word.quoted && !word.encoded && word.text.includes('@')) return place;
  }
  // `From: root`: a single plain word is a local user
  const only = words.length === 1 ? words[0]! : undefined;
  return only !== undefined && !only.quoted && !only.encoded && /^[\x21-\x7e]+$/.test(only.text) ? 0 : -1;
}

/** Takes the route, white space and doubled brackets off what stood between angle brackets. */
function bareAddress(angle: string): string {
  let text = angle.replace(/^[\s<]+/, '').trimEnd();
  if (text.startsWith('@')) text = text.slice(text.indexOf(':') + 1).trimStart();
  return text.startsWith('"') ? text : text.replace(/\s+/g, '');
}

function withoutControls(address: string): string {
  return address.replace(/[\u0000-\u001f\u007f]+/g, '');
}

function withoutEscapes(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/g, '$1') : text;
}
