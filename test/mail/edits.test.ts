import { describe, expect, it } from 'vitest';
import { compareContents, compareEnvelopes, findEdits, readCompared } from '../../src/mail/edits.ts';
import type { StoredEnvelope } from '../../src/mail/store.ts';

async function* trickled(text: string, step: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

const compared = (text: string, step = 7) => readCompared(trickled(text, step));
const compare = async (came: string, left: string) => compareContents(await compared(came), await compared(left, 1));
const NOTHING = { headers: { added: [], removed: [], changed: [], isRearranged: false }, body: false };

describe('compareContents', () => {
  it('finds nothing where nothing changed', async () => {
    const mail = 'Subject: a\r\nReceived: x\r\nReceived: x\r\n\r\nbody\r\n';
    expect(await compare(mail, mail)).toEqual(NOTHING);
    expect(await compare('', '')).toEqual(NOTHING);
  });

  it('tells fields that were added, removed and changed', async () => {
    const { headers, body } = await compare(
      'Received: one\r\nReceived: two\r\nSubject: hi\r\nX-Secret: s\r\n\r\nbody',
      'X-Spam: yes\r\nReceived: zero\r\nReceived: one\r\nReceived: two\r\nsubject: [SPAM] hi\r\n\r\nbody',
    );
    expect(headers).toEqual({
      added: [
        { name: 'X-Spam', value: 'yes' },
        { name: 'Received', value: 'zero' },
      ],
      removed: [{ name: 'X-Secret', value: 's' }],
      changed: [{ name: 'subject', before: 'hi', after: '[SPAM] hi' }],
      isRearranged: false,
    });
    expect(body).toBe(false);
  });

  it('counts fields that are the same: one of three that is gone is removed once', async () => {
    const { headers } = await compare('A: 1\r\nA: 1\r\nA: 1\r\n\r\n', 'A: 1\r\nA: 1\r\n\r\n');
    expect(headers).toMatchObject({ added: [], removed: [{ name: 'A', value: '1' }], changed: [] });
  });

  it('says when the same fields stand there in another order, or are folded otherwise', async () => {
    expect((await compare('A: 1\r\nB: 2\r\n\r\n', 'B: 2\r\nA: 1\r\n\r\n')).headers.isRearranged).toBe(true);
    expect((await compare('A: 1 2\r\n\r\n', 'A: 1\r\n 2\r\n\r\n')).headers.isRearranged).toBe(true);
  });

  it('tells a body that changed, by whatever octet, and that there is one now', async () => {
    expect(await compare('A: 1\r\n\r\nbody\r\n', 'A: 1\r\n\r\nbody\n')).toEqual({ ...NOTHING, body: true });
    expect((await compare('A: 1\r\n\r\n', 'A: 1\r\n\r\nx')).body).toBe(true);
    expect((await compare('A: 1\r\n\r\nA: 1\r\n\r\nx', 'A: 1\r\n\r\nx')).body).toBe(true);
  });

  it('takes what is beyond its limits for body', async () => {
    const limits = { bytes: 20, fields: 10 };
    const long = `A: ${'x'.repeat(50)}`;
    const [came, left] = [`${long}1\r\n\r\n`, `${long}2\r\n\r\n`];
    const found = compareContents(
      await readCompared(trickled(came, 10), limits),
      await readCompared(trickled(left, 10), limits),
    );
    expect(found).toEqual({ ...NOTHING, body: true });
  });
});

const envelope = (from: string, ...to: string[]): StoredEnvelope => ({
  from,
  fromParams: {},
  to: to.map((address) => ({ address, params: {}, inbox: address, tag: '' })),
});

describe('compareEnvelopes', () => {
  it('tells the sender and recipients that changed', () => {
    expect(compareEnvelopes(envelope('a@x', 'b@x', 'c@x'), envelope('', 'c@x', 'd@x'))).toEqual({
      sender: { before: 'a@x', after: '' },
      recipients: { added: ['d@x'], removed: ['b@x'] },
    });
    expect(compareEnvelopes(envelope('a@x', 'b@x'), envelope('a@x', 'b@x'))).toEqual({
      sender: null,
      recipients: { added: [], removed: [] },
    });
  });
});

describe('findEdits', () => {
  const same = envelope('a@x', 'b@x');
  const reading = (came: string, left: string) => async (form: 'received' | 'edited') => ({
    stream: () => trickled(form === 'received' ? came : left, 3),
  });

  it('reads nothing of a message that came as it is, nor of one whose envelope alone changed', async () => {
    const never = () => Promise.reject(new Error('read'));
    expect(await findEdits({ envelope: same, received: null, bytes: 5 }, never)).toBeNull();
    const received = { envelope: envelope('z@x', 'b@x'), bytes: null };
    expect(await findEdits({ envelope: same, received, bytes: 5 }, never)).toEqual({
      ...NOTHING,
      sender: { before: 'z@x', after: 'a@x' },
      recipients: { added: [], removed: [] },
      bytes: { received: 5, edited: 5 },
    });
  });

  it('compares both forms of the content', async () => {
    const message = { envelope: same, received: { envelope: same, bytes: 12 }, bytes: 8 };
    expect(await findEdits(message, reading('A: 1\r\n\r\nbody', 'A: 1\r\n\r\n'))).toMatchObject({
      body: true,
      sender: null,
      bytes: { received: 12, edited: 8 },
    });
  });

  it('is null for what a filter wrote again as it was, and for a message that is gone', async () => {
    const message = { envelope: same, received: { envelope: same, bytes: 12 }, bytes: 12 };
    expect(await findEdits(message, reading('A: 1\r\n\r\nbody', 'A: 1\r\n\r\nbody'))).toBeNull();
    expect(await findEdits(message, async () => undefined)).toBeNull();
  });
});
