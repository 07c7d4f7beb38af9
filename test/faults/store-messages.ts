import { createHash } from 'node:crypto';

/** The bytes of the message with this id: one in eight is too large for the database. */
export function rawOf(id: string): Buffer {
  const digest = createHash('sha256').update(id).digest();
  const bytes = digest[0]! % 8 === 0 ? 150_000 + digest[1]! * 100 : 500 + digest[1]! * 20;
  const start = Buffer.from(`Subject: ${id}\r\n\r\n`);
  return Buffer.concat([start, Buffer.alloc(bytes, digest.toString('base64'))]);
}
