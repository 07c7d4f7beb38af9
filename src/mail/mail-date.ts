const ZONES: ReadonlyMap<string, number> = new Map([
  ['EST', -300],
  ['EDT', -240],
  ['CST', -360],
  ['CDT', -300],
  ['MST', -420],
  ['MDT', -360],
  ['PST', -480],
  ['PDT', -420],
]);
const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';
const DATE =
  /(?:^|[\s,])(\d{1,2})[\s-]+([A-Za-z]{3})[A-Za-z]*[\s-]+(\d{2,4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:([+-]\d{4})|([A-Za-z]{1,5}))?/;

/**
 * Reads the value of a Date field (RFC 5322 §3.3, with the obsolete forms of §4.3).
 * @returns undefined if it is no date, or one beyond the years 1 to 9999
 */
export function parseMailDate(text: string): Date | undefined {
  const match = DATE.exec(text.slice(0, 128));
  if (match === null) return undefined;
  const [, day = '', monthName = '', yearText = '', hour = '', minute = '', second = '0', offset, zone] = match;
  const month = MONTHS.indexOf(monthName.toLowerCase());
  if (month < 0 || month % 3 !== 0) return undefined;
  const at = new Date(0);
  at.setUTCFullYear(fullYear(yearText), month / 3, Number(day));
  at.setUTCHours(Number(hour), Number(minute) - offsetMinutes(offset, zone), Number(second));
  return at.getUTCFullYear() >= 1 && at.getUTCFullYear() <= 9999 ? at : undefined;
}

function fullYear(text: string): number {
  const year = Number(text);
  if (text.length >= 4) return year;
  return text.length === 3 || year >= 50 ? year + 1900 : year + 2000;
}

/** Unknown zone names count as UTC, as §4.3 asks. */
function offsetMinutes(offset: string | undefined, zone: string | undefined): number {
  if (offset === undefined) return ZONES.get((zone ?? '').toUpperCase()) ?? 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3));
  return offset.startsWith('-') ? -minutes : minutes;
}
