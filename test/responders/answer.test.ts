import { describe, expect, it } from 'vitest';
import { checkAnswer } from '../../src/responders/answer.ts';
import { RESPONDER_LIMITS } from '../../src/responders/limits.ts';

describe('what an agent gives', () => {
  it.each([undefined, null])('is no answer: %s', (given) => {
    expect(checkAnswer(given)).toEqual({ ok: true, answer: undefined });
  });

  it('is filled in, and looked at again is the same', () => {
    const checked = checkAnswer({
      text: 'hi',
      attachments: [{ fileName: 'a.txt', content: 'é' }],
      headers: { 'X-Mood': 'good', Organization: 'Zoë' },
    });
    const answer = {
      subject: undefined,
      text: 'hi',
      html: '',
      attachments: [{ fileName: 'a.txt', contentType: '', content: new TextEncoder().encode('é') }],
      headers: { 'X-Mood': 'good', Organization: 'Zoë' },
    };
    expect(checked).toEqual({ ok: true, answer });
    expect(checkAnswer(checked.ok && checked.answer)).toEqual(checked);
  });

  it.each([
    ['a string', 'hello', 'an answer is an object, not string'],
    ['an array', [], 'an answer is an object, not an array'],
    ['a key that nobody knows', { txt: 'a' }, 'and no "txt"'],
    ['another recipient', { text: 'a', to: 'b@c' }, 'and no "to"'],
    ['nothing in it', {}, 'has neither text, html nor attachments'],
    ['a text that is none', { text: 5 }, 'text is a string, not number'],
    ['HTML that is none', { html: {} }, 'html is a string, not object'],
    ['a line end in the subject', { subject: 'a\r\nBcc: b@c', text: 'a' }, 'subject has a line end'],
    ['half a character in the subject', { subject: '\ud800', text: 'a' }, 'subject has half a character'],
    ['a long subject', { subject: 'a'.repeat(501), text: 'a' }, 'subject has more than 500 characters'],
    ['a huge text', { text: 'a'.repeat(RESPONDER_LIMITS.textCharacters + 1) }, 'text has more than 1048576 characters'],
    ['headers that are none', { text: 'a', headers: ['X-A: b'] }, 'headers is an object'],
    ['a line end in a header', { text: 'a', headers: { 'X-A': 'b\nBcc: c@d' } }, 'X-A has a line end'],
    ['a line end in the name of a header', { text: 'a', headers: { 'X-A\r\nBcc': 'b' } }, 'headers may not have "X-A'],
    ['a header of another type', { text: 'a', headers: { 'X-A': 5 } }, 'X-A is a string, not number'],
    ['a blind copy', { text: 'a', headers: { Bcc: 'b@c' } }, 'headers may not have "Bcc"'],
    ['another sender', { text: 'a', headers: { from: 'b@c' } }, 'headers may not have "from"'],
    ['its own Reply-To', { text: 'a', headers: { 'Reply-To': 'b@c' } }, 'headers may not have "Reply-To"'],
    ['a denial that a program wrote it', { text: 'a', headers: { 'Auto-Submitted': 'no' } }, 'headers may not have'],
    ['our mark against loops', { text: 'a', headers: { 'x-loop': 'b' } }, 'headers may not have "x-loop"'],
    ['too many headers', { text: 'a', headers: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`X-${n}`, 'a'])) }, 'more than 20 fields'],
    ['attachments that are none', { attachments: 'a' }, 'attachments is an array'],
    ['too many attachments', { attachments: Array(21).fill({ fileName: 'a', content: '' }) }, 'attachments has more than 20'],
    ['huge attachments', { attachments: [{ fileName: 'a', content: new Uint8Array(5 * 2 ** 20 + 1) }] }, 'attachments have more than 5242880 bytes'],
    ['an attachment by path', { attachments: [{ fileName: 'a', path: '/etc/passwd' }] }, 'and no "path"'],
    ['an attachment without content', { attachments: [{ fileName: 'a' }] }, 'content of an attachment is'],
    ['a path as file name', { attachments: [{ fileName: '../a', content: '' }] }, 'fileName is a name without slashes'],
    ['an unseen character in a file name', { attachments: [{ fileName: 'a\u202egpj.exe', content: '' }] }, 'fileName is a name'],
    ['a content type with more in it', { attachments: [{ fileName: 'a', content: '', contentType: 'text/plain\r\nX: y' }] }, 'contentType is of the form'],
  ])('is refused with %s', (_, given, why) => {
    expect(checkAnswer(given)).toEqual({ ok: false, why: expect.stringContaining(why) });
  }); // biome-ignore format: a table
});
