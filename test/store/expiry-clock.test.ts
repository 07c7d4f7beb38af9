import { describe, expect, it } from 'vitest';
import { createExpiryClock } from '../../src/store/expiry-clock.ts';

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;

describe('the clock by which mail expires', () => {
  const make = () => {
    const at = { wall: 1_700_000_000_000, steady: 5 };
    const now = createExpiryClock(
      () => at.wall,
      () => at.steady,
    );
    const pass = (ms: number): void => {
      at.wall += ms;
      at.steady += ms;
    };
    return { at, now, pass };
  };

  it('is the wall clock, however seldom one looks at it', () => {
    const { at, now, pass } = make();
    for (const ms of [1, 1000, 90 * MINUTE, YEAR]) {
      pass(ms);
      expect(now()).toBe(at.wall);
    }
  });

  it('gives whole milliseconds, also while it goes by the steady clock', () => {
    const { at, now, pass } = make();
    pass(0.25);
    at.wall = Math.floor(at.wall) + YEAR;
    expect(Number.isInteger(now())).toBe(true);
  });

  it('goes on as before when the clock jumps ahead, and does as nothing had been once it is put right', () => {
    const { at, now, pass } = make();
    const before = now();
    at.wall += YEAR;
    pass(MINUTE);
    expect(now()).toBe(before + MINUTE);
    pass(8 * MINUTE);
    expect(now()).toBe(before + 9 * MINUTE);
    at.wall -= YEAR;
    pass(MINUTE);
    expect(now()).toBe(at.wall);
  });

  it('believes a jump that stays for ten minutes', () => {
    const { at, now, pass } = make();
    at.wall += YEAR;
    now();
    pass(11 * MINUTE);
    expect(now()).toBe(at.wall);
    pass(MINUTE);
    expect(now()).toBe(at.wall);
  });

  it('follows a clock that is set back at once: mail is kept for longer, and no more', () => {
    const { at, now, pass } = make();
    at.wall -= YEAR;
    pass(MINUTE);
    expect(now()).toBe(at.wall);
  });
});
