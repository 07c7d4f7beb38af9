import { settings } from '../state/settings.svelte.ts';
import { type Key, regionOf, say } from './catalogue.ts';

/** How the reader writes numbers, sizes and times: as in his own country, where that speaks the language of the page. */
function region(): string {
  return regionOf(settings.locale, navigator.languages);
}

/** The text of a key in the reader's language. */
export function t(key: Key, values?: Readonly<Record<string, string | number>>): string {
  return say(settings.locale, key, values);
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** An amount of octets, short. */
export function bytes(amount: number): string {
  let value = amount;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const text = new Intl.NumberFormat(region(), {
    style: 'unit',
    unit: UNITS[unit]!,
    unitDisplay: unit === 0 ? 'narrow' : 'short',
    maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0,
  }).format(value);
  return text.replace(/(\d)B$/, '$1\u00a0B');
}

/** A time as short as it can be told: the time of day today, the day before that. */
export function shortTime(iso: string, now = new Date()): string {
  const at = new Date(iso);
  if (at.toDateString() === now.toDateString()) {
    return at.toLocaleTimeString(region(), { hour: '2-digit', minute: '2-digit' });
  }
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: '2-digit' as const };
  return at.toLocaleDateString(region(), { day: 'numeric', month: 'short', ...year });
}

export function longTime(iso: string): string {
  return new Date(iso).toLocaleString(region(), { dateStyle: 'medium', timeStyle: 'medium' });
}
