/** What the List-Unsubscribe fields of a mail say (RFC 2369 §3.2, RFC 8058). */
export interface ListUnsubscribe {
  /** The field's value, or ''. */
  readonly header: string;
  /** At most one mailto and one http(s) link. */
  readonly links: readonly string[];
  /** What is wrong with the field; '' if nothing is. */
  readonly errors: string;
  /** Value of List-Unsubscribe-Post, or ''. */
  readonly headerPost: string;
}

/** Reads the unsubscribe links and says what a receiver would object to. Never throws. */
export function readListUnsubscribe(header: string, headerPost: string): ListUnsubscribe {
  if (header === '') return { header, links: [], errors: '', headerPost: '' };
  const { links, errors } = readLinks(withoutComments(header).trim());
  return { header, links, errors: errors.join(', '), headerPost };
}

function readLinks(value: string): { links: string[]; errors: string[] } {
  const found = [...value.matchAll(/<([^<>]*)>/g)].map((match) => match[1] ?? '');
  if (found.length === 0) return { links: [], errors: [`"${value}" no valid unsubscribe links found`] };
  if (!value.startsWith('<') || !value.endsWith('>')) {
    return { links: [], errors: [`"${value}" should be enclosed in <>`] };
  }
  if (found.length > 2) {
    return { links: [], errors: [`"${value}" should include a maximum of one email and one HTTP link`] };
  }
  const between = value.split(/<[^<>]*>/).slice(1, -1);
  if (between.some((gap) => gap.trim() !== ',')) {
    return { links: [], errors: [`"${value}" <> should be split with a comma and optional spaces`] };
  }
  const links: string[] = [];
  const errors: string[] = [];
  const kinds = new Set<string>();
  for (const link of found) {
    const kind = /^mailto:[a-z0-9]/i.test(link) ? 'mailto:' : /^https?:\/\/[a-z0-9]/i.test(link) ? 'HTTP link' : '';
    if (/\s/.test(link)) errors.push(`"${link}" should not contain spaces`);
    else if (kind === '') errors.push(`"${link}" should start with either http(s):// or mailto:`);
    else if (kinds.has(kind)) errors.push(`"${link}" should only contain one ${kind}`);
    else if (!URL.canParse(link)) errors.push(`"${link}" is not a valid URL`);
    else links.push(link);
    kinds.add(kind);
  }
  return { links, errors };
}

/** Drops comments; one that never closes stays. */
function withoutComments(text: string): string {
  const parts = text.split('(');
  let out = parts[0]!;
  for (const part of parts.slice(1)) {
    const close = part.indexOf(')');
    out += close < 0 ? `(${part}` : part.slice(close + 1);
  }
  return out;
}
