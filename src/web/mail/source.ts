/** Source of a mail cut into lines that know what they are, so that they can be coloured. */
export type Line =
  | { readonly kind: 'field'; readonly name: string; readonly text: string }
  | { readonly kind: 'boundary' | 'quote' | 'base64' | 'text'; readonly text: string };

/**
 * Tells header fields, boundaries and encoded content apart, part by part. A guess for the eye: nothing depends on it.
 */
export function linesOf(source: string): Line[] {
  const boundaries = new Set<string>();
  for (const [, quoted, bare] of source.matchAll(/boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))/gi)) {
    boundaries.add(`--${quoted ?? bare}`).add(`--${quoted ?? bare}--`);
  }
  let inHeader = true;
  let encoded = false;
  return source.split(/\r?\n/).map((text): Line => {
    if (boundaries.has(text.trimEnd())) {
      inHeader = !text.trimEnd().endsWith('--') || !boundaries.has(text.trimEnd().slice(0, -2));
      encoded = false;
      return { kind: 'boundary', text };
    }
    if (!inHeader) {
      if (encoded && /^[A-Za-z0-9+/=]+$/.test(text)) return { kind: 'base64', text };
      return { kind: text.startsWith('>') ? 'quote' : 'text', text };
    }
    if (text === '') {
      inHeader = false;
      return { kind: 'text', text };
    }
    const [, name, value] = /^([!-9;-~]{1,200}:)(.*)$/s.exec(text) ?? [];
    if (name === undefined) return { kind: 'field', name: '', text };
    if (name.toLowerCase() === 'content-transfer-encoding:') encoded = /base64/i.test(value ?? '');
    return { kind: 'field', name, text: value ?? '' };
  });
}

/** Octets as text: UTF-8, or Latin-1 where they are none. */
export function decodeSource(bytes: Uint8Array): string {
  try {
    // a cut may have split the last character
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
