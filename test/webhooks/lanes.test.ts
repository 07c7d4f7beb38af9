import { describe, expect, it } from 'vitest';
import { Lanes } from '../../src/webhooks/lanes.ts';
import { createRandom } from '../support/random.ts';

interface Item {
  readonly name: string;
  readonly inboxes: readonly string[];
}

const item = (name: string, ...inboxes: string[]): Item => ({ name, inboxes });
const ready = (lanes: Lanes<Item>): string[] => [...lanes.ready].map(({ name }) => name);

describe('lanes', () => {
  it('let one of each inbox go, and the next when that has gone', () => {
    const lanes = new Lanes<Item>();
    const [first, second, other] = [item('first', 'a'), item('second', 'a'), item('other', 'b')];
    for (const one of [first, second, other]) lanes.add(one);
    expect(ready(lanes)).toEqual(['first', 'other']);
    lanes.remove(first);
    expect(ready(lanes)).toEqual(['other', 'second']);
    lanes.remove(second);
    lanes.remove(other);
    expect(ready(lanes)).toEqual([]);
  });

  it('hold what lies in several inboxes back until it is the first in all', () => {
    const lanes = new Lanes<Item>();
    const [a, b, both, late] = [item('a', 'a'), item('b', 'b'), item('both', 'a', 'b'), item('late', 'b')];
    for (const one of [a, b, both, late]) lanes.add(one);
    lanes.remove(b);
    expect(ready(lanes)).toEqual(['a']);
    lanes.remove(a);
    expect(ready(lanes)).toEqual(['both']);
    lanes.remove(both);
    expect(ready(lanes)).toEqual(['late']);
  });

  it('let those behind go when one in the middle is taken out', () => {
    const lanes = new Lanes<Item>();
    const [a, middle, last] = [item('a', 'a'), item('middle', 'a', 'b'), item('last', 'b')];
    for (const one of [a, middle, last]) lanes.add(one);
    lanes.remove(middle);
    expect(ready(lanes)).toEqual(['a', 'last']);
  });

  it('let all go in the order of each inbox, whatever ends first', () => {
    const chance = createRandom(7);
    const lanes = new Lanes<Item>();
    const items = Array.from({ length: 500 }, (_, n) => {
      const inboxes = new Set(
        Array.from({ length: 1 + Math.floor(chance() * 3) }, () => `i${Math.floor(chance() * 9)}`),
      );
      return item(String(n), ...inboxes);
    });
    for (const one of items) lanes.add(one);
    const gone = new Map<string, number>();
    for (let count = 0; count < items.length; count++) {
      const can = [...lanes.ready];
      const one = can[Math.floor(chance() * can.length)]!;
      for (const inbox of one.inboxes) {
        expect(Number(one.name)).toBeGreaterThan(gone.get(inbox) ?? -1);
        gone.set(inbox, Number(one.name));
      }
      lanes.remove(one);
    }
    expect(ready(lanes)).toEqual([]);
  });
});
