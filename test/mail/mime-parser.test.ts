import { afterEach, describe, expect, it } from 'vitest';
import { createMimeParser, type MimeParser } from '../../src/mail/mime-parser.ts';
import type { Report } from '../../src/mail/report.ts';

const MAIL = Buffer.from(
  'Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n' +
    'Content-Type: image/png; name=p\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n',
);

let parser: MimeParser;
afterEach(() => parser.close());

describe('MIME and regex bombs: the parsing thread', () => {
  it('gives what parseMessage gives, mail after mail', async () => {
    const reports: Report[] = [];
    parser = createMimeParser({ report: (report) => reports.push(report) });
    const parsed = await Promise.all([parser.parse(MAIL), parser.parse(Buffer.from('Subject: other\r\n\r\nx'))]);
    expect(parsed.map(({ subject, text, complete }) => [subject, text, complete])).toEqual([
      ['s', 'text', true],
      ['other', 'x', true],
    ]);
    const content = parsed[0]!.parts[0]!.content;
    expect(Buffer.isBuffer(content)).toBe(true);
    expect(content.toString('hex')).toBe('89504e470d0a1a0a');
    expect(reports).toEqual([]);
  });

  it('finds codes and links too, so that nobody else has to read the text', async () => {
    parser = createMimeParser({ report: () => {} });
    const html = '<p>Your code is <b>482913</b></p><a href="https://a.example/verify?t=1">Verify your address</a>';
    const opened = await parser.parse(Buffer.from(`Subject: s\r\nContent-Type: text/html\r\n\r\n${html}\r\n`));
    expect(opened.codes.map(({ code }) => code)).toEqual(['482913']);
    expect(opened.links).toMatchObject([{ url: 'https://a.example/verify?t=1', kind: 'verify' }]);
    expect(opened.shownText).toContain('Your code is 482913');
  });

  it.each([
    ['hangs', 'setInterval(() => {}, 1e6)', 50],
    ['throws', "throw new Error('dead')", 10_000],
    ['exits', 'process.exit(3)', 10_000],
  ])(
    'that %s is given up; the reader gets header and body, the next mail a new thread',
    async (_how, code, parseMs) => {
      const reports: Report[] = [];
      const entry = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
      parser = createMimeParser({ report: (report) => reports.push(report), parseMs, entry });
      for (const parsed of await Promise.all([parser.parse(MAIL), parser.parse(MAIL)])) {
        expect(parsed).toMatchObject({ subject: 's', complete: false, parts: [] });
        expect(parsed.text).toContain('--b\n\ntext\n');
      }
      expect(reports.map((report) => report.type === 'crash' && report.where)).toEqual(['mime', 'mime']);
    },
  );

  it('answers what waits when it is closed, and what comes later', async () => {
    parser = createMimeParser({ report: () => {} });
    const waiting = [parser.parse(MAIL), parser.parse(MAIL)];
    await parser.close();
    for (const parsed of await Promise.all(waiting)) expect(parsed.complete).toBe(false);
    expect((await parser.parse(MAIL)).subject).toBe('s');
  });
});
