import { PhotonImage } from '@silvia-odwyer/photon-node';
import { afterEach, describe, expect, it } from 'vitest';
import { imageSize } from '../../../src/http/images/image-size.ts';
import { blankThumbnail, IMAGE_LIMITS, makeThumbnail } from '../../../src/http/images/thumbnail.ts';
import { Thumbnailer } from '../../../src/http/images/thumbnailer.ts';
import type { Report } from '../../../src/mail/report.ts';
import { bomb, GIF, png, WEBP } from './pictures.ts';

type Colour = readonly [number, number, number];
const WHITE: Colour = [255, 255, 255];
const RED: Colour = [255, 0, 0];

/** Reads a JPEG back; gives the colour at a place. */
function look(jpeg: Uint8Array) {
  const image = PhotonImage.new_from_byteslice(jpeg);
  const pixels = image.get_raw_pixels();
  const at = (x: number, y: number) => [...pixels.subarray((y * 180 + x) * 4, (y * 180 + x) * 4 + 3)];
  return { width: image.get_width(), height: image.get_height(), at };
}
/** Equal as far as a JPEG keeps colours. */
function expectColour(seen: readonly number[], colour: Colour) {
  for (const [channel, value] of colour.entries()) expect(Math.abs(seen[channel]! - value)).toBeLessThan(24);
}
const thumbnail = (bytes: Buffer) => look(makeThumbnail(bytes) ?? new Uint8Array());

describe('a thumbnail', () => {
  it.each([
    ['larger', 720, 480],
    ['wide', 2_000, 200],
    ['tall', 200, 2_000],
    ['of the very size', 180, 120],
  ])('is filled by a picture that is %s', (_name, width, height) => {
    const seen = thumbnail(png(width, height, () => [255, 0, 0, 255]));
    expect([seen.width, seen.height]).toEqual([180, 120]);
    for (const [x, y] of [
      [0, 0],
      [179, 0],
      [0, 119],
      [179, 119],
      [90, 60],
    ] as const)
      expectColour(seen.at(x, y), RED);
  });

  it('shows the middle of a picture that it cannot show whole', () => {
    const seen = thumbnail(png(540, 120, (x) => (x >= 180 && x < 360 ? [255, 0, 0, 255] : [0, 0, 255, 255])));
    for (const x of [8, 90, 171]) expectColour(seen.at(x, 60), RED);
  });

  it('has a small picture in its middle, as it is, on white', () => {
    const seen = thumbnail(png(40, 40, () => [255, 0, 0, 255]));
    for (const [x, y] of [
      [90, 60],
      [78, 48],
      [102, 72],
    ] as const)
      expectColour(seen.at(x, y), RED);
    for (const [x, y] of [
      [2, 2],
      [50, 60],
      [130, 60],
      [90, 20],
    ] as const)
      expectColour(seen.at(x, y), WHITE);
  });

  it('has a picture that is small on one side whole', () => {
    const seen = thumbnail(png(360, 60, () => [255, 0, 0, 255]));
    for (const x of [4, 90, 175]) expectColour(seen.at(x, 60), RED);
    for (const y of [8, 111]) expectColour(seen.at(90, y), WHITE);
  });

  it('is white where a picture is transparent', () => {
    const seen = thumbnail(png(360, 240, (x) => (x < 180 ? [0, 0, 0, 0] : [255, 0, 0, 255])));
    expectColour(seen.at(40, 60), WHITE);
    expectColour(seen.at(140, 60), RED);
  });

  it('is made of every format whose size is known', () => {
    const picture = new PhotonImage(new Uint8Array(200 * 200 * 4).fill(255), 200, 200);
    for (const bytes of [GIF, WEBP, Buffer.from(picture.get_bytes_jpeg(80)), png(1, 1, () => [1, 2, 3, 255])]) {
      expect(thumbnail(bytes).width).toBe(180);
    }
  });

  it('is not made of what is no picture, or too large', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
      bomb(60_000, 60_000),
    ]) {
      expect(makeThumbnail(bytes)).toBeUndefined();
    }
    expect(look(blankThumbnail()).at(90, 60)).toEqual([...WHITE]);
  });
});

