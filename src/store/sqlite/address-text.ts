import type { Address } from '../../mail/store.ts';

/*
 * Address lists in a column of text: name US address, joined by RS. Plain text, so that a search for a substring works
 * on the column as it is; JSON would match its own punctuation and hide what it escapes.
 */
const UNIT = '\x1f';
const RECORD = '\x1e';
const SEPARATORS = /[\0\x1e\x1f]+/g;

/** Takes out what would be read as a separator, and NUL, where SQLite ends a text. */
export function plain(text: string): string {
  return text.replace(SEPARATORS, ' ');
}

export function encodeAddresses(addresses: readonly Address[]): string {
  let text = '';
  for (const { name, address } of addresses) {
    text += `${text === '' ? '' : RECORD}${plain(name)}${UNIT}${plain(address)}`;
  }
  return text;
}

export function decodeAddresses(text: string): Address[] {
  if (text === '') return [];
  return text.split(RECORD).map((entry) => {
    const [name = '', address = ''] = entry.split(UNIT);
    return { name, address };
  });
}

export function encodeList(items: readonly string[]): string {
  return items.map(plain).join(RECORD);
}

export function decodeList(text: string): string[] {
  return text === '' ? [] : text.split(RECORD);
}
