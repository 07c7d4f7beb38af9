import { beforeEach, describe, expect, it } from 'vitest';
import { HTTP_LIMITS } from '../../src/http/limits.ts';
import { MessageReader } from '../../src/http/message-reader.ts';
import type { MimeParser } from '../../src/mail/mime-parser.ts';
import { openPlainly } from '../../src/mail/plain-mail.ts';
import type { Store } from '../../src/mail/store.ts';

const contents = new Map<string, Buffer>();
const store = {
  async content(id: string) {
    const raw = contents.get(id);
    return (
      raw && {
        bytes: raw.length,
        async *stream() {
          if (raw.length === 0) throw new Error('EIO');
          yield raw;
        },
      }
    );
  },
} as unknown as Store;
let parsed: string[];
const parser: MimeParser = {
  async parse(raw) {
    parsed.push(raw.toString());
    return openPlainly(raw);
  },
  prepare() {},
  async close() {},
};
const reader = (cachedMessages: number, cachedBytes: number) =>
  new MessageReader(store, parser, { ...HTTP_LIMITS, cachedMessages, cachedBytes });

beforeEach(() => {
  parsed = [];
  contents.clear();
  for (const id of ['a', 'b', 'c']) contents.set(id, Buffer.from(id.repeat(10)));
});

describe('the reader of messages', () => {
  it('takes a message apart once, also for those who ask at the same time', async () => {
    const read = reader(2, 100);
    await Promise.all([read.parsed('a'), read.parsed('a')]);
    await read.parsed('a');
    expect(parsed).toHaveLength(1);
  });

  it('forgets the least recently used beyond its limits', async () => {
    for (const read of [reader(2, 1_000), reader(9, 20)]) {
      parsed = [];
      for (const id of ['a', 'b', 'a', 'c', 'a', 'b']) await read.parsed(id);
      expect(parsed.map((text) => text[0])).toEqual(['a', 'b', 'c', 'b']);
    }
  });

  it('does not keep what is larger than all it may keep', async () => {
    const read = reader(9, 5);
    await read.parsed('a');
    await read.parsed('a');
    expect(parsed).toHaveLength(2);
  });

  it('does not give a message that has been deleted', async () => {
    const read = reader(9, 100);
    await read.parsed('a');
    contents.delete('a');
    expect(await read.parsed('a')).toBeUndefined();
    expect(await read.headerFields('a')).toBeUndefined();
  });

  it('does not keep a failure', async () => {
    const read = reader(9, 100);
    contents.set('a', Buffer.alloc(0));
    await expect(read.parsed('a')).rejects.toThrow('EIO');
    contents.set('a', Buffer.from('\r\ntext'));
    expect((await read.parsed('a'))?.text).toBe('text');
  });
});
