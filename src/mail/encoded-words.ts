import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';

/**
 * Decodes what mails put into header fields for people: RFC 2047 encoded-words and raw bytes beyond ASCII.
 *
 * Own code and not libmime, because it runs for every message that is stored: it is linear, never throws, and its
 * charsets are those of the platform's TextDecoder, with UTF-7 (which old Outlook wrote) beside them.
 */

// The payload may hold spaces and raw 8-bit letters: both are forbidden, and both are common.
const WORD = /=\?([A-Za-z0-9_.:*'-]{1,64})\?([BbQq])\?([^?\r\n]*)\?=/g;
const CONTROLS = /[\u0000-\u001f\u007f]+/g;

// Labels in use that the encoding standard does not list.
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['cp932', 'shift_jis'],
  ['ms932', 'shift_jis'],
  ['cp936', 'gbk'],
  ['ms936', 'gbk'],
  ['cp949', 'euc-kr'],
  ['cp950', 'big5'],
  ['ansi', 'windows-1252'],
  ['latin-1', 'iso-8859-1'],
  ['utf8mb4', 'utf-8'],
]);

const KEPT_DECODERS = 64;
const decoders = new Map<string, TextDecoder | null>();

/** Finds the decoder of a charset label; null for one that nobody knows. */
function decoderFor(label: string): TextDecoder | null {
  const known = decoders.get(label);
  if (known !== undefined) return known;
  let made: TextDecoder | null = null;
  try {
    made = new TextDecoder(ALIASES.get(label) ?? label);
  } catch {
    made = null; // RangeError is TextDecoder's way of saying that it does not know the label
  }
  if (decoders.size >= KEPT_DECODERS) decoders.clear(); // labels come from clients: their number must not grow
  decoders.set(label, made);
  return made;
}

/** Decodes UTF-7 (RFC 2152); a broken shift sequence stays as it was written. */
function decodeUtf7(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/\+([A-Za-z0-9+/]*)-?/g, (whole, shifted: string) => {
    if (shifted === '') return whole === '+-' ? '+' : whole;
    const units = Buffer.from(shifted, 'base64');
    const even = units.subarray(0, units.length & ~1);
    return even.length === 0 ? whole : Buffer.from(even).swap16().toString('utf16le');
  });
}

/**
 * Decodes bytes of a named charset; what does not fit the charset becomes U+FFFD.
 * @returns undefined if the charset is unknown
 */
export function decodeCharset(bytes: Buffer, charset: string): string | undefined {
  const label = charset.trim().toLowerCase();
  if (label === 'utf-8' || label === 'utf8') return bytes.toString('utf8');
  if (label === 'utf-7' || label === 'unicode-1-1-utf-7') return decodeUtf7(bytes);
  return decoderFor(label)?.decode(bytes);
}

/** Decodes bytes that name no charset: UTF-8 if they are that, else ISO 8859-1. */
export function decodeUnlabelled(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
}

function decodeQ(payload: string, charset: string): Buffer {
  const spaced = payload.replaceAll('_', ' ');
  const raw = Buffer.from(spaced, charset.startsWith('utf') ? 'utf8' : 'latin1');
  if (!spaced.includes('=')) return raw;
  const out = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at]!;
    const value = byte === 0x3d ? hexPair(raw[at + 1], raw[at + 2]) : -1;
    if (value >= 0) at += 2;
    out[length++] = value >= 0 ? value : byte;
  }
  return out.subarray(0, length);
}

function hexPair(high: number | undefined, low: number | undefined): number {
  const first = hexDigit(high);
  const second = hexDigit(low);
  return first < 0 || second < 0 ? -1 : first * 16 + second;
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Neighbouring words of one charset; their bytes are joined first, since senders cut characters in two. */
interface Run {
  charset: string;
  bytes: Buffer[];
  source: string;
}

function endRun(run: Run | null): string {
  if (run === null) return '';
  const bytes = run.bytes.length === 1 ? run.bytes[0]! : Buffer.concat(run.bytes);
  return decodeCharset(bytes, run.charset) ?? run.source;
}

/**
 * Decodes the encoded-words of an unfolded field (RFC 2047); broken ones and unknown charsets stay as written.
 * White space between two encoded-words is dropped (§6.2); control characters become a space.
 */
export function decodeWords(text: string): string {
  if (!text.includes('=?')) return clean(text);
  let out = '';
  let end = 0;
  let run: Run | null = null;
  for (const match of text.matchAll(WORD)) {
    const [word, label = '', encoding = '', payload = ''] = match;
    const charset = label.split('*', 1)[0]!.toLowerCase(); // RFC 2231 §5: a language may follow
    const gap = text.slice(end, match.index);
    const joined: boolean = run !== null && gap.trim() === '';
    const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(payload, 'base64') : decodeQ(payload, charset);
    if (joined && run!.charset === charset) {
      run!.bytes.push(bytes);
      run!.source += gap + word;
    } else {
      out += endRun(run) + (joined ? '' : gap);
      run = { charset, bytes: [bytes], source: word };
    }
    end = match.index + word.length;
  }
  return clean(out + endRun(run) + text.slice(end));
}

/** Turns control characters into spaces, so that no field can break a line where it is shown. */
function clean(text: string): string {
  return text.replace(CONTROLS, ' ');
}
