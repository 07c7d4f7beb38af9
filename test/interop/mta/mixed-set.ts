/** Messages that between them have everything a relay may stumble over. */

export interface MixedMail {
  /** Also the left side of its Message-ID, by which it is found again. */
  readonly name: string;
  readonly from: string;
  readonly to: readonly string[];
  /** As handed to the first server; ends in CR LF unless the lack of it is the point. */
  readonly content: Buffer;
  /** Parameters of MAIL that it needs. */
  readonly params?: string;
  /** Given where the client hands it over by BDAT, because DATA cannot carry it. */
  readonly by?: 'BDAT';
  /** What a relay has to hand on, where that is not the content itself. */
  readonly handedOn?: Buffer;
}

interface Parts {
  readonly from?: string;
  readonly to?: readonly string[];
  readonly subject?: string;
  readonly headers?: readonly string[];
  readonly params?: string;
  readonly body: string | Buffer;
}

/** Header `To:` names nobody of the envelope, so that every envelope recipient is listed as Bcc. */
function mail(name: string, parts: Parts): MixedMail {
  const head = [
    'From: Ada Lovelace <ada@out.example>',
    'To: Everyone <everyone@list.example>',
    `Subject: ${parts.subject ?? name}`,
    'Date: Fri, 20 Nov 2026 10:00:00 +0000',
    `Message-ID: <${name}@mixed.example>`,
    ...(parts.headers ?? ['MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8']),
  ].join('\r\n');
  return {
    name,
    from: parts.from ?? 'ada@out.example',
    to: parts.to ?? [`${name}@in.example`],
    content: Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.from(parts.body as string)]),
    ...(parts.params === undefined ? {} : { params: parts.params }),
  };
}

const lines = (...all: string[]): string => all.map((line) => `${line}\r\n`).join('');

/** Every octet but NUL, CR and LF, which RFC 5321 and 6152 do not let a line carry. */
const octets = Buffer.from(
  Array.from({ length: 256 }, (_, octet) => octet).filter((o) => o !== 0 && o !== 10 && o !== 13),
);

/** Bytes that look random and are the same in every run. */
function attachment(bytes: number): Buffer {
  const all = Buffer.alloc(bytes);
  for (let at = 0, state = 1; at < bytes; at++) all[at] = (state = (state * 1103515245 + 12345) & 0x7fffffff) >> 16;
  return all;
}

const base64 = attachment(1024 * 1024)
  .toString('base64')
  .replace(/.{76}/g, '$&\r\n');

export const MIXED_SET: readonly MixedMail[] = [
  mail('seven-bit', { body: lines('Plain as can be.', '', 'Two paragraphs.') }),
  mail('eight-bit', {
    params: 'BODY=8BITMIME',
    body: Buffer.concat([octets, Buffer.from('\r\nGrüße, здравствуйте, 你好\r\n')]),
  }),
  mail('utf8-headers', {
    from: 'jörg@bücher.example',
    to: ['испытание@in.example'],
    subject: 'Grüße aus 北京 ✉',
    headers: ['X-Name: Jürgen', 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8'],
    params: 'BODY=8BITMIME SMTPUTF8',
    body: lines('Wie geht’s?'),
  }),
  mail('dots', { body: lines('.', '..', '.x', '...', ' .', '. ', '.\t', 'x.', '', '.', '') }),
  mail('first-line-dot', { body: lines('.first', 'and more') }),
  mail('long-lines', { body: lines('x'.repeat(998), '.'.repeat(998), 'é'.repeat(499)), params: 'BODY=8BITMIME' }),
  mail('empty-body', { body: '' }),
  mail('blank-body', { body: lines('', '', '') }),
  mail('white-space', { body: lines(' leading', 'trailing ', '\ttab', 'end\t', ' ') }),
  mail('folded-headers', {
    headers: ['X-Folded: one', '\ttwo', '   three ', 'X-Empty:', 'x-lower-case: YES', 'X-Twice: 1', 'X-Twice: 2'],
    body: lines('See above.'),
  }),
  mail('looks-like-commands', {
    body: lines('QUIT', 'RSET', 'MAIL FROM:<evil@out.example>', 'DATA', 'From here', '>From'),
  }),
  mail('one-mebibyte', {
    headers: ['MIME-Version: 1.0', 'Content-Type: application/octet-stream', 'Content-Transfer-Encoding: base64'],
    body: lines(base64),
  }),
  mail('several-recipients', {
    to: Array.from({ length: 40 }, (_, n) => `several-${n}@in.example`),
    body: lines('To you all.'),
  }),
  mail('several-domains', { to: ['one@a.example', 'two@b.example', 'three@c.example'], body: lines('Near and far.') }),
  mail('null-sender', { from: '', body: lines('This is what a bounce looks like.') }),
  mail('quoted-local-part', { to: ['"quoted local part"@in.example'], body: lines('Mind the spaces.') }),
  mail('tagged', { to: ['tagged+news.2026=x@in.example'], body: lines('With a tag.') }),
  withoutLastNewline(),
];

/** Ends without CR LF. Relays end the last line, as DATA needs it; only a server that keeps octets keeps it so. */
function withoutLastNewline(): MixedMail {
  const without = mail('without-last-newline', { body: 'The line that never ends' });
  return { ...without, by: 'BDAT', handedOn: Buffer.concat([without.content, Buffer.from('\r\n')]) };
}
