type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const BYTES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?:(z)|([+-])(\d\d):?(\d\d))?$/i;

/**
 * Reads a point in time: a date, a date and time (RFC 3339, seconds and zone may be missing), or how long ago: `30min`,
 * `2h`, `7d`, `2w`. A date alone is its beginning.
 */
export function parseMoment(text: string, zone: string, now: number): Parsed<Date> {
  const relative = /^(\d{1,6})(s|min|h|d|w)$/i.exec(text);
  if (relative) return { ok: true, value: new Date(now - Number(relative[1]) * UNIT_MS[relative[2]!.toLowerCase()]!) };
  const found = DATE.exec(text);
  if (!found) {
    return {
      ok: false,
      why: 'A time is a date like 2026-01-31, a date and time like 2026-01-31T18:00, or an age like 2h or 7d',
    };
  }
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((place) => Number(found[place] ?? 0));
  const milliseconds = Number((found[7] ?? '').padEnd(3, '0').slice(0, 3));
  const local = Date.UTC(year!, month! - 1, day, hour, minute, second, milliseconds);
  const back = new Date(local);
  const isReal =
    back.getUTCDate() === day && back.getUTCMonth() === month! - 1 && hour! < 24 && minute! < 60 && second! < 60;
  if (!isReal) return { ok: false, why: `There is no such date or time as ${text}` };
  if (found[8] !== undefined) return { ok: true, value: new Date(local) };
  if (found[9] !== undefined) {
    const offset = (Number(found[10]) * 60 + Number(found[11])) * 60_000;
    return { ok: true, value: new Date(found[9] === '-' ? local + offset : local - offset) };
  }
  return { ok: true, value: new Date(fromZone(local, zone)) };
}

/** Reads a number of octets, with `k`, `m` or `g` for powers of 1024. */
export function parseBytes(text: string): Parsed<number> {
  const found = /^(\d{1,12}(?:\.\d{1,3})?)([kmg]?)(?:i?b)?$/i.exec(text);
  if (!found) return { ok: false, why: 'A size is a number of octets like 500, 20k or 1.5m' };
  return { ok: true, value: Math.round(Number(found[1]) * BYTES[found[2]!.toLowerCase()]!) };
}

/** The instant at which clocks in a zone show a time; of two it is the earlier, of none the one right after the gap. */
function fromZone(local: number, zone: string): number {
  const candidates = [local - offsetAt(local - 86_400_000, zone), local - offsetAt(local + 86_400_000, zone)];
  return candidates.find((at) => at + offsetAt(at, zone) === local) ?? Math.max(...candidates);
}

/** How far clocks in a zone are ahead of UTC; none for a zone that nobody knows. */
function offsetAt(at: number, zone: string): number {
  if (zone === 'UTC') return 0;
  let parts: Intl.DateTimeFormatPart[];
  try {
    parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    }).formatToParts(at);
  } catch {
    return 0; // RangeError is Intl's way of saying that it does not know the zone
  }
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return shown - Math.floor(at / 1000) * 1000;
}
