import { findText } from '../../mail/mime-tree.ts';
import type { OpenedMail } from '../../mail/opened-mail.ts';
import { safeType } from '../media-type.ts';
import { etagOf } from './etag.ts';

/** One part of a mail as it is handed out. */
export interface ServedPart {
  readonly content: Buffer;
  /** As the mail states it, without parameters. */
  readonly contentType: string;
  /** To send it with. */
  readonly type: string;
  /** What the mail calls it; '' if nothing. */
  readonly name: string;
  readonly etag: string;
}

/** Finds what is attached, or a text of the mail itself, which has been decoded and is UTF-8 now. */
export function partOf(opened: OpenedMail, partId: string): ServedPart | undefined {
  const part = opened.parts.find((one) => one.partId === partId);
  if (part !== undefined) {
    const { content, contentType, fileName, contentId, checksums } = part;
    const type = safeType(contentType);
    return { content, contentType, type, name: fileName || contentId, etag: `"${checksums.sha256}"` };
  }
  const found = findText(opened.structure, partId);
  if (found?.text === undefined) return undefined;
  const { of, from, to } = found.text;
  const content = Buffer.from(opened[of].slice(from, to));
  const { contentType, fileName, contentId } = found;
  const type = safeType(contentType) + (contentType.startsWith('text/') ? '; charset=utf-8' : '');
  return { content, contentType, type, name: fileName || contentId, etag: etagOf(content) };
}
