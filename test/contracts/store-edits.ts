import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Content, contentOf, createSpool, SPOOL_MEMORY_BYTES } from '../../src/mail/content.ts';
import type { ChangeEvent } from '../../src/mail/feed.ts';
import { amend, createId, type Message } from '../../src/mail/message.ts';
import { parseQuery, type Query } from '../../src/mail/query.ts';
import { type ContentForm, QUARANTINE_CHARACTERS, type Store } from '../../src/mail/store.ts';
import { PENDING } from '../../src/mail/verification.ts';
import { CAME, collect, LEFT, sampleMessage } from '../store/support.ts';
import { until } from '../support/until.ts';
import type { StoreVariant } from './store.ts';

const LARGE = SPOOL_MEMORY_BYTES + 1000;

/** What every store does with messages that a filter has changed or put into quarantine. */
export function describeStoreEdits({ name, open }: StoreVariant): void {
  describe(`store edits contract: ${name}`, () => {
    let store: Store;
    const spooled = mkdtempSync(join(tmpdir(), 'inboxd-edits-'));
    beforeAll(async () => {
      store = await open({});
    });
    afterAll(async () => {
      await store.close();
      rmSync(spooled, { recursive: true });
    });
    beforeEach(async () => void (await store.remove({ all: true })));

    const read = async (id: string, form?: ContentForm): Promise<Buffer | undefined> => {
      const content = await store.content(id, form);
      const bytes = content && (await collect(content.stream()));
      expect(bytes?.length).toBe(content?.bytes);
      return bytes;
    };
    const find = async (text: string): Promise<string[]> => {
      const query = parseQuery(text) as { ok: true; value: Query };
      return (await store.list({ query: query.value })).messages.map(({ id }) => id);
    };
    /** As a message is that a filter has put other content into. */
    const edited = (left: string | Content = LEFT, came: string | Content = CAME): Message => {
      const [after, before] = [left, came].map((one) =>
        typeof one === 'string' ? contentOf([Buffer.from(one)]) : one,
      );
      return amend(sampleMessage({ content: before! }), { content: after! });
    };
    const inFile = async (size: number, fill: string): Promise<Content> => {
      const writer = createSpool({ directory: spooled })();
      await writer.write(Buffer.from(`Subject: in a file\r\n\r\n`));
      await writer.write(Buffer.alloc(size, fill));
      return writer.finish(false);
    };

    describe('a message that nobody changed', () => {
      it('is the same in both forms', async () => {
        const message = sampleMessage({ raw: CAME });
        await store.save(message);
        expect((await read(message.id))?.toString()).toBe(CAME);
        expect((await read(message.id, 'edited'))?.toString()).toBe(CAME);
        expect(await store.get(message.id)).toMatchObject({ received: null, quarantine: null });
      });
    });

    describe('a changed content', () => {
      it.each(['save', 'accept'] as const)('is kept beside the one that came (%s)', async (method) => {
        const message = edited();
        await store[method](message);
        expect((await read(message.id))?.toString()).toBe(CAME);
        expect((await read(message.id, 'received'))?.toString()).toBe(CAME);
        expect((await read(message.id, 'edited'))?.toString()).toBe(LEFT);
        const stored = (await store.get(message.id))!;
        expect(stored.bytes).toBe(LEFT.length);
        expect(stored.received).toEqual({ envelope: stored.envelope, bytes: CAME.length });
      });

      it('is what lists show and searches find', async () => {
        const message = edited();
        await store.save(message);
        const [summary] = (await store.list({})).messages;
        expect(summary).toMatchObject({ subject: '[SPAM] Cheap pills', snippet: 'withheld', bytes: LEFT.length });
        await until(async () => (await store.stats()).unindexed === 0);
        expect(await find('withheld header:X-Filter=seen')).toEqual([message.id]);
        expect(await find('cheapword')).toEqual([]);
      });

      it('may be empty, and may be made of nothing', async () => {
        const [emptied, filled] = [edited(''), edited(LEFT, '')];
        await Promise.all([store.accept(emptied), store.accept(filled)]);
        expect((await read(emptied.id, 'edited'))?.length).toBe(0);
        expect((await read(emptied.id))?.toString()).toBe(CAME);
        expect((await read(filled.id, 'edited'))?.toString()).toBe(LEFT);
        expect((await read(filled.id))?.length).toBe(0);
      });

      it('is not mixed up with its neighbours in a batch', async () => {
        const messages = Array.from({ length: 60 }, (_, n) =>
          n % 3 === 0 ? edited(`left ${n}`, `came ${n}`) : sampleMessage({ raw: `plain ${n}` }),
        );
        await Promise.all(messages.map((message) => store.accept(message)));
        for (const [n, { id }] of messages.entries()) {
          const texts = [(await read(id))!.toString(), (await read(id, 'edited'))!.toString()];
          expect(texts).toEqual(n % 3 === 0 ? [`came ${n}`, `left ${n}`] : [`plain ${n}`, `plain ${n}`]);
        }
      });

      it.each([
        ['both', LARGE, LARGE],
        ['what came', LARGE, 10],
        ['what is left', 10, LARGE],
      ])('may be large: %s', async (_, came, left) => {
        const contents = [await inFile(left, 'l'), await inFile(came, 'c')] as const;
        const message = edited(...contents);
        const [wasLeft, wasCame] = [await collect(contents[0].stream()), await collect(contents[1].stream())];
        await store.accept(message);
        for (const content of contents) content.release();
        expect((await read(message.id))!.equals(wasCame)).toBe(true);
        expect((await read(message.id, 'edited'))!.equals(wasLeft)).toBe(true);
        await store.remove({ ids: [message.id] });
        expect(await store.content(message.id, 'edited')).toBeUndefined();
        expect(await store.stats()).toMatchObject({ messages: 0, contentBytes: 0 });
      });

      it('takes nothing from a message that makes its transcript when it is asked for it', async () => {
        const { transcript, ...facts } = sampleMessage({ content: await inFile(LARGE, 'c') });
        const lazy = Object.assign(
          Object.create({
            get transcript() {
              return transcript;
            },
          }),
          facts,
        ) as Message;
        const message = amend(lazy, { content: contentOf([Buffer.from(LEFT)]) });
        for (const one of [{ ...lazy, id: createId() }, message]) {
          Object.setPrototypeOf(one, Object.getPrototypeOf(lazy));
          await store.accept(one);
          expect((await store.get(one.id))?.transcript).toEqual(transcript);
        }
      });

      it('is kept once however often the message is saved', async () => {
        for (const message of [edited(), edited(await inFile(LARGE, 'l'), await inFile(LARGE, 'c'))]) {
          await Promise.all([store.save(message), store.accept(message)]);
          await store.save(message);
          expect((await read(message.id))!.length).toBe(message.original!.content.bytes);
        }
        expect((await store.stats()).messages).toBe(2);
      });

      it('leaves the flag of bare newlines as it came', async () => {
        const message = edited(LEFT, contentOf([Buffer.from('a\nb')], true));
        await store.save(message);
        expect((await store.get(message.id))?.bareNewlines).toBe(true);
      });

      it('counts, in the store and its inbox, and no longer when it is gone', async () => {
        const [message, other] = [edited(), sampleMessage({ raw: 'x' })];
        await store.save(message);
        await store.save(other);
        const both = CAME.length + LEFT.length;
        expect((await store.stats()).contentBytes).toBe(both + 1);
        expect((await store.inboxes()).inboxes[0]?.bytes).toBe(both + 1);
        await store.remove({ inbox: 'anna@example.com', ids: [message.id] });
        expect((await store.stats()).contentBytes).toBe(1);
        expect((await store.inboxes()).inboxes[0]?.bytes).toBe(1);
        expect(await store.content(message.id)).toBeUndefined();
      });

      it('is held to the bound on octets with the one that came', async () => {
        const bounded = await open({ keepBytes: CAME.length + LEFT.length + 10 });
        const [first, second] = [edited(), sampleMessage({ raw: 'more than ten octets' })];
        await bounded.save(first);
        await bounded.save(second);
        expect((await bounded.list({})).messages.map(({ id }) => id)).toEqual([second.id]);
        await bounded.close();
      });
    });

    describe('a changed envelope', () => {
      it('says in which inboxes the message lies; the one that came is kept', async () => {
        const came = sampleMessage({ from: 'a@example.org', to: ['anna@example.com', 'bob@example.com'] });
        const other = sampleMessage({ from: 'b@example.org', to: ['bob@example.com', 'carl@example.com'] });
        const message = amend({ ...came, verification: PENDING }, { envelope: other.envelope });
        await store.save(message);
        const stored = (await store.get(message.id))!;
        expect(stored.inboxes).toEqual(['bob@example.com', 'carl@example.com']);
        expect(stored.envelope.from).toBe('b@example.org');
        expect(stored.received?.bytes).toBeNull();
        expect(stored.received?.envelope.from).toBe('a@example.org');
        expect(stored.received?.envelope.to.map(({ inbox }) => inbox)).toEqual(['anna@example.com', 'bob@example.com']);
        expect((await read(message.id))!.equals((await read(message.id, 'edited'))!)).toBe(true);
        expect(await store.pending(10)).toMatchObject([{ id: message.id, mailFrom: 'a@example.org' }]);
      });
    });

    describe('quarantine', () => {
      const quarantined = (reason: string): Message => amend(sampleMessage({ raw: CAME }), { quarantine: reason });

      it('is known from the start, in lists, messages and events, and found', async () => {
        const events: ChangeEvent[] = [];
        const stop = store.feed.subscribe((event) => events.push(event));
        const [message, other] = [quarantined('looks odd'), sampleMessage()];
        await store.save(message);
        await store.save(other);
        stop();
        expect(await store.get(message.id)).toMatchObject({ quarantine: 'looks odd', received: null });
        expect((await store.list({})).messages.map(({ quarantine }) => quarantine)).toEqual([null, 'looks odd']);
        expect(events.map(({ summary }) => summary?.quarantine)).toEqual(['looks odd', null]);
        expect(await find('is:quarantined')).toEqual([message.id]);
        expect(await find('-is:quarantined')).toEqual([other.id]);
        expect((await store.list({ query: { kind: 'is', what: 'quarantined' }, counts: true })).matches).toBe(1);
      });

      it('ends with a release, which is an event, and can be taken back', async () => {
        const message = quarantined('looks odd');
        await store.save(message);
        const events: ChangeEvent[] = [];
        const stop = store.feed.subscribe((event) => events.push(event));
        expect(await store.change({ ids: [message.id] }, { quarantine: null })).toEqual([message.id]);
        expect(await store.change({ ids: [message.id] }, { quarantine: null })).toEqual([]);
        expect(await find('is:quarantined')).toEqual([]);
        expect(await store.change({ ids: [message.id] }, { quarantine: 'again' })).toEqual([message.id]);
        stop();
        expect(events.map(({ type, summary }) => [type, summary?.quarantine])).toEqual([
          ['changed', null],
          ['changed', 'again'],
        ]);
        expect(await find('is:quarantined is:unread')).toEqual([message.id]);
      });

      it('stays when something else of the message changes', async () => {
        const message = quarantined('looks odd');
        await store.save(message);
        await store.change({ ids: [message.id] }, { read: true, tags: ['seen'] });
        expect((await store.get(message.id))?.quarantine).toBe('looks odd');
      });

      it('may have no reason, and none without end', async () => {
        const [silent, wordy] = [quarantined(''), quarantined('x'.repeat(QUARANTINE_CHARACTERS + 1))];
        await store.save(silent);
        await store.save(wordy);
        expect((await store.get(silent.id))?.quarantine).toBe('');
        expect((await store.get(wordy.id))?.quarantine).toHaveLength(QUARANTINE_CHARACTERS);
        expect(await find('is:quarantined')).toEqual([wordy.id, silent.id]);
      });
    });
  });
}
