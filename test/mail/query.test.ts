import { describe, expect, it } from 'vitest';
import { type Matchable, matches, needsContent, parseQuery, type Query } from '../../src/mail/query.ts';
import { QUERY_LIMITS } from '../../src/mail/query-parser.ts';
import { verified } from '../support/verifications.ts';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const read = (text: string, zone?: string): Query => {
  const parsed = parseQuery(text, zone, NOW);
  if (!parsed.ok) throw new Error(`${parsed.at}: ${parsed.why}`);
  return parsed.value;
};
const word = (text: string, prefix = false, phrase = false): Query => ({ kind: 'text', text, prefix, phrase });
const field = (name: string, text: string, prefix = false) => ({ kind: 'field', field: name, text, prefix });
const not = (part: unknown) => ({ kind: 'not', part });
const and = (...parts: unknown[]) => ({ kind: 'and', parts });
const or = (...parts: unknown[]) => ({ kind: 'or', parts });

describe('the search grammar', () => {
  it.each<[string, unknown]>([
    ['', { kind: 'all' }],
    ['  \t ', { kind: 'all' }],
    ['hello', word('hello')],
    ['hello world', and(word('hello'), word('world'))],
    ['hello AND world', and(word('hello'), word('world'))],
    ['"hello world"', word('hello world', false, true)],
    ['"say \\"hi\\" \\\\"', word('say "hi" \\', false, true)],
    ['"hello wor"*', word('hello wor', true, true)],
    ['wor*', word('wor', true)],
    ['*', word('*')],
    ['-spam', not(word('spam'))],
    ['--spam', not(not(word('spam')))],
    ['a OR b c', or(word('a'), and(word('b'), word('c')))],
    ['(a OR b) -c', and(or(word('a'), word('b')), not(word('c')))],
    ['-(a b)', not(and(word('a'), word('b')))],
    ['or Or ORDER', and(word('or'), word('Or'), word('ORDER'))],
    ['"OR"', word('OR', false, true)],
    ['from:anna', field('from', 'anna')],
    ['FROM:Anna', field('from', 'Anna')],
    ['subject:"two words"', field('subject', 'two words')],
    ['to:ann*', field('to', 'ann', true)],
    ['-cc:x', not(field('cc', 'x'))],
    ['message-id:<a@b>', field('message-id', '<a@b>')],
    ['inbox:*@example.com', field('inbox', '*@example.com')],
    ['tag:"To do"', field('tag', 'To do')],
    ['http://x.test/a:b', word('http://x.test/a:b')],
    ['12:30', word('12:30')],
    ['is:UNREAD', { kind: 'is', what: 'unread' }],
    ['has:attachment', { kind: 'has', what: 'attachment' }],
    ['header:X-Id=7', { kind: 'header', name: 'X-Id', text: '7' }],
    ['header:X-Id="a b"', { kind: 'header', name: 'X-Id', text: 'a b' }],
    ['header:"X-Id=a b"', { kind: 'header', name: 'X-Id', text: 'a b' }],
    ['header:List-Id', { kind: 'header', name: 'List-Id', text: '' }],
    ['larger:20k', { kind: 'larger', bytes: 20_480 }],
    ['smaller:1.5MB', { kind: 'smaller', bytes: 1_572_864 }],
    ['larger:500', { kind: 'larger', bytes: 500 }],
    ['邮件 检索', and(word('邮件'), word('检索'))],
  ])('%s', (text, query) => {
    expect(read(text)).toEqual(query);
  });

  it.each([
    ['after:2026-01-31', 'UTC', '2026-01-31T00:00:00.000Z'],
    ['after:2026-01-31', 'Europe/Berlin', '2026-01-30T23:00:00.000Z'],
    ['after:2026-07-31', 'Europe/Berlin', '2026-07-30T22:00:00.000Z'],
    ['after:2026-01-31T18:30', 'America/New_York', '2026-01-31T23:30:00.000Z'],
    ['after:2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'], // there is no such time: the clock is put forward
    ['after:2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'], // twice: the first
    ['after:2026-01-31T18:30:15.5Z', 'Europe/Berlin', '2026-01-31T18:30:15.500Z'],
    ['after:2026-01-31T18:30-05:00', 'UTC', '2026-01-31T23:30:00.000Z'],
    ['before:2h', 'UTC', '2026-03-10T10:00:00.000Z'],
    ['before:30min', 'UTC', '2026-03-10T11:30:00.000Z'],
    ['after:7d', 'Europe/Berlin', '2026-03-03T12:00:00.000Z'],
    ['after:2026-01-31', 'Mars/Olympus', '2026-01-31T00:00:00.000Z'],
  ])('%s in %s', (text, zone, at) => {
    expect(read(text, zone)).toEqual({ kind: text.split(':')[0], at: new Date(at) });
  });

  it.each([
    ['a "b c', 2, 'These quotes are never closed'],
    ['a (b', 2, 'There is no ) for this ('],
    ['a b) c', 3, 'There is no ( for this )'],
    ['()', 1, 'Something to search for is missing before this )'],
    ['a OR', 4, 'Something to search for is missing at the end'],
    ['a OR OR b', 5, 'Something to search for is missing before this'],
    ['OR a', 0, 'Something to search for is missing before this'],
    ['a - b', 2, 'A - stands right before what must not be'],
    ['a ""', 2, 'Something to search for is missing in these quotes'],
    ['a from:', 7, 'from: needs a value right behind it'],
    ['a from: b', 7, 'from: needs a value right behind it'],
    ['a sender:b', 2, 'There is no field sender:'],
    ['is:purple', 3, 'is: is one of read, unread, pinned, tagged, verified, pending'],
    ['spf:good', 4, 'spf: is one of pass, fail'],
    ['has:link', 4, 'has: is one of attachment, inline'],
    ['before:yesterday', 7, 'A time is a date'],
    ['before:2026-02-30', 7, 'There is no such date'],
    ['larger:big', 7, 'A size is a number'],
    ['header:=x', 7, 'header: wants Name=value'],
    ['x'.repeat(QUERY_LIMITS.characters + 1), QUERY_LIMITS.characters, 'A search has at most'],
    [`${'-'.repeat(100)}a`, 32, 'A search is at most 32 levels deep'],
    ['('.repeat(100), 32, 'A search is at most 32 levels deep'],
    ['a '.repeat(300), 400, 'A search has at most 200 terms'],
  ])('says where and why not: %s', (text, at, why) => {
    const parsed = parseQuery(text);
    expect(parsed).toMatchObject({ ok: false, at, why: expect.stringContaining(why) as string });
  });

  it('answers whatever it is given', () => {
    const pieces = [
      '"',
      '(',
      ')',
      '-',
      'OR',
      ' ',
      'a',
      ':',
      '*',
      'from:',
      'header:',
      'is:',
      '\\',
      '=',
      '検',
      '\u{1f600}',
      '\ud800',
    ];
    let state = 1;
    for (let n = 0; n < 3000; n++) {
      let text = '';
      for (let length = n % 12; length >= 0; length--) {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
        text += pieces[state % pieces.length];
      }
      const parsed = parseQuery(text);
      if (parsed.ok) matches(parsed.value, MAIL);
      else expect(parsed.at).toBeLessThanOrEqual(text.length);
    }
  });
});

