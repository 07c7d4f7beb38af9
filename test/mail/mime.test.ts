import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { htmlToText } from '../../src/mail/html-text.ts';
import { readListUnsubscribe } from '../../src/mail/list-unsubscribe.ts';
import { parseMailDate } from '../../src/mail/mail-date.ts';
import { parseMessage, summarise } from '../../src/mail/mime.ts';
import { findText, type PartNode } from '../../src/mail/mime-tree.ts';
import { MIME_LIMITS, parsePlainly } from '../../src/mail/plain-mail.ts';

const MAILS = new URL('../mails/', import.meta.url);
const mails = readdirSync(MAILS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.eml'));
const mail = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'));
const PNG = Buffer.from('iVBORw0KGgo=', 'base64');

const NESTED = mail(`From: A <a@example.org>
To: b@example.org
Subject: parts
Date: Fri, 20 Nov 2026 10:00:00 +0100
Return-Path: <bounce@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8

see https://example.org/ & more
--inner
Content-Type: multipart/related; boundary=deep

--deep
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p class=3D"x">see https://example.org/ &amp;
<img src=3D"cid:pic@x"></p>
--deep
Content-Type: image/png; name="p.png"
Content-ID: <pic@x>
Content-Disposition: inline
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--deep--
--inner--
--outer
Content-Type: application/octet-stream
Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf

data
--outer
Content-Type: message/rfc822

Subject: forwarded

inner body
--outer--
`);

describe('parseMessage', () => {
  it('gives the text, and the HTML exactly as sent, with line ends as LF', async () => {
    const parsed = await parseMessage(NESTED);
    expect(parsed.complete).toBe(true);
    expect(parsed.text).toBe('see https://example.org/ & more');
    expect(parsed.html).toBe('<p class="x">see https://example.org/ &amp;\n<img src="cid:pic@x"></p>');
  });

  it('numbers parts by their path and tells attachments from inline parts', async () => {
    const { parts } = await parseMessage(NESTED);
    expect(parts.map((part) => [part.partId, part.place, part.contentType, part.fileName, part.contentId])).toEqual([
      ['1.2.2', 'inline', 'image/png', 'p.png', 'pic@x'],
      ['2', 'attachment', 'application/octet-stream', 'résumé.pdf', ''],
      ['3', 'inline', 'message/rfc822', '', ''],
    ]);
    expect(parts[0]!.content).toEqual(PNG);
    expect(parts[0]!.bytes).toBe(8);
    expect(parts[0]!.checksums).toEqual({
      md5: createHash('md5').update(PNG).digest('hex'),
      sha1: createHash('sha1').update(PNG).digest('hex'),
      sha256: createHash('sha256').update(PNG).digest('hex'),
    });
    expect(parts[2]!.content.toString()).toContain('inner body');
  });

  it('gives the tree of parts as they lie in each other', async () => {
    const { structure, text, html } = await parseMessage(NESTED);
    const lines: string[] = [];
    const walk = (node: PartNode, indent: string): void => {
      const { partId, contentType, charset, encoding, fileName, contentId, place, bytes } = node;
      const facts = [partId, contentType, charset, encoding, fileName, contentId, place, bytes];
      lines.push(indent + facts.filter((fact) => fact !== '' && fact !== null).join(' '));
      for (const child of node.children) walk(child, `${indent}  `);
    };
    walk(structure, '');
    expect(lines).toEqual([
      'multipart/mixed 144',
      '  1 multipart/alternative 108',
      '    1.1 text/plain utf-8 inline 31',
      '    1.2 multipart/related 77',
      '      1.2.1 text/html utf-8 quoted-printable inline 69',
      '      1.2.2 image/png base64 p.png pic@x inline 8',
      '  2 application/octet-stream résumé.pdf attachment 4',
      '  3 message/rfc822 inline 32',
    ]);
    const textOf = (partId: string): string => {
      const { of, from, to } = findText(structure, partId)!.text!;
      return (of === 'html' ? html : text).slice(from, to);
    };
    expect(textOf('1.1')).toBe('see https://example.org/ & more');
    expect(textOf('1.2.1')).toMatch(/^<p class="x">.*<\/p>$/s);
    expect(findText(structure, '1.2.2')).toBeUndefined();
    expect(findText(structure, '9')).toBeUndefined();
  });

  it('numbers texts of one kind apart', async () => {
    const { structure, text } = await parseMessage(
      mail('Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\n\n--b\n\nthree\n--b--\n'),
    );
    const pieces = structure.children.map(({ text: place }) => text.slice(place!.from, place!.to));
    expect([text, pieces]).toEqual(['one\n\n\nthree', ['one', '\n', 'three']]);
  });

  it('gives all header fields in order, the date and the return path', async () => {
    const parsed = await parseMessage(NESTED);
    expect(parsed.headers.map((field) => field.name)).toEqual([
      'From',
      'To',
      'Subject',
      'Date',
      'Return-Path',
      'MIME-Version',
      'Content-Type',
    ]);
    expect(parsed.date?.toISOString()).toBe('2026-11-20T09:00:00.000Z');
    expect(parsed.returnPath).toBe('bounce@example.org');
    expect(parsed.from).toEqual({ name: 'A', address: 'a@example.org' });
  });

  it('adds nothing to the HTML of a mail that has text beside it', async () => {
    const parsed = await parseMessage(
      mail(
        'Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: text/html\n\n<b>html</b>\n--b--\n',
      ),
    );
    expect(parsed.text).toBe('text');
    expect(parsed.html).toBe('<b>html</b>');
  });

  it('takes a mail that is one attachment as part 0', async () => {
    const parsed = await parseMessage(
      mail('Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n'),
    );
    expect(parsed.parts.map((part) => [part.partId, part.place, part.bytes])).toEqual([['0', 'attachment', 8]]);
  });

  it('Prototype keys: keeps header fields named like object prototypes', async () => {
    const parsed = await parseMessage(mail('__proto__: a\nconstructor: b\nList-__proto__: <c>\n\nbody\n'));
    expect(parsed.headers.map((field) => field.name)).toEqual(['__proto__', 'constructor', 'List-__proto__']);
    expect(parsed.text).toBe('body\n');
    expect(Object.hasOwn(Object.prototype, 'a')).toBe(false);
  });

  it('has an answer for each of the mails that others wrote', async () => {
    for (const name of mails) {
      const raw = readFileSync(new URL(name, MAILS));
      const parsed = await parseMessage(raw);
      expect(parsed.complete, name).toBe(true);
      expect([typeof parsed.text, typeof parsed.html], name).toEqual(['string', 'string']);
      for (const part of parsed.parts) {
        expect(part.partId, name).toMatch(/^\d+(\.\d+)*$/);
        expect(part.bytes, name).toBe(part.content.length);
        expect(part.contentType, name).toMatch(/\//);
      }
      expect(new Set(parsed.parts.map((part) => part.partId)).size, name).toBe(parsed.parts.length);
    }
  });

  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['one byte', Buffer.from('x')],
    ['only line ends', Buffer.from('\r\n'.repeat(10_000))],
    ['zeros', Buffer.alloc(100_000)],
    ['20 000 header lines', Buffer.from(`${'X-Line: some value\r\n'.repeat(20_000)}\r\nbody`)],
    ['a 200 KB folded header', Buffer.from(`Subject: x\r\n${' folded line of text\r\n'.repeat(10_000)}\r\nbody`)],
    ['a 2 MB header line', Buffer.from(`Subject: ${'x'.repeat(2_000_000)}\r\n\r\nbody`)],
    ['200 000 recipients', Buffer.from(`To: ${'a@b,'.repeat(200_000)}\r\n\r\nbody`)],
    ['a return path without end', Buffer.from(`Return-Path: ${'> '.repeat(400_000)}x\r\n\r\nbody`)],
    [
      'brackets, quotes and comments without end',
      Buffer.from(`To: ${'<"('.repeat(300_000)}\r\nCc: ${'('.repeat(200_000)}\r\n\r\n`),
    ],
    ['a million empty lines', Buffer.from('\r\n'.repeat(1_000_000))],
    ['links without end', Buffer.from(`List-Unsubscribe: ${'(<a>,'.repeat(100_000)}\r\n\r\nbody`)],
    ['a boundary that never comes', mail('Content-Type: multipart/mixed; boundary=b\n\nsome text\n')],
    ['a multipart without boundary', mail('Content-Type: multipart/mixed\n\nsome text\n')],
    ['bad base64', mail('Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n!!!====\n\x00')],
    ['an unknown charset', mail('Content-Type: text/plain; charset=nobody-knows\n\nbody\n')],
    ['a message within a message', mail('Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nx: y\n')],
  ])('has an answer for %s', async (_name, raw) => {
    const parsed = await parseMessage(raw);
    expect([typeof parsed.text, typeof parsed.html]).toEqual(['string', 'string']);
    expect(typeof (await summarise(raw)).text).toBe('string');
  });

  it('MIME and regex bombs: gives header and body as they stand when a mail has more parts than anyone reads', async () => {
    const part = '--b\r\nContent-Type: text/x-y; name=n\r\n\r\nz\r\n';
    const raw = Buffer.from(`Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(10_000)}`);
    const parsed = await parseMessage(raw);
    expect(parsed.complete).toBe(false);
    expect(parsed.subject).toBe('many');
    expect(parsed.text.startsWith('--b\nContent-Type: text/x-y; name=n\n')).toBe(true);
    expect((await summarise(raw)).subject).toBe('many');
  });

  it('MIME and regex bombs: has an answer for parts 1 000 deep', async () => {
    let raw = 'Subject: deep\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n';
    for (let depth = 0; depth < 1_000; depth++) {
      raw += `--b${depth}\r\nContent-Type: multipart/mixed; boundary=b${depth + 1}\r\n\r\n`;
    }
    const parsed = await parseMessage(Buffer.from(`${raw}--b1000\r\n\r\nbottom\r\n`));
    expect(parsed.subject).toBe('deep');
  });
});

