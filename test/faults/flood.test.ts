import { describe, expect, it } from 'vitest';
import { flood } from './flood/flood.ts';

/** A short version of `node test/faults/flood/main.ts`, whose figures are in test/bench/RESULTS.md; no timing decides here. */
describe('a flood of connections, drips and junk', () => {
  it('leaves honest clients served, and loses nothing that was acknowledged', async () => {
    const outcome = await flood({ seconds: 12, held: 1600, drips: 300, junk: 4 });
    expect(outcome.failures).toEqual([]);
    expect(outcome.milliseconds).toHaveLength(8);
    expect(outcome.lost).toEqual([]);
    // the flood was there, and was kept out
    expect(outcome.held.connections).toBeGreaterThanOrEqual(1600);
    expect(outcome.held.refused).toBeGreaterThan(0);
    expect(outcome.drips.greeted).toBeGreaterThan(0);
    // of the junk, all of one subject, what came before the ban and no more
    expect(outcome.junk.accepted).toBeGreaterThan(0);
    expect(outcome.junk.accepted).toBeLessThanOrEqual(20);
    expect(outcome.stored).toBe(outcome.milliseconds.length + outcome.junk.accepted);
  }, 120_000);
});
