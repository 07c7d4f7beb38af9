import { describe, expect, it } from 'vitest';
import { compile, END, type Row, type Table } from '../../src/wire/machine.ts';
import type { Outcome } from '../../src/wire/reply.ts';

interface Answer {
  readonly outcome: Outcome;
  readonly value: number;
}
type Rows = readonly Row<string, null, number, Answer>[];

const run = (_session: null, value: number): Answer => ({ outcome: 'ok', value });

function table(rows: Rows, states: readonly string[] = ['a', 'b'], start = 'a'): Table<string, null, number, Answer> {
  return { name: 'test', start, states: Object.fromEntries(states.map((state) => [state, {}])), rows };
}

describe('compile', () => {
  const sound: Rows = [
    { in: ['a'], on: 'GO', run, ok: 'b' },
    { in: ['b'], on: 'GO', run, ok: END },
  ];

  it('takes a table in which every state is reached and can be left', () => {
    expect(compile(table(sound)).find('a', 'GO')?.ok).toBe('b');
  });

  it('names both ends of a double row', () => {
    expect(() => compile(table([...sound, { in: ['b', 'a'], on: 'GO', run }]))).toThrow(
      'test: row 3 (b|a x GO) doubles an earlier row for state "b"',
    );
  });

  it('names the row that is in an unknown state', () => {
    expect(() => compile(table([...sound, { in: ['c'], on: 'X', run }]))).toThrow(
      'row 3 (c x X) is in unknown state "c"',
    );
  });

  it('names the row that leads to an unknown state, and by which outcome', () => {
    expect(() => compile(table([...sound, { in: ['a'], on: 'X', run, fail: 'nowhere' }]))).toThrow(
      'row 3 (a x X) leads to unknown state "nowhere" when fail',
    );
  });

  it('names the state that cannot be left', () => {
    expect(() =>
      compile(
        table([
          { in: ['a'], on: 'GO', run, ok: 'b' },
          { in: ['b'], on: 'GO', run, ok: 'b' },
        ]),
      ),
    ).toThrow('state "b" cannot be left');
  });

  it('names the state that nothing leads to', () => {
    expect(() =>
      compile(
        table([
          { in: ['a'], on: 'GO', run, ok: END },
          { in: ['b'], on: 'GO', run, ok: 'a' },
        ]),
      ),
    ).toThrow('state "b" cannot be reached from "a"');
  });

  it('names a start that is missing', () => {
    expect(() => compile(table(sound, ['a', 'b'], 'zero'))).toThrow('start state "zero" is not among the states');
  });

  it('names the row that belongs to no state', () => {
    expect(() => compile(table([...sound, { in: [], on: 'X', run }]))).toThrow('row 3 ( x X) belongs to no state');
  });
});

describe('step', () => {
  const machine = compile<string, null, number, Answer>(
    table([
      { in: ['a'], on: 'GO', run: (_, value) => ({ outcome: value < 0 ? 'fail' : 'ok', value }), ok: 'b' },
      { in: ['a'], on: 'LATER', run: async (_, value) => ({ outcome: 'ok', value }), ok: 'b' },
      { in: ['a'], on: 'BYE', run: (_, value) => ({ outcome: 'bye', value }) },
      { in: ['b'], on: 'STOP', run, ok: END },
    ]),
  );

  it('stays where no next state is named for the outcome', () => {
    expect(machine.step('a', 'GO', null, -1)).toEqual({ answer: { outcome: 'fail', value: -1 }, next: 'a' });
  });

  it('answers at once for a handler that does, and later for one that waits', async () => {
    expect(machine.step('a', 'GO', null, 1)).toEqual({ answer: { outcome: 'ok', value: 1 }, next: 'b' });
    await expect(machine.step('a', 'LATER', null, 2)).resolves.toEqual({
      answer: { outcome: 'ok', value: 2 },
      next: 'b',
    });
  });

  it('ends on bye whatever the row says', () => {
    expect(machine.step('a', 'BYE', null, 0)).toMatchObject({ next: END });
  });

  it('knows an event that another state has', () => {
    expect(machine.step('b', 'GO', null, 0)).toBeUndefined();
    expect(machine.knows('GO')).toBe(true);
    expect(machine.knows('connect')).toBe(false);
  });
});

/**
 * The machine with another cargo: numbers. In `ones`, `tens` and `twenties` a value v becomes |31 sin v|; the range of
 * the new value is the next event; a value beyond every range ends the run.
 */
describe('a numeric machine', () => {
  type Range = 'ones' | 'tens' | 'twenties';
  const turn =
    (visited: Range[], here: Range) =>
    (value: number): Answer => {
      visited.push(here);
      return { outcome: 'ok', value: Math.abs(Math.sin(value) * 31) };
    };
  const range = (value: number): Range | 'beyond' =>
    value < 10 ? 'ones' : value < 20 ? 'tens' : value < 30 ? 'twenties' : 'beyond';

  const every: readonly Range[] = ['ones', 'tens', 'twenties'];
  const machine = compile<Range, Range[], number, Answer>({
    name: 'numbers',
    start: 'ones',
    states: { ones: {}, tens: {}, twenties: {} },
    rows: [
      { in: every, on: 'ones', run: (visited, value) => turn(visited, 'ones')(value), ok: 'ones' },
      { in: every, on: 'tens', run: (visited, value) => turn(visited, 'tens')(value), ok: 'tens' },
      { in: every, on: 'twenties', run: (visited, value) => turn(visited, 'twenties')(value), ok: 'twenties' },
      { in: every, on: 'beyond', run: (_, value) => ({ outcome: 'ok', value }), ok: END },
    ],
  });

  it('runs through all its states and ends out of range', () => {
    const visited: Range[] = [];
    let state: Range | typeof END = 'ones';
    let value = 1;
    for (let steps = 0; state !== END; steps++) {
      expect(steps).toBeLessThan(10_000);
      const step = machine.step(state, range(value), visited, value);
      if (!step || step instanceof Promise) throw new Error('a number has a row and is turned at once');
      state = step.next;
      value = step.answer.value;
    }
    expect(value).toBeGreaterThanOrEqual(30);
    expect(new Set(visited)).toEqual(new Set(every));
    expect(visited.slice(0, 2)).toEqual(['ones', 'twenties']); // |31 sin 1| is 26.1
  });
});
