import { describe, expect, it } from 'vitest';
import { OPEN_LIMITS } from '../../src/guard/limits.ts';
import { type Level, Load, type Measures } from '../../src/guard/load.ts';
import type { Visit } from '../../src/mail/filter.ts';
import type { Report } from '../../src/mail/report.ts';

const CALM: Measures = { lagMs: 1, memoryBytes: 1000, places: 0.1 };
const VISIT: Visit = { session: '', protocol: 'SMTP', client: { address: '192.0.2.1', port: 1, hello: '' } };

function watch() {
  const reports: Report[] = [];
  const levels: Level[] = [];
  const load = new Load({
    limits: { ...OPEN_LIMITS, lagMs: 100, memoryBytes: 10_000, strainPercent: 80 },
    places: () => 0,
    report: (report) => reports.push(report),
    changed: (level) => levels.push(level),
  });
  const look = (part: Partial<Measures>, times = 1): void => {
    for (let i = 0; i < times; i++) load.look({ ...CALM, ...part });
  };
  const says = () => {
    const opinion = load.filter().mail!(VISIT, { path: null, params: new Map() });
    return {
      connect: load.refusal()?.verdict.code ?? 220,
      mail: (opinion as { verdict?: { code: number } })?.verdict?.code ?? 250,
    };
  };
  return { load, look, reports, levels, says };
}

describe('load', () => {
  it('that is too high has new connections and new transactions refused, by lag', () => {
    const { look, says } = watch();
    look({ lagMs: 99 });
    expect(says()).toEqual({ connect: 220, mail: 250 });
    look({ lagMs: 100 });
    expect(says()).toEqual({ connect: 421, mail: 451 });
  });

  it('and by memory, which is out of storage for mail', () => {
    const { look, says } = watch();
    look({ memoryBytes: 10_001 });
    expect(says()).toEqual({ connect: 421, mail: 452 });
  });

  it('is left only when it has been well below the limit for a while, and each change is reported once', () => {
    const { look, load, reports } = watch();
    look({ lagMs: 200 }, 5);
    look({ lagMs: 90 }, 10); // below, but not well
    expect(load.level).toBe('overloaded');
    look({ lagMs: 10 }, 3);
    look({ lagMs: 200 });
    look({ lagMs: 10 }, 3);
    expect(load.level).toBe('overloaded');
    look({ lagMs: 10 });
    expect(load.level).toBe('calm');
    expect(reports).toEqual([
      { type: 'load', level: 'overloaded', cause: 'lag', percent: 200 },
      expect.objectContaining({ type: 'load', level: 'calm' }),
    ]);
  });

  it('strains when many places are taken, and refuses nobody for that', () => {
    const { look, levels, says } = watch();
    look({ places: 0.8 });
    look({ places: 1 }, 5);
    expect(levels).toEqual(['strained']);
    expect(says()).toEqual({ connect: 220, mail: 250 });
    look({ places: 0.65 }, 10);
    expect(levels).toEqual(['strained']);
    look({ places: 0.4 }, 4);
    expect(levels).toEqual(['strained', 'calm']);
  });

  it('leaves overload for strain where places are still taken', () => {
    const { look, levels } = watch();
    look({ memoryBytes: 20_000, places: 0.9 });
    look({ memoryBytes: 1000, places: 0.9 }, 4);
    expect(levels).toEqual(['overloaded', 'strained']);
  });
});
