/** Octets that some server has taken for the end of a message, and that are none (RFC 5321 §2.3.8, §4.1.1.4). */
export const FALSE_ENDS: readonly string[] = [
  ...[
    '\n.\n',
    '\n.\r\n',
    '\r.\r\n',
    '\r.\r',
    '\n.\r',
    '\r.\n',
    '\r\n.\n',
    '\r\n.\r',
    '\r\n\0.\r\n',
    '\r\n.\0\r\n',
    '\r\n.\r\r\n',
  ],
  ...['\r\r\n.\r\r\n', '\n\n.\n\n', '\r\n. \r\n', '\r\n.\t\r\n', '\r\n .\r\n', '\r\n.\n\r\n', '\n\r.\n\r'],
  ...[
    '\u2028.\u2028',
    '\u0085.\u0085',
    '\x0b.\x0b',
    '\x0c.\x0c',
    '\r\n.\u2028\r\n',
    '\r\n.\u0085\r\n',
    '\r\n.\x0b\r\n',
    '\r\n.\x0c\r\n',
  ],
];

/** What would be a message of its own if one of them ended the first. */
export const SECOND =
  'MAIL FROM:<evil@x.test>\r\nRCPT TO:<victim@x.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n';

/** True if a CR or LF in it is not part of CR LF. */
export function hasBareNewline(text: string): boolean {
  return /\r(?!\n)|(?<!\r)\n/.test(text);
}

/** For titles of tests. */
export function shown(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u0085', '\\u0085').slice(1, -1);
}
