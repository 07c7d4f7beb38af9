import { readdirSync, readFileSync } from 'node:fs';
import { pick, randomText } from '../support/random.ts';

/** A whole number below `limit`, small ones more often. */
export function small(random: () => number, limit: number): number {
  return Math.floor(random() ** 3 * limit);
}

/** Octets that parsers stumble over. */
// biome-ignore format: a list
const TOKENS: readonly string[] = [
  '\r\n', '\n', '\r', '\r\n\r\n', '\0', '\t', ' ', '.', '\r\n.\r\n', '--', '"', '\\', '(', ')', '<', '>', '@', ',', ';', ':', '=',
  '=?utf-8?Q?', '=?utf-8?B?4pyT?=', '?=', '=?x?q?', '=\r\n', '=FF', '%00', '%', '&', '&#', '&#x110000;', '&lt', '<!--', '-->',
  '<![CDATA[', '<svg>', '<style>', '</style>', '<script>', '<a href="', 'javascript:', 'data:text/html,', 'url(', '@import', '/*',
  'http://', 'https://a.test/', 'mailto:', '123456', '123 456', 'code', 'verification code: ',
  'Content-Type: multipart/mixed; boundary="x"\r\n', 'Content-Type: message/rfc822\r\n', 'Content-Type: text/html; charset=utf-7\r\n',
  'Content-Type: text/plain; charset=x-unknown\r\n', 'Content-Transfer-Encoding: base64\r\n', 'Content-Transfer-Encoding: quoted-printable\r\n',
  'Content-Disposition: attachment; filename*0*=utf-8\'\'%', 'filename="../../x"', 'boundary=', '\r\n--x\r\n', '\r\n--x--\r\n', 'begin 644 x\r\n',
  'Subject: ', 'From: ', 'To: a:b,c;', 'Date: Thu, 31 Feb 9999 25:61:61 +9999\r\n', 'List-Unsubscribe: <', '__proto__', 'constructor',
  '\u202e', '\u200b', '\ufeff', '\ud800', '😀', 'é', '日本', '\xff\xfe', '\xc3', '\x80', '\x1b[31m', '(((((((((', '[[[[[[[[', '>>>>>>>>',
  '9999999999999999999', '-1', '0x', 'NaN', '1e999',
];

export function token(random: () => number): string {
  return pick(random, TOKENS);
}

/** Random octets, often of one kind. */
export function noise(random: () => number, most: number): Buffer {
  const bytes = Buffer.alloc(small(random, most));
  const range = pick(random, [256, 128, 4]);
  for (let at = 0; at < bytes.length; at++) bytes[at] = random() * range;
  return bytes;
}

/** Text of tokens, pieces and noise. */
export function text(random: () => number, most: number): string {
  let made = '';
  for (let count = 1 + small(random, most); count > 0; count--) {
    const kind = random();
    if (kind < 0.5) made += token(random);
    else if (kind < 0.8) made += randomText(random, 3);
    else if (kind < 0.95) made += String.fromCharCode(32 + random() * 95).repeat(1 + small(random, 20));
    else made += token(random).repeat(1 + small(random, 200));
  }
  return made;
}

/** Changes something that was well-formed, a few times over. */
export function mutate(random: () => number, whole: Buffer, others: readonly Buffer[]): Buffer {
  let bytes = whole;
  for (let count = 1 + small(random, 12); count > 0; count--) {
    const at = Math.floor(random() * (bytes.length + 1));
    const length = small(random, Math.min(bytes.length - at, 2_000) + 1);
    const [before, part, after] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)];
    switch (Math.floor(random() * 8)) {
      case 0:
        bytes = Buffer.concat([before, after]);
        break;
      case 1:
        bytes = Buffer.concat([before, part, part, after]);
        break;
      case 2:
        bytes = Buffer.concat([before, Buffer.from(token(random)), bytes.subarray(at)]);
        break;
      case 3: {
        const other = pick(random, others);
        const from = Math.floor(random() * other.length);
        bytes = Buffer.concat([before, other.subarray(from, from + small(random, 4_000)), after]);
        break;
      }
      case 4:
        bytes = Buffer.concat([before, noise(random, 64), after]);
        break;
      case 5:
        bytes = Buffer.from(bytes);
        for (let flips = small(random, 20); flips >= 0 && bytes.length > 0; flips--) {
          const place = Math.floor(random() * bytes.length);
          bytes[place] = bytes[place]! ^ (1 << Math.floor(random() * 8));
        }
        break;
      case 6:
        bytes = random() < 0.2 ? before : bytes;
        break;
      default:
        bytes = Buffer.concat([before, Buffer.from(token(random).repeat(1 + small(random, 300))), after]);
    }
    if (bytes.length > MOST_BYTES) bytes = bytes.subarray(0, MOST_BYTES);
  }
  return bytes;
}

const MOST_BYTES = 64 * 1024;
const TEST = new URL('../', import.meta.url);

/** Every mail of the tree that is not large. */
export function mails(): readonly Buffer[] {
  return readdirSync(TEST, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.eml'))
    .sort()
    .map((name) => readFileSync(new URL(name, TEST)))
    .filter(({ length }) => length <= MOST_BYTES);
}
