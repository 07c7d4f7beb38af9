import type { Summary } from '../mail/store.ts';
import { printable, senderOf, sizeOf } from '../mail/terminal-text.ts';
import { encodeFrame } from '../wire/frame-reader.ts';

/** Whom notices come from. */
const SENDER = 'inboxd';

/**
 * The frame that tells of a message: one line with id, sender, subject and size. The line begins with the id and ends
 * where LEN says: whoever wrote the mail cannot begin a line, or a frame, of his own, whatever listens at the endpoint.
 */
export function noticeOf(summary: Pick<Summary, 'id' | 'from' | 'subject' | 'bytes'>, characters: number): Buffer {
  const { id, subject, bytes } = summary;
  const texts = [senderOf(summary), subject].map((text) => printable(text.slice(0, characters)));
  return encodeFrame('MESSAGE', [SENDER], Buffer.from([id, ...texts, sizeOf(bytes)].join('  ')));
}
