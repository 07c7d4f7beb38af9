import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Query } from '../../src/mail/query.ts';
import { parseQuery } from '../../src/mail/query.ts';
import type { Store } from '../../src/mail/store.ts';
import { wordsOf } from '../../src/mail/words.ts';
import { searchedHeaders } from '../../src/store/sqlite/header-text.ts';
import { openWords, sealsOf } from '../../src/store/sqlite/sealed-words.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { createRandom, pick } from '../support/random.ts';
import { until } from '../support/until.ts';
import { sampleMessage } from './support.ts';

const signature = (name: string, b: string): string =>
  `${name}: v=1; a=rsa-sha256; d=letters1.example; s=k1;\r\n h=from:subject; bh=Ab12Cd34Ef56+gh/Ij78Kl90=;\r\n b=${b}\r\n`;
const mailWith = (head: string, text: string): Buffer =>
  Buffer.from(`${head}From: a@letters1.example\r\nSubject: ${text}\r\n\r\n${text}\r\n`);

describe('words of signatures', () => {
  it('are left out, one gap for those that follow each other, and all else stays', () => {
    const fields = searchedHeaders(
      mailWith(signature('DKIM-Signature', 'Qwert12345/Zxcvb+ab/Yuiop67890'), 'verification 1234567'),
    );
    expect(openWords(fields)).toEqual({
      words:
        ' v 1 a rsa sha256 d letters1 example s k1 h from subject bh \ue003 gh \ue003 b \ue003 ab \ue003 a letters1 example verification 1234567 ',
      sealed: ['ab12cd34ef56', 'ij78kl90', 'qwert12345', 'zxcvb', 'yuiop67890'],
    });
  });

  it('are kept in fields that are no signatures', () => {
    const fields = [{ name: 'X-Signature', value: 'b=Qwert12345' }];
    expect(openWords(fields)).toEqual({ words: ' b qwert12345 ', sealed: [] });
  });

  it('leave a beginning each, once', () => {
    expect(sealsOf(['qwert12345', 'qwert67890', 'zxcvb'])).toEqual(['\ue002qwert', '\ue002zxcvb']);
  });
});

describe('a search for words of signatures', () => {
  const raws: Buffer[] = [];
  const ids: string[] = [];
  let store: Store;
  const random = createRandom(31);
  const characters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/';
  const base64 = (length: number): string =>
    Array.from({ length }, () => characters[Math.floor(random() * characters.length)]).join('');

  beforeAll(async () => {
    store = await createSqliteStore({
      directory: ':memory:',
      naming: 'full',
      keepPerInbox: 0,
      keepBytes: 0,
      keepAgeMs: 0,
      report: (report) => {
        if (report.type === 'crash') throw report.error;
      },
    });
    for (let n = 0; n < 30; n++) {
      const name = pick(random, ['DKIM-Signature', 'ARC-Seal', 'ARC-Message-Signature', 'X-Other']);
      // some words stand in a signature and in a text too, and some begin alike
      const shared = pick(random, ['order', 'order77', 'orders', 'ab', '']);
      const b = `${base64(40)}/${shared}/${base64(30)}`;
      const text = pick(random, [`order ${n}`, `your orders`, b.slice(0, 14), 'order77 came']);
      const message = sampleMessage({ raw: mailWith(signature(name, b), text) });
      raws.push(mailWith(signature(name, b), text));
      ids.push(message.id);
      await store.save(message);
    }
    await until(async () => (await store.stats()).unindexed === 0);
  });
  afterAll(() => store.close());

  const found = async (query: Query): Promise<string[]> =>
    (await store.list({ query })).messages.map(({ id }) => id).sort();
  /** What words, phrases and beginnings mean, without an index: a phrase does not reach over the end of a field. */
  const expected = (query: Extract<Query, { kind: 'text' }>): string[] => {
    const phrase = ` ${wordsOf(query.text).join(' ')}${query.prefix ? '' : ' '}`;
    return ids
      .filter((_, n) => {
        const fields = searchedHeaders(raws[n]!);
        const texts = [fields.map(({ value }) => value).join('\x1e'), raws[n]!.toString().split('\r\n\r\n')[1]!];
        return texts.some((text) => ` ${wordsOf(text).join(' ')} `.includes(phrase));
      })
      .sort();
  };

  it('finds them whole, in phrases and by any beginning', async () => {
    for (let round = 0; round < 400; round++) {
      const fields = searchedHeaders(pick(random, raws));
      const words = wordsOf(fields.map(({ value }) => value).join('\x1e'));
      const length = 1 + Math.floor(random() * 4);
      const at = Math.floor(random() * (words.length - length));
      const some = words.slice(at, at + length);
      const prefix = random() < 0.5;
      if (prefix) some.push(some.pop()!.slice(0, 1 + Math.floor(random() * 8)));
      const query = { kind: 'text', text: some.join(' '), prefix, phrase: true } as const;
      expect(await found(query), `${some.join(' ')}${prefix ? '*' : ''}`).toEqual(expected(query));
    }
  }, 60_000);

  it('finds them beside other words, apart from them, and not at all', async () => {
    const word = (text: string): Extract<Query, { kind: 'text' }> => ({
      kind: 'text',
      text,
      prefix: false,
      phrase: true,
    });
    for (const text of ['order77', 'orders', 'order', 'gh', 'ij78kl90', 'ij78kl91']) {
      const all = expected(word(text));
      const not = ids.filter((id) => !all.includes(id)).sort();
      expect(await found({ kind: 'not', part: word(text) }), text).toEqual(not);
      const orders = expected(word('your'));
      const both = all.filter((id) => orders.includes(id));
      expect(await found({ kind: 'and', parts: [word(text), word('your')] }), text).toEqual(both);
      const either = [...new Set([...all, ...orders])].sort();
      expect(await found({ kind: 'or', parts: [word(text), word('your')] }), text).toEqual(either);
    }
  });

  it('finds them in their field, by `header:`', async () => {
    for (const [n, raw] of raws.entries()) {
      const field = searchedHeaders(raw)[0]!;
      const text = pick(random, wordsOf(field.value.split('b=').at(-1)!));
      const parsed = parseQuery(`header:${field.name}=${text}`);
      if (!parsed.ok) throw new Error(parsed.why);
      expect(await found(parsed.value)).toContain(ids[n]);
    }
  });

  it('is counted as it is listed', async () => {
    const query = { kind: 'text', text: 'order77', prefix: false, phrase: true } as const;
    expect((await store.list({ query, counts: true })).matches).toBe(expected(query).length);
  });
});
