import { randomBytes } from 'node:crypto';

const LINE_OCTETS = 78;

/** So many octets of noise in lines as base64 has them, whole lines only. */
export function base64Lines(octets: number): string {
  const lines = Math.floor(octets / LINE_OCTETS);
  return randomBytes(lines * 57)
    .toString('base64')
    .replace(/.{76}/g, '$&\r\n');
}
