import type { Summary } from './store.ts';

/** Facts of a message as programs show them that put what they get on a terminal as it is. */

/**
 * Text without anything that a terminal would obey, such as what a sender wrote into a subject: what is not printable
 * ASCII becomes a question mark.
 */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '?');
}

/** Who says to have sent it. */
export function senderOf({ from }: Pick<Summary, 'from'>): string {
  return from === null ? '<>' : from.address || from.name;
}

/** Bytes as people say them: below a thousand as they are, else in steps of a thousand. */
export function sizeOf(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  if (bytes < 1000) return `${bytes} B`;
  let size = bytes / 1000;
  let unit = 0;
  for (; size >= 999.5 && unit < units.length - 1; unit++) size /= 1000;
  return `${Math.round(size)} ${units[unit]}`;
}
