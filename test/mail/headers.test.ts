import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAddressList } from '../../src/mail/address-list.ts';
import { decodeWords } from '../../src/mail/encoded-words.ts';
import { HEADER_LIMITS, readHeaderFields, scanSummary } from '../../src/mail/headers.ts';

const MAILS = new URL('../mails/', import.meta.url);
const mails = readdirSync(MAILS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.eml'));

const names = (mail: string) => readHeaderFields(Buffer.from(mail)).fields.map((field) => field.name);
const texts = (mail: string) => readHeaderFields(Buffer.from(mail)).fields.map((field) => field.text);

describe('the header scanner', () => {
  it('gives names as written, values unfolded, and where the body begins', () => {
    const mail = Buffer.from('Subject: a\r\n b\r\n\tc\r\nX-EMPTY:\r\nfrom:x@y\r\n\r\nbody');
    const { fields, bodyAt } = readHeaderFields(mail);
    expect(fields.map((field) => [field.name, field.text])).toEqual([
      ['Subject', 'a b c'],
      ['X-EMPTY', ''],
      ['from', 'x@y'],
    ]);
    expect(fields[0]!.raw.toString()).toBe(' a\r\n b\r\n\tc');
    expect(mail.subarray(bodyAt).toString()).toBe('body');
  });

  it('takes bare LF as a line end too', () => {
    expect(names('A: 1\nB: 2\n c\n\nC: 3\n')).toEqual(['A', 'B']);
    expect(texts('A: 1\nB: 2\n c\n\nC: 3\n')).toEqual(['1', '2 c']);
  });

  it('passes over lines that are no field', () => {
    expect(names('From someone Mon\n indented: x\nA : 1\nno colon here\nb c: 2\n: 3\n\x80x: 4\nB: 5\n\n')).toEqual([
      'A',
      'B',
    ]);
  });

  it('reads a mail that is all header, all body, or nothing', () => {
    expect(readHeaderFields(Buffer.from('A: 1'))).toMatchObject({ bodyAt: 4, fields: [{ name: 'A', text: '1' }] });
    expect(readHeaderFields(Buffer.from('\r\nA: 1\r\n'))).toEqual({ fields: [], bodyAt: 2 });
    expect(readHeaderFields(Buffer.alloc(0))).toEqual({ fields: [], bodyAt: 0 });
  });

  it('Prototype keys: keeps a field named __proto__ as any other', () => {
    const mail = '__proto__: a\r\nconstructor: b\r\nSubject: s\r\n\r\n';
    expect(names(mail)).toEqual(['__proto__', 'constructor', 'Subject']);
    expect(scanSummary(Buffer.from(mail)).subject).toBe('s');
  });

  it('MIME and regex bombs: stops at 1 000 fields but still finds the body', () => {
    const mail = Buffer.from(`${'X: y\r\n'.repeat(20_000)}\r\nbody`);
    const { fields, bodyAt } = readHeaderFields(mail);
    expect(fields).toHaveLength(HEADER_LIMITS.fields);
    expect(mail.subarray(bodyAt).toString()).toBe('body');
  });

  it('MIME and regex bombs: cuts a 200 KB folded field at 64 KiB', () => {
    const mail = Buffer.from(`Subject: x\r\n${' folded line of text\r\n'.repeat(10_000)}To: a@b\r\n\r\nbody`);
    const { fields, bodyAt } = readHeaderFields(mail);
    expect(fields).toHaveLength(1);
    expect(fields[0]!.raw.length).toBeLessThanOrEqual(HEADER_LIMITS.bytes);
    expect(mail.subarray(bodyAt).toString()).toBe('body');
  });

  it('decodes raw bytes as UTF-8 where they are that, else as ISO 8859-1', () => {
    expect(texts('A: Frösche\n\n')).toEqual(['Frösche']);
    expect(readHeaderFields(Buffer.from('A: Fr\xf6sche\n\n', 'latin1')).fields[0]!.text).toBe('Frösche');
  });
});

describe('encoded-words (RFC 2047)', () => {
  it.each([
    ['=?ISO-8859-1?Q?a?=', 'a'],
    ['=?ISO-8859-1?Q?a?= b', 'a b'],
    ['=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=', 'ab'],
    ['=?ISO-8859-1?Q?a?=  \t =?UTF-8?Q?b?=', 'ab'],
    ['=?ISO-8859-1?Q?a_b?=', 'a b'],
    ['=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=', 'a b'],
    ['=?utf-8?b?SGVsbG8gd8O2cmxk?=', 'Hello wörld'],
    ['=?utf-8?q?Fr=C3=B6sche?=', 'Frösche'],
    ['=?UTF-8?Q?=E2=82?= =?UTF-8?Q?=AC?=', '€'],
    ['=?us-ascii*en-us?Q?plain?=', 'plain'],
    ['=?koi8-r?B?8NLJ18XU?=', 'Привет'],
    ['=?windows-1251?Q?=CF=F0=E8=E2=E5=F2?=', 'Привет'],
    ['=?iso-2022-jp?B?GyRCJDMkcyRLJEEkTxsoQg==?=', 'こんにちは'],
    ['=?shift_jis?B?grGC8YLJgr+CzQ==?=', 'こんにちは'],
    ['=?cp932?B?grGC8YLJgr+CzQ==?=', 'こんにちは'],
    ['=?gb2312?B?xOO6ww==?=', '你好'],
    ['=?big5?B?p0Gmbg==?=', '你好'],
    ['=?euc-kr?B?vsiz58fPvLy/5A==?=', '안녕하세요'],
    ['=?utf-7?Q?Fr+APY-sche_=28x=29?=', 'Frösche (x)'],
    ['=?iso-8859-1?Q?Fr\u00f6sche?=', 'Frösche'],
    ['x=?utf-8?q?y?=z', 'xyz'],
  ])('%s is %s', (text, decoded) => {
    expect(decodeWords(text)).toBe(decoded);
  });

  it.each(['=?utf-8?x?abc?=', '=?utf-8?q?abc', '=?no-such-charset?q?abc?=', '=??q?abc?=', '=?utf-8?q?a?b?=', '=?'])(
    'leaves %s as it is',
    (text) => {
      expect(decodeWords(text)).toBe(text);
    },
  );

  it('lets nothing break the line that it is shown on', () => {
    expect(decodeWords('=?utf-8?q?a=0D=0ABcc:_x=00y?=')).toBe('a Bcc: x y');
  });

  it('stays fast on text made to be slow', () => {
    for (const piece of ['=?', '=?a?q?', '=?=?', '=?a?q?x', '=?utf-8?q?=\t', '=?a?q?a?= ']) {
      expect(decodeWords(piece.repeat(20_000)).length).toBeGreaterThan(0);
    }
  });
});

describe('address lists (RFC 5322 §3.4)', () => {
  const address = (text: string) => ({ name: '', address: text });
  it.each([
    ['a@b', [address('a@b')]],
    ['<a@b>', [address('a@b')]],
    ['A B <a@b>', [{ name: 'A B', address: 'a@b' }]],
    ['"Doe, J." <a@b>, c@d', [{ name: 'Doe, J.', address: 'a@b' }, address('c@d')]],
    ['"say \\"hi\\"" <a@b>', [{ name: 'say "hi"', address: 'a@b' }]],
    ['a@b (John (the) Doe)', [{ name: 'John (the) Doe', address: 'a@b' }]],
    ['team: a@b, "C" <c@d>;, e@f', [address('a@b'), { name: 'C', address: 'c@d' }, address('e@f')]],
    ['undisclosed-recipients:;', []],
    ['=?utf-8?Q?J=C3=B6rg?= <a@b>', [{ name: 'Jörg', address: 'a@b' }]],
    ['"=?utf-8?Q?J=C3=B6rg?=" <a@b>', [{ name: 'Jörg', address: 'a@b' }]],
    ['=?utf-8?Q?Doe,_J?= <a@b>', [{ name: 'Doe, J', address: 'a@b' }]],
    ['=?utf-8?Q?A?= =?utf-8?Q?B?= <a@b>', [{ name: 'AB', address: 'a@b' }]],
    ['<@r1,@r2:a@b>', [address('a@b')]],
    ['"john doe"@b', [address('"john doe"@b')]],
    ['<"a>b"@c>', [address('"a>b"@c')]],
    ['a@[IPv6:::1], x@y', [address('a@[IPv6:::1]'), address('x@y')]],
    ['a@b; c@d', [address('a@b'), address('c@d')]],
    [
      'A <a@b> B <c@d>',
      [
        { name: 'A', address: 'a@b' },
        { name: 'B', address: 'c@d' },
      ],
    ],
    ['A <a@b', [{ name: 'A', address: 'a@b' }]],
    ['A <a@b, c@d', [{ name: 'A', address: 'a@b' }, address('c@d')]],
    ['"A <a@b>', [{ name: 'A', address: 'a@b' }]],
    ['(A <a@b>', [{ name: 'A', address: 'a@b' }]],
    ['John a@b', [{ name: 'John', address: 'a@b' }]],
    ['root', [address('root')]],
    ['No Address', [{ name: 'No Address', address: '' }]],
    ['<>', []],
    ['', []],
    [', ,;', []],
  ])('reads %s', (text, found) => {
    expect(parseAddressList(text)).toEqual(found);
  });

  it('never makes an address of an encoded-word', () => {
    expect(parseAddressList('=?utf-8?q?a=40b?=')).toEqual([{ name: 'a@b', address: '' }]);
    expect(parseAddressList('=?utf-8?q?X_=3Ca=40b=3E?= <c@d>')).toEqual([{ name: 'X <a@b>', address: 'c@d' }]);
  });

  it('stays fast on text made to be slow', () => {
    for (const piece of ['"', '(', '<', '[', '=?a?q?', 'a@b [', '<"', ':', 'x ', '(()', '\\', '<"\\",', 'a@b: ']) {
      expect(Array.isArray(parseAddressList(piece.repeat(30_000)))).toBe(true);
    }
    expect(parseAddressList(`${'x '.repeat(30_000)}a@b ${': '.repeat(30_000)}`)).toHaveLength(1);
    expect(parseAddressList('a@b,'.repeat(30_000))).toHaveLength(30_000);
  });
});

describe('scanSummary', () => {
  it('reads what a list shows', () => {
    const mail =
      'Message-ID: <1@x>\r\nFROM: A <a@b>\r\nTo: c@d\r\nTo: e@f\r\nCc: g@h\r\nBcc: i@j\r\nReply-To: k@l\r\n' +
      'Subject: =?utf-8?q?S?=\r\nSubject: second\r\n\r\nTo: not@this\r\n';
    expect(scanSummary(Buffer.from(mail))).toEqual({
      messageId: '1@x',
      from: { name: 'A', address: 'a@b' },
      to: [
        { name: '', address: 'c@d' },
        { name: '', address: 'e@f' },
      ],
      cc: [{ name: '', address: 'g@h' }],
      bcc: [{ name: '', address: 'i@j' }],
      replyTo: [{ name: '', address: 'k@l' }],
      subject: 'S',
      tags: '',
    });
  });

  it('gives empty values for what a mail lacks', () => {
    expect(scanSummary(Buffer.from('hello'))).toEqual({
      messageId: '',
      from: null,
      to: [],
      cc: [],
      bcc: [],
      replyTo: [],
      subject: '',
      tags: '',
    });
  });

  it('has an answer for each of the mails that others wrote', () => {
    expect(mails).toHaveLength(107);
    for (const name of mails) {
      const found = scanSummary(readFileSync(new URL(name, MAILS)));
      expect(typeof found.subject, name).toBe('string');
      expect(typeof found.messageId, name).toBe('string');
      for (const one of [...found.to, ...found.cc, ...found.bcc, ...found.replyTo]) {
        expect([typeof one.name, typeof one.address], name).toEqual(['string', 'string']);
      }
    }
    const hares = scanSummary(readFileSync(new URL('legacy/009.eml', MAILS)));
    expect(hares.subject).toBe('Die Hasen und die Frösche');
    expect(hares.to).toEqual([{ name: 'Jürgen Schmürgen', address: 'jschmuergen@example.com' }]);
  });

  it('has an answer for random bytes', () => {
    let seed = 1;
    for (let round = 0; round < 500; round++) {
      const bytes = Buffer.alloc(400);
      for (let at = 0; at < bytes.length; at++) {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        bytes[at] = '\r\n\t :;,<>()"\\=?@[]aQB\x00\xff'.charCodeAt((seed >> 8) % 24);
      }
      const mail = Buffer.concat([Buffer.from('From: '), bytes, Buffer.from('\nSubject: '), bytes]);
      expect(typeof scanSummary(mail).subject).toBe('string');
    }
  });
});
