/*
 * How like two mails are, found out without comparing them: of the hashes of all their lines the smallest few are
 * kept, and two mails that share most lines share most of these. Lines end at tags too, since HTML is often one line.
 */

const KEPT_HASHES = 32;
/** Shorter lines stand in all kinds of mail. */
const LEAST_CHARACTERS = 8;
const LF = 0x0a;
const TAG_END = 0x3e;

/** The smallest hashes of a mail's lines, smallest first. */
export type Sketch = readonly number[];

export function sketchOf(content: Uint8Array): Sketch {
  const smallest: number[] = [];
  let hash = FNV_BASIS;
  let characters = 0;
  for (const octet of content) {
    hash = Math.imul(hash ^ octet, FNV_PRIME);
    characters += 1;
    if (octet !== LF && octet !== TAG_END) continue;
    if (characters >= LEAST_CHARACTERS) keep(smallest, spread(hash));
    hash = FNV_BASIS;
    characters = 0;
  }
  return smallest;
}

/** From 0, nothing in common, to 1. */
export function likeness(a: Sketch, b: Sketch): number {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const difference = a[i]! - b[j]!;
    if (difference === 0) common += 1;
    if (difference <= 0) i += 1;
    if (difference >= 0) j += 1;
  }
  return common / Math.max(a.length, b.length, 1);
}

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The last steps of MurmurHash3: without them, lines that end alike have hashes that begin alike. */
function spread(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function keep(smallest: number[], hash: number): void {
  if (smallest.length === KEPT_HASHES && hash >= smallest[KEPT_HASHES - 1]!) return;
  let place = smallest.length;
  while (place > 0 && smallest[place - 1]! > hash) place -= 1;
  if (smallest[place - 1] === hash) return;
  smallest.splice(place, 0, hash);
  if (smallest.length > KEPT_HASHES) smallest.pop();
}
