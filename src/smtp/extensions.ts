import type { SmtpLimits } from './limits.ts';

/** A service extension: its EHLO line and where it is written. */
export interface Extension {
  readonly keyword: string;
  readonly rfc: string;
  /** What follows the keyword in the EHLO reply. */
  readonly argument?: (limits: SmtpLimits) => string;
}

// biome-ignore format: one extension a line
export const EXTENSIONS: readonly Extension[] = [
  { keyword: 'PIPELINING',          rfc: 'RFC 2920' },
  { keyword: 'SIZE',                rfc: 'RFC 1870', argument: (limits) => String(limits.contentBytes) },
  { keyword: '8BITMIME',            rfc: 'RFC 6152' },
  { keyword: 'BINARYMIME',          rfc: 'RFC 3030' },
  { keyword: 'CHUNKING',            rfc: 'RFC 3030' },
  { keyword: 'SMTPUTF8',            rfc: 'RFC 6531' },
  { keyword: 'DSN',                 rfc: 'RFC 3461' },
  { keyword: 'LIMITS',              rfc: 'RFC 9422', argument: (limits) => `RCPTMAX=${limits.recipients}` },
  { keyword: 'ENHANCEDSTATUSCODES', rfc: 'RFC 2034' },
];

/** The keyword lines of an EHLO reply. */
export function announce(limits: SmtpLimits): string[] {
  return EXTENSIONS.map(({ keyword, argument }) => (argument ? `${keyword} ${argument(limits)}` : keyword));
}

/** The keywords, for those who judge parameters. */
export const ANNOUNCED: ReadonlySet<string> = new Set(EXTENSIONS.map(({ keyword }) => keyword));
