/** Something that is measured of inboxd by itself, with a section of its own in RESULTS.md. */
export interface Measure {
  /** As `--only` takes it. */
  readonly name: string;
  readonly title: string;
  /** @param isShort as little of it as shows that it works */
  run(isShort: boolean): Promise<string>;
}

/** A table in Markdown, numbers to the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|---|${'---:|'.repeat(head.length - 1)}`, ...rows.map(line)].join('\n');
}

/** The value below which this share of the others lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Median, 99th percentile and greatest of times, in milliseconds, as cells. */
export function timeCells(times: readonly number[]): string[] {
  return [quantile(times, 0.5), quantile(times, 0.99), quantile(times, 1)].map((ms) => ms.toFixed(1));
}
