import { describe, expect, it } from 'vitest';
import { parseRange, sliceStream } from '../../../src/http/native/range.ts';

describe('a Range field (RFC 9110 §14.1.2)', () => {
  it.each([
    [undefined, 10, undefined],
    ['bytes=0-0', 10, { first: 0, last: 0 }],
    ['bytes=2-5', 10, { first: 2, last: 5 }],
    ['bytes=2-', 10, { first: 2, last: 9 }],
    ['bytes=2-99', 10, { first: 2, last: 9 }],
    ['bytes=-3', 10, { first: 7, last: 9 }],
    ['bytes=-99', 10, { first: 0, last: 9 }],
    ['bytes=-0', 10, 'none'],
    ['bytes=10-', 10, 'none'],
    ['bytes=0-', 0, 'none'],
    ['bytes=-1', 0, 'none'],
    ['bytes=5-2', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=0-1,4-5', 10, undefined],
    ['lines=0-1', 10, undefined],
    ['bytes=1e1-', 10, undefined],
    [`bytes=${'9'.repeat(400)}-`, 10, undefined],
  ])('%s of %i', (field, length, range) => {
    expect(parseRange(field, length)).toEqual(range);
  });

  it('cuts the same octets out of a stream, however that comes in pieces', async () => {
    const whole = Buffer.from('0123456789');
    for (let size = 1; size <= 10; size++) {
      for (let first = 0; first < 10; first++) {
        for (let last = first; last < 10; last++) {
          const pieces: Buffer[] = [];
          for await (const piece of sliceStream(inPieces(whole, size), { first, last })) pieces.push(piece);
          expect(Buffer.concat(pieces).toString()).toBe(whole.toString().slice(first, last + 1));
        }
      }
    }
  });
});

async function* inPieces(whole: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}
