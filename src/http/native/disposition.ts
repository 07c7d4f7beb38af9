import { encodeFileName } from '../content-disposition.ts';

/** What browsers show without running any of it; everything else is for saving. */
const SHOWN = new Set([
  'text/plain',
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/bmp',
  'audio/mpeg',
  'audio/ogg',
  'audio/wav',
  'audio/webm',
  'video/mp4',
  'video/ogg',
  'video/webm',
]);

/** True for pictures that are pixels and nothing else. */
export function isPicture(contentType: string): boolean {
  return contentType.startsWith('image/') && SHOWN.has(contentType);
}

const NAME_CHARACTERS = 200;

/**
 * Writes a Content-Disposition (RFC 6266): to be shown only what nobody can run, and a name that is no path, holds no
 * character that cannot be seen or turns the reading direction, and is nothing that Windows takes for a device.
 * @param fallback a name for what has none
 */
export function disposition(contentType: string, name: string, fallback: string): string {
  return dispositionOf(SHOWN.has(contentType) ? 'inline' : 'attachment', name, fallback);
}

/** Writes a Content-Disposition that has a thing saved, under a name with an extension of ours. */
export function attachmentDisposition(name: string, fallback: string, extension = ''): string {
  return dispositionOf('attachment', name, fallback, extension);
}

function dispositionOf(kind: string, name: string, fallback: string, extension = ''): string {
  const safe = (safeFileName(name) || fallback) + extension;
  const plain = safe.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encodeFileName(safe)}`;
}

/** Makes a file name out of what a mail calls a part; '' if nothing is left. */
export function safeFileName(name: string): string {
  const base = name.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const seen = base.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}<>:"|?*]/gu, '').replace(/\s+/g, ' ');
  const trimmed = shorten(seen).replace(/^[.\s]+|[.\s]+$/g, '');
  return /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(trimmed) ? `_${trimmed}` : trimmed;
}

/** Cuts a long name in front of its extension. */
function shorten(name: string): string {
  const characters = [...name];
  if (characters.length <= NAME_CHARACTERS) return name;
  const extension = /\.[0-9A-Za-z]{1,16}$/.exec(name)?.[0] ?? '';
  return characters.slice(0, NAME_CHARACTERS - extension.length).join('') + extension;
}
