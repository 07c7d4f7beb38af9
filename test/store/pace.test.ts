import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/store/sqlite/pace.ts';

/** A pace of work for a store that messages come to by `arrive`, and wait at while `isBehind`. */
function paced() {
  let arrived = 0;
  const store = { isBehind: false };
  const pace = new Pace({ count: () => arrived, areWaiting: () => store.isBehind });
  return { pace, store, arrive: () => void arrived++ };
}

describe('the pace of work in the background', () => {
  it('is busy after a pause in which mail came, so that the first step is a short one too', async () => {
    const { pace, arrive } = paced();
    expect(pace.isBusy).toBe(false);
    const watched = pace.watch(20);
    arrive();
    await watched;
    expect(pace.isBusy).toBe(true);
  });

  it('is not after one in which none came, whatever was before', async () => {
    const { pace, arrive } = paced();
    arrive();
    await pace.watch(1);
    expect(pace.isBusy).toBe(false);
    await pace.step(async () => {
      arrive();
      return false;
    });
    expect(pace.isBusy).toBe(true);
    await pace.watch(1);
    expect(pace.isBusy).toBe(false);
  });

  it('stays busy over a step that mail may have waited for, until a pause brings none', async () => {
    const { pace, arrive } = paced();
    await pace.step(async () => {
      arrive();
      return false;
    });
    await pace.step(async () => false);
    expect(pace.isBusy).toBe(true);
    await pace.step(async () => true);
    expect(pace.isBusy).toBe(false);
  });

  it('is busy while mail waits, though none has come to rest', async () => {
    const { pace, store } = paced();
    store.isBehind = true;
    await pace.watch(1);
    expect(pace.isBusy).toBe(true);
    store.isBehind = false;
    await pace.watch(1);
    expect(pace.isBusy).toBe(false);
  });

  it('rests behind a step during which mail came, until none comes', async () => {
    const { pace, arrive } = paced();
    const from = performance.now();
    const isMore = await pace.step(async () => {
      arrive();
      await new Promise((resolve) => setTimeout(resolve, 10));
      return true;
    });
    expect(isMore).toBe(true);
    expect(pace.isBusy).toBe(false);
    expect(performance.now() - from).toBeGreaterThan(50);
  });

  it('rests no more once it is ended', async () => {
    const { pace } = paced();
    const pause = pace.pause(60_000);
    pace.end();
    await pause;
    await pace.pause(60_000);
  });
});