describe('parsePlainly', () => {
  it('gives header and body without taking the mail apart', () => {
    const plain = parsePlainly(mail('Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n'));
    expect(plain).toMatchObject({ subject: 's', text: '--b\n\nx\n', html: '', parts: [], complete: false });
  });
});

describe('summarise', () => {
  it('counts attachments and gathers the text for the search', async () => {
    const found = await summarise(NESTED);
    expect(found).toMatchObject({ subject: 'parts', attachments: 1, snippet: 'see https://example.org/ &' });
    expect(found.text).toBe('see https://example.org/ & more see https://example.org/ & p.png résumé.pdf');
  });

  it('cuts the snippet at 200 octets, between characters', async () => {
    const { snippet } = await summarise(mail(`Content-Type: text/plain; charset=utf-8\n\n${'ä  \n'.repeat(200)}`));
    expect(snippet.endsWith('...')).toBe(true);
    expect(Buffer.byteLength(snippet)).toBeLessThanOrEqual(203);
    expect(snippet).toMatch(/^(ä )+(ä)?\.\.\.$/);
  });

  it('has an answer for each of the mails that others wrote', async () => {
    for (const name of mails) {
      const found = await summarise(readFileSync(new URL(name, MAILS)));
      expect(found.text, name).toBe(found.text.toLowerCase());
      expect(found.snippet, name).not.toMatch(/[\r\n\t]/);
      expect(Number.isInteger(found.attachments), name).toBe(true);
    }
  });
});

