import type { Content } from '../mail/content.ts';
import { HEADER_LIMITS, type HeaderField, readHeaderFields } from '../mail/headers.ts';

/**
 * Gives the header fields of a message to `judge`: at once where the content is in memory, as most are, and after
 * reading the start of the file where it is not.
 */
export function withHeaderFields<T>(content: Content, judge: (fields: readonly HeaderField[]) => T): T | Promise<T> {
  const { at } = content;
  if (at.kind === 'memory') return judge(readHeaderFields(joinUpTo(at.views, HEADER_LIMITS.bytes)).fields);
  return readStart(content, HEADER_LIMITS.bytes).then((start) => judge(readHeaderFields(start).fields));
}

function joinUpTo(views: readonly Buffer[], bytes: number): Buffer {
  if (views.length === 1) return views[0]!;
  const start: Buffer[] = [];
  let length = 0;
  for (const view of views) {
    start.push(view);
    length += view.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(start);
}

async function readStart(content: Content, bytes: number): Promise<Buffer> {
  const start: Buffer[] = [];
  let length = 0;
  for await (const view of content.stream()) {
    start.push(view);
    length += view.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(start);
}
