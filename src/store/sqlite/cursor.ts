import { StoreError } from '../errors.ts';

/*
 * Where a page ended, as text that a client gives back. It names a place in the order and not a number of rows: what
 * comes or goes in the meantime moves no later page.
 */

export function encodeCursor(...places: readonly number[]): string {
  return places.map((place) => place.toString(36)).join('-');
}

/** @throws STORE_BAD_CURSOR for what was never given out */
export function decodeCursor(cursor: string, length: number): number[] {
  const places = cursor.split('-');
  if (places.length !== length || !places.every((place) => /^[0-9a-z]{1,10}$/.test(place))) {
    throw new StoreError('STORE_BAD_CURSOR', 'The cursor is none of this list');
  }
  return places.map((place) => Number.parseInt(place, 36));
}
