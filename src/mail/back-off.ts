/** How long to wait between tries. */
export interface BackOff {
  /** Wait behind the first failure; it doubles with each further one. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * Gives the wait behind a failure, up to half less by chance: who failed together does not come again together.
 * @param failures how many there were, this one included
 */
export function backOffMs({ firstMs, longestMs }: BackOff, failures: number, chance: number = Math.random()): number {
  const doubled = firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30);
  return Math.round(Math.min(doubled, longestMs) * (1 - chance / 2));
}
