/** A small seeded generator (mulberry32), so that a failing case can be run again. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<T>(random: () => number, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)]!;
}

const PIECES = [
  ...'<>@.:,;"\\[]()+=- \t\r\n\0\x7f'.split(''),
  ...['a', 'b.c', '_', 'é', '日本', '\u200b', '\u0085', '😀', '\ud800', '%', "'", '::', 'IPv6:', '192.0.2.1'],
  ...['FROM:', 'to:', 'SIZE=1', 'BODY=8BITMIME', 'ORCPT=utf-8;\\x{221E}', 'x+0D', 'LAST', 'postmaster', 'xn--'],
];

/** A text of pieces that parsers care about, in any order. */
export function randomText(random: () => number, pieces: number): string {
  let text = '';
  for (let count = Math.floor(random() * pieces); count >= 0; count--) text += pick(random, PIECES);
  return text;
}
