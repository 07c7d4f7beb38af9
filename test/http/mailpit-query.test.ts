import { describe, expect, it } from 'vitest';
import { parseMailpitQuery } from '../../src/http/dialects/mailpit-query.ts';
import type { Query, TextField } from '../../src/mail/query.ts';

const word = (text: string): Query => ({ kind: 'text', text, prefix: false, phrase: true, infix: true });
const field = (name: TextField, text: string): Query => ({
  kind: 'field',
  field: name,
  text,
  prefix: false,
  infix: name !== 'tag',
});
const not = (part: Query): Query => ({ kind: 'not', part });
const all = (...parts: Query[]): Query => ({ kind: 'and', parts });

describe("Mailpit's search language", () => {
  it.each<[string, Query]>([
    ['hello', word('hello')],
    ['hello world', all(word('hello'), word('world'))],
    ['"hello world"', word('hello world')],
    ['  spaced   out  ', all(word('spaced'), word('out'))],
    ['subject:"a b"', field('subject', 'a b')],
    ['"subject:a b"', field('subject', 'a b')],
    ['SUBJECT:Ab', field('subject', 'Ab')],
    ['to:a from:b cc:c bcc:d', all(field('to', 'a'), field('from', 'b'), field('cc', 'c'), field('bcc', 'd'))],
    ['reply-to:a addressed:b', all(field('reply-to', 'a'), field('addressed', 'b'))],
    ['message-id:x@y', field('message-id', 'x@y')],
    ['tag:"Two Words"', field('tag', 'Two Words')],
    [
      'is:read is:UNREAD is:tagged',
      all({ kind: 'is', what: 'read' }, { kind: 'is', what: 'unread' }, { kind: 'is', what: 'tagged' }),
    ],
    ['has:attachment', { kind: 'has', what: 'attachment' }],
    ['has:Attachments', { kind: 'has', what: 'attachment' }],
    ['-has:inlines', not({ kind: 'has', what: 'inline' })],
    ['larger:1.5M', { kind: 'larger', bytes: 1_572_864 }],
    ['smaller:20kb', { kind: 'smaller', bytes: 20_480 }],
    ['larger:500', { kind: 'larger', bytes: 500 }],
    ['larger:many', word('larger:many')],
    ['-to:a !subject:b -c', all(not(field('to', 'a')), not(field('subject', 'b')), not(word('c')))],
    ['-"a b"', not(word('a b'))],
    ['-', word('-')],
    ['a"b c"d', word('ab cd')],
    ['"never closed', word('never closed')],
    ['http://x/y', word('http://x/y')],
    [':x', word(':x')],
    ['x:', word('x:')],
    ['to:a:b', field('to', 'a:b')],
    ['inbox:a OR b', all(word('inbox:a'), word('OR'), word('b'))],
  ])('%s', (query, value) => {
    expect(parseMailpitQuery(query)).toEqual({ ok: true, value });
  });

  it.each([
    ['after:2026-01-02', 'UTC', 'after', '2026-01-02T00:00:00.000Z'],
    ['after:2026-01-02', 'Asia/Tokyo', 'after', '2026-01-01T15:00:00.000Z'],
    ['after:"2026-01-02 03:04"', 'America/New_York', 'after', '2026-01-02T08:04:00.000Z'],
    ['after:2026-01-02T03:04:05Z', 'Asia/Tokyo', 'after', '2026-01-02T03:04:05.000Z'],
    ['before:2026-01-02', 'UTC', 'before', '2026-01-02T00:00:00.001Z'],
    ['before:"2 Jan 2026 00:00 UTC"', 'UTC', 'before', '2026-01-02T00:00:00.001Z'],
  ])('%s in %s', (query, zone, kind, at) => {
    expect(parseMailpitQuery(query, zone)).toEqual({ ok: true, value: { kind, at: new Date(at) } });
  });

  it('takes a zone that nobody knows for none', () => {
    expect(parseMailpitQuery('after:2026-01-02', 'Nowhere/None')).toEqual(parseMailpitQuery('after:2026-01-02'));
  });

  it.each(['', '   ', '""', '" "'])('takes %j for no query', (query) => {
    expect(parseMailpitQuery(query)).toEqual({ ok: false, why: 'Error: no search query' });
  });

  it.each([
    ['after:never', 'Error: there is no such date as never'],
    ['is:__proto__', 'Error: is: can be read, unread, tagged'],
    ['has:wings', 'Error: has: can be attachment, attachments, inline, inlines'],
    ['to:', 'Error: to: needs a value'],
    ['has:', 'Error: has: needs a value'],
    ['a subject:""', 'Error: subject: needs a value'],
    ['x '.repeat(201), 'Error: a search has at most 200 terms'],
    ['x'.repeat(5_000), 'Error: a search has at most 4096 characters'],
  ])('refuses %s instead of ignoring it', (query, why) => {
    expect(parseMailpitQuery(query)).toEqual({ ok: false, why });
  });

  it('stays fast on queries made to be slow', () => {
    for (const piece of ['"', '- ', 'to:x ', ':', '!"']) parseMailpitQuery(piece.repeat(50_000));
  });
});