describe('Viewer: the size of a picture', () => {
  const be32 = (...values: number[]) =>
    Buffer.concat(values.map((value) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value])));
  const jpeg = (...frames: (readonly [number, number])[]) =>
    Buffer.concat([
      Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
      ...frames.map(([width, height]) =>
        Buffer.from([0xff, 0xc0, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 0x11, 0, 0]),
      ),
      Buffer.alloc(16),
    ]);
  const bmp = (width: number, height: number) => {
    const bytes = Buffer.alloc(54);
    bytes.write('BM');
    bytes.writeUInt32LE(40, 14);
    bytes.writeInt32LE(width, 18);
    bytes.writeInt32LE(height, 22);
    return bytes;
  };
  const webp = (width: number, height: number) => {
    const bytes = Buffer.alloc(30);
    bytes.write('RIFF');
    bytes.write('WEBPVP8X', 8);
    bytes.writeUInt32LE(10, 16);
    bytes.writeUIntLE(width - 1, 24, 3);
    bytes.writeUIntLE(height - 1, 27, 3);
    return bytes;
  };

  it.each([
    ['PNG', png(3, 5, () => [0, 0, 0, 0]), { width: 3, height: 5 }],
    ['a PNG that lies', bomb(1_000_000, 4_000_000), { width: 1_000_000, height: 4_000_000 }],
    ['GIF', GIF, { width: 1, height: 1 }],
    ['JPEG', jpeg([640, 480]), { width: 640, height: 480 }],
    ['JPEG with a second frame', jpeg([1, 1], [60_000, 50_000], [2, 2]), { width: 60_000, height: 50_000 }],
    ['BMP', bmp(7, -9), { width: 7, height: 9 }],
    ['WebP', webp(16_000_000, 2), { width: 16_000_000, height: 2 }],
    ['WebP, simple', WEBP, { width: 1, height: 1 }],
  ])('is read: %s', (_name, bytes, size) => {
    expect(imageSize(bytes)).toEqual(size);
  });

  it('is unknown for what is none', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(100),
      be32(0x89504e47, 0x0d0a1a0a),
      jpeg(),
      Buffer.from('GIF89a'),
    ]) {
      expect(imageSize(bytes)).toBeUndefined();
    }
  });

  it('is read of anything, cut anywhere', () => {
    for (const whole of [GIF, WEBP, jpeg([9, 9]), bmp(9, 9), webp(9, 9), png(9, 9, () => [0, 0, 0, 0])]) {
      for (let length = 0; length <= whole.length; length++) {
        expect(() => imageSize(whole.subarray(0, length))).not.toThrow();
        const junk = Buffer.from(whole);
        junk.fill(0xff, length);
        expect(() => imageSize(junk)).not.toThrow();
      }
    }
  });
});

describe('Viewer: the thumbnailer', () => {
  const reports: Report[] = [];
  const open: Thumbnailer[] = [];
  const start = () => {
    const one = new Thumbnailer((report) => reports.push(report));
    open.push(one);
    return one;
  };
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    expect(reports).toEqual([]);
  });

  it('makes them in a thread and keeps them', async () => {
    const one = start();
    const red = png(200, 200, () => [255, 0, 0, 255]);
    const made = await one.thumbnail('red', red);
    expectColour(look(made!).at(90, 60), RED);
    expect(await one.thumbnail('red', Buffer.alloc(0))).toBe(made);
  });

  it('gives a blank one for broken pictures and bombs, and goes on', async () => {
    const one = start();
    const whole = png(300, 300, (x, y) => [x, y, x ^ y, 255]);
    const broken = [
      whole.subarray(0, whole.length / 2),
      Buffer.concat([whole.subarray(0, 60), Buffer.alloc(500, 0xff)]),
      Buffer.concat([GIF.subarray(0, 20), Buffer.alloc(100, 7)]),
      Buffer.concat([Buffer.from('ffd8ffc0000b080040004001110000ffda', 'hex'), Buffer.alloc(1_000, 3)]),
      bomb(4_472, 4_472),
      bomb(100_000, 100_000),
      Buffer.from('not a picture'),
    ];
    const blank = await one.blank();
    for (const [index, bytes] of broken.entries()) {
      const made = await one.thumbnail(`broken ${index}`, bytes);
      expect(look(made!).width, String(index)).toBe(180);
    }
    expectColour(look(blank!).at(90, 60), WHITE);
    expectColour(
      look(
        (await one.thumbnail(
          'last',
          png(200, 200, () => [255, 0, 0, 255]),
        ))!,
      ).at(90, 60),
      RED,
    );
  });

  it('has one of a picture that is just small enough', async () => {
    const side = Math.floor(Math.sqrt(IMAGE_LIMITS.pixels));
    const made = await start().thumbnail(
      'large',
      png(side, side, () => [255, 0, 0, 255]),
    );
    expectColour(look(made!).at(90, 60), RED);
  });
});
