import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { decodeWords } from '../../mail/encoded-words.ts';
import { HEADER_LIMITS, readHeaderFields } from '../../mail/headers.ts';

/** Reads the start of a content file, as much as header fields are looked for in; nothing when the file is gone. */
export function startOfFile(contents: string, file: string): Buffer {
  const start = Buffer.allocUnsafe(HEADER_LIMITS.bytes);
  let descriptor: number;
  try {
    descriptor = openSync(join(contents, file), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
  try {
    return start.subarray(0, readSync(descriptor, start, 0, start.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** The header fields as the search sees them: values decoded. */
export function searchedHeaders(start: Buffer): { name: string; value: string }[] {
  return readHeaderFields(start).fields.map((field) => ({ name: field.name, value: decodeWords(field.text) }));
}
