/**
 * Writes an `inline` Content-Disposition for a name that a mail gave (RFC 6266).
 *
 * The name is percent-encoded in both forms, so nothing in it can end the value or the line: `filename` is what
 * Mailpit's clients read, `filename*` (RFC 8187) is what browsers decode. Folders in it are cut off.
 */
export function inlineDisposition(name: string): string {
  const base = name.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  if (base === '') return 'inline';
  const encoded = encodeFileName(base);
  return `inline; filename="${encoded}"; filename*=UTF-8''${encoded}`;
}

/** Percent-encodes a name as `filename*` wants it (RFC 8187 §3.2.1). */
export function encodeFileName(name: string): string {
  return encodeURIComponent(name).replace(/['()*!]/g, percent);
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}
