import { describe, expect, it } from 'vitest';
import { parseMailinatorPath } from '../../../src/smtp/parse/mailinator-path.ts';
import { createRandom, randomText } from '../../support/random.ts';

const mailbox = (text: string, prefix: 'FROM:' | 'TO:' = 'TO:') => {
  const found = parseMailinatorPath(prefix, text);
  return found.ok ? (found.value.path?.text ?? null) : found.why;
};

describe('an address, as the origin read it', () => {
  it.each([
    ['TO:<bob@d.test>', 'bob@d.test'],
    ['TO: <bob@d.test>', 'bob@d.test'],
    ['TO:bob@d.test', 'bob@d.test'],
    ['to:   bob@d.test', 'bob@d.test'],
    ['To: Bob <bob@d.test>', 'bob@d.test'],
    ['TO:Bob<bob@d.test>NOTIFY=NEVER', 'bob@d.test'],
    ['TO:<bob@d.test', 'bob@d.test'],
    ['TO:bob@d.test>', 'bob@d.test'],
    ['TO:<bob@d.test> ORCPT=rfc822;x@y', 'bob@d.test'],
    ['TO:bob+tag@d.test', 'bob+tag@d.test'],
  ])('is the first word with an @: %s', (text, found) => {
    expect(mailbox(text)).toBe(found);
  });

  it('may be the null sender', () => {
    expect(mailbox('FROM:<>', 'FROM:')).toBeNull();
    expect(mailbox('FROM: <> SIZE=1', 'FROM:')).toBeNull();
    expect(mailbox('TO:<>')).toBe('syntax');
    expect(mailbox('FROM:', 'FROM:')).toBe('syntax');
  });

  it.each(['TO:', 'TO:bob', 'TO:<bob>', 'TO:@d.test', 'TO:bob@', 'TO:@', `TO:${'a'.repeat(255)}@d`])(
    'is missed in %s',
    (text) => {
      expect(mailbox(text)).toBe('syntax');
    },
  );

  it('stands behind its prefix', () => {
    for (const text of ['bob@d.test', 'FROM:bob@d.test', 'TO bob@d.test', '']) expect(mailbox(text)).toBe('prefix');
  });

  it('holds nothing invisible', () => {
    for (const text of ['TO:b\0b@d', 'TO:bob@d\x7f', 'TO:b\tb@d', 'TO:b\u200bb@d'])
      expect(mailbox(text)).toBe('unsafe');
  });

  it('is found or not, whatever the text', () => {
    const random = createRandom(10);
    for (let round = 0; round < 10_000; round++) {
      const found = parseMailinatorPath('TO:', `TO:${randomText(random, 10)}`);
      if (found.ok) expect(found.value.path?.text).toMatch(/^[^\x00-\x20\x7f]+@[^\x00-\x20\x7f@]+$/);
    }
  });
});