const address = (text: string, name = '') => ({ name, address: text });
const MAIL: Matchable = {
  messageId: 'Id-7@example.org',
  read: false,
  pinned: true,
  quarantine: null,
  verification: verified({ spf: 'fail', dkim: ['fail', 'pass'], dmarc: 'pass' }),
  from: address('anna@example.org', 'Änna Müller'),
  to: [address('bob@example.com', 'Bob'), address('carol@example.com')],
  cc: [address('cc@example.com')],
  bcc: [address('hidden@blind.example')],
  replyTo: [address('desk@example.net')],
  subject: 'Ihre Rechnung: 100% sicher',
  receivedAt: new Date('2026-03-01T10:00:00Z'),
  tags: ['To do', 'Ünique'],
  bytes: 2000,
  inboxes: ['bob@example.com', 'team-a@example.com'],
  envelope: ['bounce@relay.example', 'bob@example.com'],
  headers: [
    { name: 'X-Campaign', value: 'Spring sale' },
    { name: 'Received', value: 'from mx.example' },
  ],
  text: '邮件全文检索很好 ΟΔΟΣ the quick brown fox ภาษาไทย 메일을 invoice.pdf',
  fileNames: ['invoice.pdf'],
  attachments: 1,
  inline: 0,
};

describe('matches', () => {
  it.each([
    'rechnung', 'RECHNUNG', 'rech*', '"ihre rechnung"', 'quick fox', '"quick brown"', '"quick bro"*', '-cat',
    'anna@example.org', 'müller', 'änna', 'a\u0308nna', 'οδοσ', '检索', '全文检索', '邮', 'ไทย', '메일', 'spring', 'hidden',
    'from:anna', 'from:"änna müller"', 'to:carol', 'cc:cc', 'bcc:blind', 'reply-to:desk', 'addressed:relay',
    'addressed:hidden', 'subject:100', 'subject:%', 'message-id:id-7', 'filename:invoice', 'filename:inv*',
    'tag:"to do"', 'tag:to*', 'tag:ünique', 'inbox:BOB@example.com', 'inbox:*@example.com', 'inbox:team*',
    'header:x-campaign=spring', 'header:X-Campaign="spring sale"', 'header:received', 'is:unread', 'is:pinned',
    'is:tagged', 'is:verified', 'spf:fail', 'dkim:pass', 'dkim:fail', 'dmarc:PASS', 'arc:none', '-dkim:none', 'has:attachment', '-has:inline', 'after:2026-03-01', 'before:2026-03-02', 'larger:1k', 'smaller:2k',
    'after:2026-03-01T10:00:00Z', 'cat OR fox', '(cat OR fox) -dog', '',
  ])('finds by %s', (text) => {
    expect(matches(read(text), MAIL)).toBe(true);
  }); // biome-ignore format: a list of searches

  it.each([
    'rech', 'echnung', '"quick fox"', '"bob carol"', '索检', '好邮', 'from:bob', 'to:hidden', 'subject:fox', 'tag:to',
    'inbox:bob', 'inbox:example.com', 'header:x-campaign=sales', 'header:received=spring', 'header:x', 'is:read',
    'has:inline', 'before:2026-03-01T10:00:00Z', 'larger:2000', 'smaller:2000', '-fox', 'cat OR dog', 'fox -quick',
    'campaign', 'subject:$', 'spf:pass', 'dkim:none', 'is:pending',
  ])('does not find by %s', (text) => {
    expect(matches(read(text), MAIL)).toBe(false);
  }); // biome-ignore format: a list of searches

  it('finds parts of words where it is told to', () => {
    const part = (text: string): Query => ({ kind: 'text', text, prefix: false, phrase: false, infix: true });
    expect(matches(part('ECHNUN'), MAIL)).toBe(true);
    expect(matches(part('g: 100%'), MAIL)).toBe(true);
    expect(matches(part('spring'), MAIL)).toBe(false); // only in what lists do not show
  });

  it('knows which searches a summary cannot answer', () => {
    for (const text of ['word', 'has:attachment', 'header:x', 'filename:x', 'addressed:x', 'from:a OR word', '-word']) {
      expect([text, needsContent(read(text))]).toEqual([text, true]);
    }
    for (const text of ['', 'from:a to:b subject:c', 'is:unread tag:x', 'before:2h -larger:1k', 'inbox:*']) {
      expect([text, needsContent(read(text))]).toEqual([text, false]);
    }
  });
});
