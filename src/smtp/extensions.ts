import type { SmtpLimits } from './limits.ts';
import { XCLIENT_ATTRIBUTES } from './parse/xclient.ts';

/** A service extension: its EHLO line and where it is written. */
export interface Extension {
  readonly keyword: string;
  readonly rfc: string;
  /** What follows the keyword in the EHLO reply. */
  readonly argument?: (limits: SmtpLimits) => string;
  /** Announced only to sessions that can use it as things stand. */
  readonly optional?: true;
}

/** Mechanisms of AUTH, as announced; the table has a row for each. */
export const MECHANISMS = ['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER'] as const;

// biome-ignore format: one extension a line
export const EXTENSIONS: readonly Extension[] = [
  { keyword: 'PIPELINING',          rfc: 'RFC 2920' },
  { keyword: 'SIZE',                rfc: 'RFC 1870', argument: (limits) => String(limits.contentBytes) },
  { keyword: '8BITMIME',            rfc: 'RFC 6152' },
  { keyword: 'BINARYMIME',          rfc: 'RFC 3030' },
  { keyword: 'CHUNKING',            rfc: 'RFC 3030' },
  { keyword: 'SMTPUTF8',            rfc: 'RFC 6531' },
  { keyword: 'DSN',                 rfc: 'RFC 3461' },
  { keyword: 'LIMITS',              rfc: 'RFC 9422', argument: announceLimits },
  { keyword: 'AUTH',                rfc: 'RFC 4954', argument: () => MECHANISMS.join(' '), optional: true },
  { keyword: 'XCLIENT',             rfc: 'Postfix',  argument: () => XCLIENT_ATTRIBUTES.join(' '), optional: true },
  { keyword: 'ENHANCEDSTATUSCODES', rfc: 'RFC 2034' },
  { keyword: 'STARTTLS',            rfc: 'RFC 3207', optional: true },
  { keyword: 'REQUIRETLS',          rfc: 'RFC 8689', optional: true },
];

/** What is bounded of RFC 9422's: messages of a session are not unless somebody says so. */
function announceLimits({ recipients, sessionMessages }: SmtpLimits): string {
  return sessionMessages > 0 ? `RCPTMAX=${recipients} MAILMAX=${sessionMessages}` : `RCPTMAX=${recipients}`;
}

/** What an EHLO reply says: its keyword lines, and the keywords for those who judge parameters. */
export interface Announcement {
  readonly lines: readonly string[];
  readonly keywords: ReadonlySet<string>;
}

/** @param offered keywords of optional extensions that this session can use */
export function announce(limits: SmtpLimits, offered: readonly string[]): Announcement {
  const said = EXTENSIONS.filter(({ keyword, optional }) => !optional || offered.includes(keyword));
  return {
    lines: said.map(({ keyword, argument }) => (argument ? `${keyword} ${argument(limits)}` : keyword)),
    keywords: new Set(said.map(({ keyword }) => keyword)),
  };
}
