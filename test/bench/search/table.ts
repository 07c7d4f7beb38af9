import type { StoreStats } from '../../../src/mail/store.ts';

/** Milliseconds. */
export interface Figures {
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
}

/** Figures of every kind of list and search, all measured once. */
export type Pass = ReadonlyMap<string, Figures>;

export function figuresOf(times: readonly number[]): Figures {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => {
    const place = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
    return Math.round((sorted[place] ?? Number.NaN) * 100) / 100;
  };
  return { median: at(0.5), p95: at(0.95), p99: at(0.99) };
}

interface Measured {
  readonly starts: Figures;
  readonly passes: readonly Pass[];
  readonly stats: StoreStats;
}

/** The quietest pass of each kind, and the worst p99 of all: what other programs did to it is seen in the difference. */
export function searchTable({ starts, passes, stats }: Measured): string {
  const names = [...(passes[0]?.keys() ?? [])];
  const rows = names.map((name) => {
    const all = passes.flatMap((pass) => pass.get(name) ?? []);
    const quietest = all.toSorted((a, b) => a.p99 - b.p99)[0]!;
    const worst = Math.max(...all.map(({ p99 }) => p99));
    return `| ${name} | ${[quietest.median, quietest.p95, quietest.p99, worst].map((ms) => ms.toFixed(1)).join(' | ')} |`;
  });
  return [
    `${stats.messages.toLocaleString('en')} messages in ${stats.inboxes.toLocaleString('en')} inboxes, ` +
      `${Math.round(stats.diskBytes / stats.messages)} octets each on disk. Opening the store took ` +
      `${starts.median.toFixed(0)} ms in the median of five times.`,
    '',
    `| ms | median | p95 | p99 | p99 of the noisiest of ${passes.length} passes |`,
    '|---|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}
