/** A short soak: what `npm run soak` looks at for half an hour, as far as some seconds can show it. */
import { expect, it } from 'vitest';
import { soak } from '../bench/soak/soak.ts';

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
