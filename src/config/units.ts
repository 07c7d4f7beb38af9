const BYTE_UNITS: Readonly<Record<string, number>> = Object.freeze({
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
});
const PRINTED_BYTE_UNITS = ['TiB', 'GiB', 'MiB', 'KiB', 'TB', 'GB', 'MB', 'kB'] as const;

const DURATION_UNITS: Readonly<Record<string, number>> = Object.freeze({
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
  d: 86400e3,
});
const PRINTED_DURATION_UNITS = ['d', 'h', 'm', 's', 'ms'] as const;

/**
 * Reads a size: a whole number of bytes, or a number with a unit (`10MB` is 10^7, `1GiB` is 2^30; case does not matter).
 * @returns bytes, or undefined if the text is no size or not a whole number of bytes
 */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?([a-z]{1,3})?$/i.exec(text);
  if (!match) return undefined;
  const unit = BYTE_UNITS[(match[2] ?? 'b').toLowerCase()];
  return unit === undefined ? undefined : whole(Number(match[1]) * unit);
}

/** Writes a size in the largest unit that leaves a whole number, so that `parseBytes` gives it back exactly. */
export function formatBytes(bytes: number): string {
  for (const unit of PRINTED_BYTE_UNITS) {
    const size = BYTE_UNITS[unit.toLowerCase()]!;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

/**
 * Reads a duration: a number with a unit (`500ms`, `30s`, `10m`, `4h`, `7d`), or 0.
 * A bare number is refused: nobody remembers whether it meant seconds or milliseconds.
 * @returns milliseconds, or undefined if the text is no duration
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^(\d{1,12}(?:\.\d{1,3})?) ?(ms|s|m|h|d)$/.exec(text);
  return match ? whole(Number(match[1]) * DURATION_UNITS[match[2]!]!) : undefined;
}

/** Writes milliseconds in the largest unit that leaves a whole number, so that `parseDuration` gives them back exactly. */
export function formatDuration(milliseconds: number): string {
  for (const unit of PRINTED_DURATION_UNITS) {
    const size = DURATION_UNITS[unit]!;
    if (milliseconds >= size && milliseconds % size === 0) return `${milliseconds / size}${unit}`;
  }
  return String(milliseconds);
}

function whole(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined;
}
