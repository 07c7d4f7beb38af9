/** Crosses words: `order`, `ticket` with `number`, `id`. */
export function cross(things: readonly string[], joint: string, ends: readonly string[]): string[] {
  return things.flatMap((thing) => ends.map((end) => `${thing}${joint}${end}`));
}
