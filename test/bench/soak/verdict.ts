import { median } from '../statistics.ts';

/** What was seen at one moment. */
export interface Sample {
  readonly seconds: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly descriptors: number;
  readonly lagP99Ms: number;
  readonly messages: number;
}

export interface Trend {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  /** What the straight line through the samples says that an hour adds. */
  readonly perHour: number;
  /** How far off that may be, as much as the samples scatter about the line: two standard errors. */
  readonly plusMinus: number;
  readonly isFlat: boolean;
}

/** The beginning, in which caches and the store fill up, is left out. */
const WARM_UP_PART = 1 / 4;
/** A trend counts as flat while its line, over the time that was looked at, adds less than this part of the median ... */
const FLAT_PART = 0.1;
/** ... or less than what a measure moves by itself. */
const MEASURES = [
  { name: 'resident memory', unit: 'MiB', of: (sample: Sample) => sample.rssBytes / 2 ** 20, least: 16 },
  { name: 'JavaScript heap', unit: 'MiB', of: (sample: Sample) => sample.heapBytes / 2 ** 20, least: 8 },
  { name: 'file descriptors', unit: '', of: (sample: Sample) => sample.descriptors, least: 2 },
  { name: 'event-loop lag, p99 of a second', unit: 'ms', of: (sample: Sample) => sample.lagP99Ms, least: 5 },
] as const;

/** So many standard errors beyond that the growth must be: what scatters widely has a slope by chance. */
const SURE = 2;

/** Says of each measure whether it stays where it is. */
export function judge(samples: readonly Sample[]): Trend[] {
  const from = (samples.at(-1)?.seconds ?? 0) * WARM_UP_PART;
  const looked = samples.filter(({ seconds }) => seconds >= from);
  const span = (looked.at(-1)?.seconds ?? 0) - (looked[0]?.seconds ?? 0);
  return MEASURES.map(({ name, unit, of, least }) => {
    const values = looked.map(of);
    const { slope: perSecond, error } = line(
      looked.map(({ seconds }) => seconds),
      values,
    );
    const middle = median(values);
    return {
      name,
      unit,
      median: middle,
      lowest: Math.min(...values),
      highest: Math.max(...values),
      perHour: perSecond * 3600,
      plusMinus: SURE * error * 3600,
      isFlat: (perSecond - SURE * error) * span <= Math.max(least, middle * FLAT_PART),
    };
  });
}

/** Slope of the line of least squares, and its standard error. */
export function line(xs: readonly number[], ys: readonly number[]): { readonly slope: number; readonly error: number } {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(xs), mean(ys)];
  let above = 0;
  let below = 0;
  for (const [index, x] of xs.entries()) {
    above += (x - x0) * (ys[index]! - y0);
    below += (x - x0) ** 2;
  }
  if (below === 0) return { slope: 0, error: 0 };
  const slope = above / below;
  let left = 0;
  for (const [index, x] of xs.entries()) left += (ys[index]! - y0 - slope * (x - x0)) ** 2;
  return { slope, error: xs.length > 2 ? Math.sqrt(left / (xs.length - 2) / below) : 0 };
}
