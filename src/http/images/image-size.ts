/**
 * Reads how large a picture says it is, before anybody makes room for its pixels.
 *
 * Knows PNG, JPEG, GIF, WebP and BMP; of every other format the size is unknown, and what is unknown is not decoded.
 * Where a file states its size more than once, the largest counts: which one a decoder believes is not ours to know.
 */

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** Gives the size, or undefined for what is no picture of a known format. */
export function imageSize(bytes: Buffer): ImageSize | undefined {
  const size = readSize(bytes);
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
}

function readSize(bytes: Buffer): ImageSize | undefined {
  if (bytes.length < 26) return undefined;
  const magic = bytes.toString('latin1', 0, 12);
  if (magic.startsWith('\x89PNG\r\n\x1a\n')) {
    return bytes.toString('latin1', 12, 16) === 'IHDR'
      ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
      : undefined;
  }
  if (/^GIF8[79]a/.test(magic)) return gifSize(bytes);
  if (magic.startsWith('BM')) return bmpSize(bytes);
  if (/^RIFF.{4}WEBP$/s.test(magic)) return webpSize(bytes);
  if (magic.startsWith('\xff\xd8')) return jpegSize(bytes);
  return undefined;
}

function bmpSize(bytes: Buffer): ImageSize | undefined {
  const isOld = bytes.readUInt32LE(14) === 12; // BITMAPCOREHEADER has sizes of 16 bits
  if (isOld) return { width: bytes.readUInt16LE(18), height: bytes.readUInt16LE(20) };
  return { width: Math.abs(bytes.readInt32LE(18)), height: Math.abs(bytes.readInt32LE(22)) }; // negative: top-down
}

/** The screen, or the first frame if that is larger. */
function gifSize(bytes: Buffer): ImageSize {
  const screen = { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  const flags = bytes[10]!;
  let at = 13 + (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  while (bytes[at] === 0x21) {
    at += 2; // an extension: blocks of stated lengths up to an empty one
    while (at < bytes.length && bytes[at] !== 0) at += bytes[at]! + 1;
    at++;
  }
  if (bytes[at] !== 0x2c || at + 9 > bytes.length) return screen;
  return {
    width: Math.max(screen.width, bytes.readUInt16LE(at + 5)),
    height: Math.max(screen.height, bytes.readUInt16LE(at + 7)),
  };
}

/** The canvas of the extended format, and the picture of the two simple ones. */
function webpSize(bytes: Buffer): ImageSize | undefined {
  let width = 0;
  let height = 0;
  for (let at = 12; at + 18 <= bytes.length; ) {
    const kind = bytes.toString('latin1', at, at + 4);
    const body = at + 8;
    if (kind === 'VP8X') {
      width = Math.max(width, bytes.readUIntLE(body + 4, 3) + 1);
      height = Math.max(height, bytes.readUIntLE(body + 7, 3) + 1);
    } else if (kind === 'VP8L') {
      const packed = bytes.readUInt32LE(body + 1);
      width = Math.max(width, (packed & 0x3fff) + 1);
      height = Math.max(height, ((packed >>> 14) & 0x3fff) + 1);
    } else if (kind === 'VP8 ') {
      width = Math.max(width, bytes.readUInt16LE(body + 6) & 0x3fff);
      height = Math.max(height, bytes.readUInt16LE(body + 8) & 0x3fff);
    }
    const length = bytes.readUInt32LE(at + 4);
    at = body + length + (length % 2);
  }
  return { width, height };
}

/** The largest of all frame headers; segments are passed over by their stated lengths. */
function jpegSize(bytes: Buffer): ImageSize {
  let width = 0;
  let height = 0;
  for (let at = 2; at + 9 <= bytes.length; ) {
    if (bytes[at] !== 0xff) {
      at = bytes.indexOf(0xff, at); // coded data
      if (at < 0) break;
      continue;
    }
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at++;
    else if (marker === 0x00 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd9)) at += 2;
    else {
      // frame headers are SOF0 to SOF15 without DHT, JPG and DAC, which lie between them
      if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
        height = Math.max(height, bytes.readUInt16BE(at + 5));
        width = Math.max(width, bytes.readUInt16BE(at + 7));
      }
      at += 2 + bytes.readUInt16BE(at + 2);
    }
  }
  return { width, height };
}
