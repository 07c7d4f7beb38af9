/** A short soak: what `npm run soak` looks at for half an hour, as far as some seconds can show it. */
import { describe, expect, it } from 'vitest';
import { soak } from '../bench/soak/soak.ts';
import { judge, type Sample } from '../bench/soak/verdict.ts';
import { createRandom } from '../support/random.ts';

it('under load with readers nothing is refused, lost or left open', { timeout: 300_000 }, async () => {
  const { sent, accepted, reads, descriptors, complaints, samples } = await soak({
    seconds: 12,
    sampleSeconds: 1,
    calibrateSeconds: 2,
  });
  expect(sent.messages).toBeGreaterThan(0);
  expect(sent.refusals).toEqual([]);
  expect(accepted).toBe(sent.messages);
  expect(reads.requests).toBeGreaterThan(0);
  expect(reads.events).toBeGreaterThan(0);
  expect(reads.troubles).toEqual([]);
  expect(complaints).toEqual([]);
  expect(descriptors.after).toBeLessThanOrEqual(descriptors.before);
  expect(samples.at(-1)!.messages).toBeGreaterThan(0);
});

describe('the verdict on memory', () => {
  const MIB = 2 ** 20;
  /** Half an hour, a sample every five seconds. */
  const verdict = (rssMebibytes: (seconds: number) => number): boolean => {
    const samples = Array.from({ length: 360 }, (_, n): Sample => {
      const rssBytes = rssMebibytes(n * 5) * MIB;
      return { seconds: n * 5, rssBytes, heapBytes: 0, descriptors: 0, lagP99Ms: 0, messages: 0 };
    });
    return judge(samples)[0]!.isFlat;
  };
  const random = createRandom(7);
  const scatter = (mebibytes: number): number => (random() - 0.5) * 2 * mebibytes;

  it.each([
    ['flat: the same all the time', true, () => 500],
    ['flat: it fills up during the first quarter', true, (seconds: number) => 300 + Math.min(seconds, 450) / 2],
    ['flat: it scatters', true, () => 500 + scatter(200)],
    ['flat: it falls', true, (seconds: number) => 500 - seconds / 10],
    ['growth: a sixth in the time that counts', false, (seconds: number) => 500 + seconds / 15],
    ['growth: the same under what scatters', false, (seconds: number) => 500 + seconds / 10 + scatter(100)],
  ])('is %s', (_what, isFlat, rss) => {
    expect(verdict(rss)).toBe(isFlat);
  });
});
