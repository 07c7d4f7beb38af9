import { describe, expect, it } from 'vitest';
import { Sleep } from '../../src/wire/sleep.ts';

/** So many places; what was taken and given, by address. */
function placesFor(free: number) {
  const log: string[] = [];
  return {
    log,
    take(address: string) {
      log.push(`take ${address}`);
      return free-- > 0;
    },
    give(address: string) {
      log.push(`give ${address}`);
      free++;
    },
  };
}

describe('the place of a session among replies that are held back', () => {
  it('is taken once, and given back once', () => {
    const places = placesFor(1);
    const sleep = new Sleep(places, '192.0.2.1');
    expect([sleep.begin(), sleep.begin()]).toEqual([true, true]);
    sleep.end();
    sleep.end();
    expect(places.log).toEqual(['take 192.0.2.1', 'give 192.0.2.1']);
    expect(sleep.begin()).toBe(true);
  });

  it('is not given back when there was none to take', () => {
    const places = placesFor(0);
    const sleep = new Sleep(places, '192.0.2.1');
    expect(sleep.begin()).toBe(false);
    sleep.end();
    expect(places.log).toEqual(['take 192.0.2.1']);
  });
});
