import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { readHeaderFields } from '../../src/mail/headers.ts';
import { type CheckedAnswer, checkAnswer } from '../../src/responders/answer.ts';
import { type Forwarded, forwardHead, forwardStream } from '../../src/responders/forward.ts';
import { composeReply } from '../../src/responders/reply.ts';

function answerOf(given: object): CheckedAnswer {
  const checked = checkAnswer(given);
  if (!checked.ok || !checked.answer) throw new Error('no answer');
  return checked.answer;
}

async function reply(header: string, given: object = { text: 'hi' }, sender = 'ann@there.example') {
  const { fields } = readHeaderFields(Buffer.from(`${header}\r\n\r\n`));
  const to = { id: '01abc', sender, address: 'echo@here.example', fields, hostname: 'mx.example' };
  const raw = await composeReply(answerOf(given), to, new Date('2026-01-02T03:04:05Z'));
  return { raw: raw.toString(), parsed: await simpleParser(raw) };
}

describe('a reply (RFC 3834 §3)', () => {
  it('says that a program wrote it, whom it answers and where it comes from', async () => {
    const { raw, parsed } = await reply(
      'Subject: hello\r\nMessage-ID: <2@x>\r\nReferences: <0@x> <1@x>\r\nReply-To: eve@evil.example',
    );
    expect(parsed.from?.text).toBe('echo@here.example');
    expect(parsed.to).toMatchObject({ text: 'ann@there.example' });
    expect(parsed.subject).toBe('Re: hello');
    expect(parsed.inReplyTo).toBe('<2@x>');
    expect(parsed.references).toEqual(['<0@x>', '<1@x>', '<2@x>']);
    expect(parsed.headers.get('auto-submitted')).toBe('auto-replied');
    expect(parsed.headers.get('x-auto-response-suppress')).toBe('All');
    expect(parsed.headers.get('x-loop')).toBe('echo@here.example');
    expect(parsed.messageId).toMatch(/^<inboxd-auto\.01abc\.\w+@mx\.example>$/);
    expect(parsed.date).toEqual(new Date('2026-01-02T03:04:05Z'));
    expect(parsed.text).toBe('hi\n');
    expect(raw).not.toMatch(/(?<!\r)\n|eve@evil/);
  });

  it('carries HTML, attachments and headers', async () => {
    const { parsed } = await reply('Subject: x', {
      subject: 'Grüße',
      text: 'schön',
      html: '<b>schön</b>',
      attachments: [
        { fileName: 'é.csv', content: 'a;b' },
        { fileName: 'b', content: new Uint8Array([0, 255]), contentType: 'image/png' },
      ],
      headers: { 'X-Mood': 'fröhlich' },
    });
    expect([parsed.subject, parsed.text, parsed.html]).toEqual(['Grüße', 'schön', '<b>schön</b>']);
    expect(
      parsed.attachments.map(({ filename, contentType, content }) => [filename, contentType, [...content]]),
    ).toEqual([
      ['é.csv', 'text/csv', [...Buffer.from('a;b')]],
      ['b', 'image/png', [0, 255]],
    ]);
    expect(parsed.headers.get('x-mood')).toBe('=?UTF-8?Q?fr=C3=B6hlich?=');
  });

  it.each([
    ['of an answer', 'RE: again', 'RE: again'],
    ['with a line end in it', '=?utf-8?q?a=0D=0ABcc:_b=40c?=', 'Re: a Bcc: b@c'],
    ['without end', 'x'.repeat(2000), `Re: ${'x'.repeat(500)}`],
    ['of nothing', '', 'Re:'],
  ])('answers a subject %s', async (_, subject, expected) => {
    const { raw, parsed } = await reply(`Subject: ${subject}`);
    expect(parsed.subject?.trim()).toBe(expected);
    expect(raw).not.toMatch(/^Bcc:/im);
  });

  it.each([
    ['no id', 'Subject: x'],
    ['an id with controls', 'Message-ID: <a\u0000b c@x\u00e9>'],
    ['an endless id', `Message-ID: <${'a'.repeat(2000)}@x>`],
  ])('refers to nothing of a mail with %s', async (_, header) => {
    const { parsed } = await reply(header);
    expect([parsed.inReplyTo, parsed.references]).toEqual([undefined, undefined]);
  });

  it('keeps References within bounds, the nearest', async () => {
    const ids = Array.from({ length: 100 }, (_, n) => `<${n}@x>`);
    const { parsed } = await reply(`References: ${ids.join('\r\n ')}\r\nMessage-ID: <me@x>`);
    expect(parsed.references).toHaveLength(20);
    expect(parsed.references?.slice(-2)).toEqual(['<99@x>', '<me@x>']);
  });

  it.each(['"a, b"@there.example', "o'brien+x@there.example", 'jürgen@bücher.example'])(
    'goes to <%s> and to nobody else',
    async (sender) => {
      const { parsed } = await reply('Subject: x', { text: 'hi' }, sender);
      const [to, ...others] = [parsed.to].flat().flatMap((list) => list?.value ?? []);
      expect(others).toEqual([]);
      expect(to?.address?.replaceAll('"', '')).toMatch(
        /^(a, b|o'brien\+x|jürgen)@(there\.example|bücher\.example|xn--bcher-kva\.example)$/,
      );
    },
  );
});

const TRACE = Buffer.from('Received: from a by b;\r\n\tFri, 2 Jan 2026 03:04:05 +0000\r\n');
const forwarded: Forwarded = {
  id: '01abc',
  address: 'postmaster@here.example',
  target: 'admin@target.example',
  hostname: 'mx.example',
  trace: TRACE,
};

async function forward(raw: string, piece = 7): Promise<string> {
  async function* pieces() {
    for (let at = 0; at < raw.length; at += piece) yield Buffer.from(raw.slice(at, at + piece), 'latin1');
  }
  const views: Buffer[] = [];
  for await (const view of forwardStream(pieces(), forwarded)) views.push(view);
  return Buffer.concat(views).toString('latin1');
}

describe('a forwarded mail', () => {
  const body = 'one\r\n.two\r\n\r\n\xff\x00three';
  const mail = `Return-Path: <ann@x>\r\nFrom: =?utf-8?q?Zo=C3=AB?= <ann@there.example>\r\nSender: s@x\r\nTo: postmaster@here.example\r\nSubject: Help\r\n me\r\nDKIM-Signature: v=1;\r\n\tb=abc\r\nContent-Type: text/plain; charset=latin1\r\n\r\n${body}`;

  it.each([1, 7, 100_000])('has its body byte for byte, read in pieces of %i', async (piece) => {
    const out = await forward(mail, piece);
    expect(out.slice(out.indexOf('\r\n\r\n') + 4)).toBe(body);
    expect(out.startsWith(TRACE.toString())).toBe(true);
  });

  it('comes from the address that it was sent to, and an answer reaches the writer', async () => {
    const parsed = await simpleParser(Buffer.from(await forward(mail), 'latin1'));
    expect(parsed.from?.value).toEqual([{ name: 'Zoë via postmaster', address: 'postmaster@here.example' }]);
    expect(parsed.replyTo?.value).toEqual([{ name: 'Zoë', address: 'ann@there.example' }]);
    expect(parsed.subject).toBe('[postmaster@] Help me');
    expect(parsed.headers.get('x-loop')).toBe('postmaster@here.example');
    expect(parsed.headers.get('resent-to')).toBe('<admin@target.example>');
    expect(parsed.headers.has('return-path') || parsed.headers.has('sender')).toBe(false);
    expect(parsed.headers.has('dkim-signature')).toBe(true);
  });

  it('asks the writer by his own Reply-To', async () => {
    const parsed = await simpleParser(Buffer.from(await forward('From: a@b.example\r\nReply-To: c@d.example\r\n\r\n')));
    expect(parsed.replyTo?.value).toEqual([{ name: '', address: 'c@d.example' }]);
  });

  it.each(['', '\r\n', 'no header at all', '\r\nonly a body', 'Subject: cut'])(
    'is made of anything: %j',
    async (raw) => {
      const out = await forward(raw);
      expect(out).toContain('Resent-To: <admin@target.example>\r\n');
      expect(out).toContain('From: "Somebody via postmaster" <postmaster@here.example>\r\n');
    },
  );

  it('lets no name of a stranger start a line or add an address', () => {
    const { head } = forwardHead(
      Buffer.from('From: "a\\" <x@y>, \\r\\nBcc: z@z" <ann@there.example>\r\n\r\n'),
      forwarded,
    );
    const from = head.toString().match(/^From: .*$/m)?.[0];
    expect(from).toMatch(/^From: "[^"<>,]* via postmaster" <postmaster@here\.example>\r?$/);
  });
});
