import { describe, expect, it } from 'vitest';
import { CALM, Chaos } from '../../src/mail/chaos.ts';

describe('chaos', () => {
  it('never strikes until it is told to', () => {
    const chaos = new Chaos(() => 0);
    expect([chaos.strike('sender'), chaos.strike('recipient'), chaos.strike('authentication')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('strikes as often as it is told to', () => {
    let chance = 0;
    const chaos = new Chaos(() => chance++);
    chaos.set({ recipient: { code: 452, probability: 30 } });
    const strikes = Array.from({ length: 100 }, () => chaos.strike('recipient')).filter(
      (verdict) => verdict !== undefined,
    );
    expect(strikes).toHaveLength(30);
    expect(strikes[0]).toMatchObject({ code: 452, enhanced: '4.3.0' });
    expect(chaos.strike('sender')).toBeUndefined();
  });

  it('strikes always at 100 and answers in the class of its code', () => {
    const chaos = new Chaos();
    chaos.set({ sender: { code: 599, probability: 100 } });
    for (let n = 0; n < 1_000; n++) expect(chaos.strike('sender')?.enhanced).toBe('5.3.0');
  });

  it('forgets what it is not told again', () => {
    const chaos = new Chaos();
    chaos.set({ sender: { code: 452, probability: 100 } });
    chaos.set({});
    expect(chaos.triggers).toEqual(CALM);
  });
});
