/** Facts about a verb; HELP, the transcript's redaction and the README's table come from here. */
export interface Verb {
  readonly verb: string;
  /** Argument as HELP shows it; '' for none. */
  readonly argument: string;
  readonly rfc: string;
  readonly summary: string;
  /** Only one of the two protocols has it. */
  readonly only?: 'SMTP' | 'LMTP';
  /** Usable only where this extension is announced. */
  readonly extension?: string;
  /** Its argument must never be shown or kept. */
  readonly secret?: boolean;
  /** Taken where TLS is required and has not begun (RFC 3207 §4). */
  readonly beforeTls?: boolean;
  /** Known so that it can be refused politely; not in HELP's list. */
  readonly refused?: boolean;
}

// biome-ignore format: one verb a line
export const VERBS: readonly Verb[] = [
  { verb: 'EHLO', argument: 'name',                              rfc: 'RFC 5321 4.1.1.1',  summary: 'Says who you are and asks for extensions; ends an open transaction', only: 'SMTP', beforeTls: true },
  { verb: 'HELO', argument: 'name',                              rfc: 'RFC 5321 4.1.1.1',  summary: 'Says who you are; ends an open transaction', only: 'SMTP', beforeTls: true },
  { verb: 'LHLO', argument: 'name',                              rfc: 'RFC 2033 4.1',      summary: 'EHLO of LMTP', only: 'LMTP', beforeTls: true },
  { verb: 'MAIL', argument: 'FROM:<address> [parameters]',       rfc: 'RFC 5321 4.1.1.2',  summary: 'Opens a transaction with its sender' },
  { verb: 'RCPT', argument: 'TO:<address> [parameters]',         rfc: 'RFC 5321 4.1.1.3',  summary: 'Adds a recipient' },
  { verb: 'DATA', argument: '',                                  rfc: 'RFC 5321 4.1.1.4',  summary: 'Sends the message, ended by a line with a single dot' },
  { verb: 'BDAT', argument: 'size [LAST]',                       rfc: 'RFC 3030 2',        summary: 'Sends a counted chunk of the message' },
  { verb: 'RSET', argument: '',                                  rfc: 'RFC 5321 4.1.1.5',  summary: 'Gives an open transaction up', beforeTls: true },
  { verb: 'NOOP', argument: '[text]',                            rfc: 'RFC 5321 4.1.1.9',  summary: 'Does nothing', beforeTls: true },
  { verb: 'VRFY', argument: 'text',                              rfc: 'RFC 5321 4.1.1.6',  summary: 'Answers 252: every address has an inbox' },
  { verb: 'HELP', argument: '[verb]',                            rfc: 'RFC 5321 4.1.1.8',  summary: 'Shows this', beforeTls: true },
  { verb: 'STARTTLS', argument: '',                              rfc: 'RFC 3207 4',        summary: 'Changes over to TLS; all that was said before is forgotten', beforeTls: true, extension: 'STARTTLS' },
  { verb: 'AUTH', argument: 'mechanism [initial-response]',      rfc: 'RFC 4954 4',        summary: 'Logs in; `*` gives up', secret: true, extension: 'AUTH' },
  { verb: 'XCLIENT', argument: 'attribute=value ...',            rfc: 'Postfix',           summary: 'Says whom a trusted client speaks for, and starts over', extension: 'XCLIENT' },
  { verb: 'QUIT', argument: '',                                  rfc: 'RFC 5321 4.1.1.10', summary: 'Ends the session', beforeTls: true },
  { verb: 'EXPN', argument: 'list',                              rfc: 'RFC 5321 4.1.1.7',  summary: 'Not implemented: there are no lists', refused: true },
  { verb: 'ETRN', argument: 'name',                              rfc: 'RFC 1985 5',        summary: 'Not implemented', refused: true },
  { verb: 'TURN', argument: '',                                  rfc: 'RFC 5321 F.1',      summary: 'Not implemented', refused: true },
  { verb: 'SEND', argument: 'FROM:<address>',                    rfc: 'RFC 5321 F.6',      summary: 'Not implemented', refused: true },
  { verb: 'SOML', argument: 'FROM:<address>',                    rfc: 'RFC 5321 F.6',      summary: 'Not implemented', refused: true },
  { verb: 'SAML', argument: 'FROM:<address>',                    rfc: 'RFC 5321 F.6',      summary: 'Not implemented', refused: true },
];

export const VERB_OF: ReadonlyMap<string, Verb> = new Map(VERBS.map((facts) => [facts.verb, facts]));

/** Refused politely with 502 in every state that reads lines. */
export const REFUSED_VERBS: readonly string[] = VERBS.filter((facts) => facts.refused).map((facts) => facts.verb);

/** Methods of an HTTP request line. */
export const HTTP_METHODS: ReadonlySet<string> = new Set(
  'GET POST PUT HEAD OPTIONS CONNECT TRACE DELETE PATCH PRI'.split(' '),
);
