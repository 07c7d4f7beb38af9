import { PhotonImage } from '@silvia-odwyer/photon-node';
import { imageSize } from './image-size.ts';

/**
 * Makes thumbnails of pictures that a mail brought along.
 *
 * The decoder is Rust in WebAssembly: a broken picture can stop it, but not reach beyond its own memory. How much of
 * that a picture may ask for is judged by the size that it states, before it is decoded, and how long it may take by
 * the thread that this runs in.
 */

export const THUMBNAIL = Object.freeze({ width: 180, height: 120, quality: 70 });
export const IMAGE_LIMITS = Object.freeze({ bytes: 32 * 1024 * 1024, pixels: 20_000_000 });

/** Pixels of a picture, four octets each: red, green, blue, opacity. */
interface Raster {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/**
 * Makes a JPEG of 180 by 120: a larger picture fills it and is cropped, one that is smaller on a side is fitted into it;
 * what is left, or shines through, is white.
 * @returns undefined for what is no picture of a known format, or is too large
 * @throws whatever the decoder throws at a broken picture; its memory is not to be used any more then
 */
export function makeThumbnail(bytes: Buffer): Uint8Array | undefined {
  if (bytes.length > IMAGE_LIMITS.bytes) return undefined;
  const stated = imageSize(bytes);
  if (stated === undefined || stated.width * stated.height > IMAGE_LIMITS.pixels) return undefined;
  return encode(place(decode(bytes)));
}

/** A thumbnail of nothing, for what cannot be shown. */
export function blankThumbnail(): Uint8Array {
  return encode(new Uint8Array(THUMBNAIL.width * THUMBNAIL.height * 4).fill(255));
}

function decode(bytes: Buffer): Raster {
  const image = PhotonImage.new_from_byteslice(bytes);
  try {
    return { width: image.get_width(), height: image.get_height(), pixels: image.get_raw_pixels() };
  } finally {
    image.free();
  }
}

function encode(pixels: Uint8Array): Uint8Array {
  const image = new PhotonImage(pixels, THUMBNAIL.width, THUMBNAIL.height);
  try {
    return image.get_bytes_jpeg(THUMBNAIL.quality);
  } finally {
    image.free();
  }
}

/** Scales a picture and lays its middle on the middle of a white ground. Pictures are never made larger. */
function place(image: Raster): Uint8Array {
  const across = THUMBNAIL.width / image.width;
  const down = THUMBNAIL.height / image.height;
  const isSmall = across > 1 || down > 1;
  const scale = isSmall ? Math.min(across, down, 1) : Math.max(across, down);
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const left = Math.floor((THUMBNAIL.width - width) / 2);
  const top = Math.floor((THUMBNAIL.height - height) / 2);
  const ground = new Uint8Array(THUMBNAIL.width * THUMBNAIL.height * 4).fill(255);
  for (let y = Math.max(0, top); y < Math.min(THUMBNAIL.height, top + height); y++) {
    for (let x = Math.max(0, left); x < Math.min(THUMBNAIL.width, left + width); x++) {
      const from = { x: ((x - left) * image.width) / width, y: ((y - top) * image.height) / height };
      const to = { x: ((x - left + 1) * image.width) / width, y: ((y - top + 1) * image.height) / height };
      ground.set(meanOnWhite(image, from, to), (y * THUMBNAIL.width + x) * 4);
    }
  }
  return ground;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The mean colour of an area, seen on white. Every pixel of a picture is in one area only, so this is linear in it. */
function meanOnWhite({ width, height, pixels }: Raster, from: Point, to: Point): readonly [number, number, number] {
  const left = Math.floor(from.x);
  const top = Math.floor(from.y);
  const right = Math.min(width, Math.max(left + 1, Math.floor(to.x)));
  const bottom = Math.min(height, Math.max(top + 1, Math.floor(to.y)));
  let red = 0;
  let green = 0;
  let blue = 0;
  let white = 0;
  for (let y = top; y < bottom; y++) {
    for (let at = (y * width + left) * 4; at < (y * width + right) * 4; at += 4) {
      const opacity = pixels[at + 3]!;
      red += pixels[at]! * opacity;
      green += pixels[at + 1]! * opacity;
      blue += pixels[at + 2]! * opacity;
      white += 255 * (255 - opacity);
    }
  }
  const all = (right - left) * (bottom - top) * 255;
  return [(red + white) / all, (green + white) / all, (blue + white) / all];
}
