import { describe, expect, it } from 'vitest';
import { AgeingTable } from '../../src/guard/ageing-table.ts';
import { createRandom } from '../support/random.ts';

const WINDOW_MS = 1000;

function table(capacity = 100, counters = 1) {
  const clock = { ms: 5000 };
  return { clock, counts: new AgeingTable(capacity, counters, WINDOW_MS, () => clock.ms) };
}

describe('an ageing table', () => {
  it('counts each key and each counter by itself', () => {
    const { counts } = table(10, 2);
    expect(counts.add('a', 0)).toBe(1);
    expect(counts.add('a', 0, 5)).toBe(6);
    expect(counts.add('a', 1)).toBe(1);
    expect(counts.add('b', 0)).toBe(1);
    expect(counts.count('a', 0)).toBe(6);
    expect(counts.count('b', 1)).toBe(0);
    expect(counts.count('c', 0)).toBe(0);
  });

  it('says how much came within the last window', () => {
    const { clock, counts } = table();
    counts.add('a', 0, 10);
    clock.ms += WINDOW_MS;
    expect(counts.count('a', 0)).toBe(10); // all of it may have come just now
    clock.ms += WINDOW_MS / 2;
    expect(counts.count('a', 0)).toBe(5);
    expect(counts.add('a', 0, 1)).toBe(6);
    clock.ms += WINDOW_MS / 2;
    expect(counts.count('a', 0)).toBe(1);
  });

  it('lets a quiet key fade to nothing within two windows', () => {
    const { clock, counts } = table();
    counts.add('a', 0, 1000);
    clock.ms += 2 * WINDOW_MS;
    expect(counts.count('a', 0)).toBe(0);
    expect(counts.add('a', 0)).toBe(1);
  });

  it('forgets what it is told to', () => {
    const { counts } = table();
    counts.add('a', 0);
    counts.delete('a');
    counts.delete('a');
    expect(counts.size).toBe(0);
    expect(counts.add('a', 0)).toBe(1);
  });

  it('pushes out the key that was quiet for longest, and asking keeps no key', () => {
    const { counts } = table(3);
    for (const key of ['a', 'b', 'c']) counts.add(key, 0);
    counts.add('a', 0);
    counts.count('b', 0);
    counts.add('d', 0);
    expect(counts.size).toBe(3);
    expect(['a', 'b', 'c', 'd'].map((key) => counts.count(key, 0))).toEqual([2, 0, 1, 1]);
  });

  it('gives keys back that have faded, as others come', () => {
    const { clock, counts } = table(1000);
    for (let i = 0; i < 500; i++) counts.add(`old ${i}`, 0);
    clock.ms += 2 * WINDOW_MS;
    for (let i = 0; i < 250; i++) counts.add(`new ${i}`, 0);
    expect(counts.size).toBe(250);
  });

  it('is bounded: a million keys leave it no larger than its capacity', () => {
    const { clock, counts } = table(1000, 6);
    for (let i = 0; i < 1_000_000; i++) {
      clock.ms += 0.01;
      counts.add(`2001:db8:${i.toString(16)}::/64`, i % 6);
    }
    expect(counts.size).toBe(1000);
    expect(counts.bytes).toBeLessThanOrEqual(1001 * (6 * 16 + 16));
  });

  it('counts as a plain map would, whatever comes', () => {
    const random = createRandom(42);
    const { clock, counts } = table(10_000);
    const all: { key: string; at: number; amount: number }[] = [];
    for (let step = 0; step < 5000; step++) {
      clock.ms += random() * 20;
      const key = `key ${Math.floor(random() * 50)}`;
      const amount = 1 + Math.floor(random() * 3);
      const counted = counts.add(key, 0, amount);
      all.push({ key, at: clock.ms, amount });
      const within = (ms: number): number =>
        all.reduce((sum, one) => sum + (one.key === key && one.at > clock.ms - ms ? one.amount : 0), 0);
      // never more than came within two windows, and never less than came since the last window began
      expect(counted).toBeLessThanOrEqual(within(2 * WINDOW_MS) + 1e-9);
      expect(counted).toBeGreaterThanOrEqual(amount);
    }
  });

  it('takes no longer when it is full', () => {
    const { clock, counts } = table(100_000, 6);
    let slowest = 0;
    for (let round = 0; round < 10; round++) {
      const from = performance.now();
      for (let i = 0; i < 50_000; i++) {
        clock.ms += 0.001;
        counts.add(`${round}/${i}`, 0);
      }
      slowest = Math.max(slowest, performance.now() - from);
    }
    expect(counts.size).toBe(100_000);
    expect(slowest).toBeLessThan(5_000); // 100 microseconds each would be a walk through the table
  });
});