describe('htmlToText', () => {
  it.each([
    ['<p>a</p><p>b</p>', 'a\nb'],
    ['a<br>b', 'a\nb'],
    ['<table><tr><td>a</td><td>b</td></tr></table>', 'a b'],
    ['<b>bo</b>ld', 'bold'],
    ['<head><title>t</title><style>x{}</style></head><body>shown', 'shown'],
    ['<script>if (a < b) "</p>"</script>x', 'x'],
    ['a <!-- <p>no</p> --> b', 'a b'],
    ['Fr&ouml;sche &amp; &#8364; &#x20AC; &nbsp;x &nosuch; &#0;', 'Frösche & € € x &nosuch;'],
    ['1 < 2 & 3', '1 < 2 & 3'],
    ['<a title="1 > 0" href=x>link</a>', 'link'],
    ['<a title="never closed>text', 'text'],
    ['<!DOCTYPE html><html>x', 'x'],
    ['unclosed <p', 'unclosed'],
    ['<script>never closed', ''],
  ])('%s', (html, text) => {
    expect(htmlToText(html)).toBe(text);
  });

  it('MIME and regex bombs: stays fast on HTML made to be slow', () => {
    for (const piece of ['<', '<!--', '<a ="', '<a b="\'', '<script>', '</p', '&', '&#', '<title ', '<p><', '\n<']) {
      expect(typeof htmlToText(piece.repeat(50_000))).toBe('string');
    }
  });
});

