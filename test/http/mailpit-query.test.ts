import { describe, expect, it } from 'vitest';
import { parseMailpitQuery } from '../../src/http/dialects/mailpit-query.ts';

const term = (field: string, text: string, negated = false) => ({ field, text, negated });

describe("Mailpit's search language", () => {
  it.each([
    ['hello', [term('any', 'hello')]],
    ['hello world', [term('any', 'hello'), term('any', 'world')]],
    ['"hello world"', [term('any', 'hello world')]],
    ['  spaced   out  ', [term('any', 'spaced'), term('any', 'out')]],
    ['subject:"a b"', [term('subject', 'a b')]],
    ['"subject:a b"', [term('subject', 'a b')]],
    ['SUBJECT:Ab', [term('subject', 'Ab')]],
    ['to:a from:b cc:c bcc:d', [term('to', 'a'), term('from', 'b'), term('cc', 'c'), term('bcc', 'd')]],
    ['reply-to:a addressed:b', [term('reply-to', 'a'), term('addressed', 'b')]],
    ['message-id:x@y', [term('message-id', 'x@y')]],
    ['is:read is:UNREAD', [term('is', 'read'), term('is', 'unread')]],
    ['-to:a !subject:b -c', [term('to', 'a', true), term('subject', 'b', true), term('any', 'c', true)]],
    ['-"a b"', [term('any', 'a b', true)]],
    ['-', [term('any', '-')]],
    ['a"b c"d', [term('any', 'ab cd')]],
    ['"never closed', [term('any', 'never closed')]],
    ['http://x/y', [term('any', 'http://x/y')]],
    [':x', [term('any', ':x')]],
    ['x:', [term('any', 'x:')]],
    ['to:a:b', [term('to', 'a:b')]],
  ])('%s', (query, terms) => {
    expect(parseMailpitQuery(query)).toEqual({ ok: true, terms });
  });

  it.each(['', '   ', '""', '" "'])('takes %j for no query', (query) => {
    expect(parseMailpitQuery(query)).toEqual({ ok: false, why: 'Error: no search query' });
  });

  it.each([
    ['tag:x', 'Error: tag: is not supported in searches'],
    ['-has:attachment', 'Error: has: is not supported in searches'],
    ['after:2026-01-01', 'Error: after: is not supported in searches'],
    ['before:2026-01-01', 'Error: before: is not supported in searches'],
    ['larger:1M', 'Error: larger: is not supported in searches'],
    ['smaller:1k', 'Error: smaller: is not supported in searches'],
    ['is:tagged', 'Error: is: can be is:read or is:unread'],
    ['to:', 'Error: to: needs a value'],
    ['a subject:""', 'Error: subject: needs a value'],
  ])('refuses %s instead of ignoring it', (query, why) => {
    expect(parseMailpitQuery(query)).toEqual({ ok: false, why });
  });

  it('stays fast on queries made to be slow', () => {
    for (const piece of ['"', '- ', 'to:x ', ':', '!"']) parseMailpitQuery(piece.repeat(50_000));
  });
});