describe('parseMailDate (RFC 5322 §3.3)', () => {
  it.each([
    ['Fri, 20 Nov 2026 10:00:00 +0100', '2026-11-20T09:00:00.000Z'],
    ['20 Nov 2026 10:00 -0530', '2026-11-20T15:30:00.000Z'],
    ['Mon, 1 Jan 99 00:00:00 EST', '1999-01-01T05:00:00.000Z'],
    ['Mon, 01 Jan 24 00:00:00 GMT (comment)', '2024-01-01T00:00:00.000Z'],
  ])('%s', (text, iso) => {
    expect(parseMailDate(text)?.toISOString()).toBe(iso);
  });
  it.each(['', 'yesterday', '20 Foo 2026 10:00:00', '20 anf 2026 10:00:00 +0000', 'x'.repeat(100_000)])(
    'is no date: %s',
    (text) => {
      expect(parseMailDate(text)).toBeUndefined();
    },
  );
});

describe('readListUnsubscribe', () => {
  it.each([
    ['', [], ''],
    ['<mailto:a@b>, <https://x.example/u>', ['mailto:a@b', 'https://x.example/u'], ''],
    ['(one click) <https://x.example/u>', ['https://x.example/u'], ''],
    ['https://x.example/u', [], '"https://x.example/u" no valid unsubscribe links found'],
    ['x <https://x.example/u>', [], '"x <https://x.example/u>" should be enclosed in <>'],
    [
      '<mailto:a@b> <https://x.example/u>',
      [],
      '"<mailto:a@b> <https://x.example/u>" <> should be split with a comma and optional spaces',
    ],
    ['<mailto:a@b>, <mailto:c@d>', ['mailto:a@b'], '"mailto:c@d" should only contain one mailto:'],
    ['<ftp://x/>', [], '"ftp://x/" should start with either http(s):// or mailto:'],
  ])('%s', (header, links, errors) => {
    expect(readListUnsubscribe(header, '')).toEqual({ header, links, errors, headerPost: '' });
  });
});

describe('a mail of many megabytes', () => {
  const part = (octets: Buffer) => octets.toString('base64').replaceAll(/.{76}/g, '$&\r\n');
  const picture = randomBytes(3 * 1024 * 1024);
  const large = Buffer.from(
    `Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\n` +
      `Content-Type: image/png; name=p.png\r\nContent-Transfer-Encoding: base64\r\n\r\n${part(picture)}\r\n` +
      '--b\r\nContent-Disposition: attachment; filename=last.txt\r\n\r\nlast\r\n--b--\r\n',
  );

  it('is taken apart to its last part, octet for octet', async () => {
    const parsed = await parseMessage(large);
    expect(parsed.text.trim()).toBe('first');
    expect(parsed.parts.map(({ fileName, bytes }) => [fileName, bytes])).toEqual([
      ['p.png', picture.length],
      ['last.txt', 4],
    ]);
    expect(parsed.parts[0]!.content.equals(picture)).toBe(true);
    expect(parsed.complete).toBe(true);
  });

  it('is taken apart alike, wherever what the parser gets at once ends', async () => {
    for (const bytes of [65_535, 65_536, 65_537, 131_072, 131_073]) {
      const head = 'Subject: s\r\n\r\n';
      const text = 'x'.repeat(bytes - head.length - 5);
      expect((await parseMessage(Buffer.from(`${head}${text}\r\nend`))).text).toBe(`${text}\nend`);
    }
  });

  it('gives the search its whole structure, and of a single text no more than a search looks at', async () => {
    expect(await summarise(large)).toMatchObject({ snippet: 'first', fileNames: ['p.png', 'last.txt'] });
    const text = Buffer.from(`Subject: s\r\n\r\nbeginning ${'many words '.repeat(1_000_000)}`);
    const summary = await summarise(text);
    expect(summary.text).toHaveLength(MIME_LIMITS.searchCharacters);
    expect(summary.text.startsWith('beginning many words')).toBe(true);
    expect(summary.attachments).toBe(0);
  });
});
