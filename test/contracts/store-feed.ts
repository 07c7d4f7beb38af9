import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeEvent } from '../../src/mail/feed.ts';
import type { Store } from '../../src/mail/store.ts';
import { mail, sampleMessage } from '../store/support.ts';
import { until } from '../support/until.ts';
import type { StoreVariant } from './store.ts';

/** What every store tells of its changes. */
export function describeFeed({ name, open }: StoreVariant): void {
  describe(`store feed contract: ${name}`, () => {
    let store: Store;
    let from: number;
    beforeAll(async () => {
      store = await open({});
    });
    afterAll(() => store.close());
    beforeEach(async () => {
      await store.remove({ all: true });
      from = store.feed.latest();
    });

    async function since(id: number, limit = 1000): Promise<readonly ChangeEvent[]> {
      const events = await store.feed.since(id, limit);
      if (events === 'gone') throw new Error('gone');
      return events;
    }
    const plainly = (events: readonly ChangeEvent[]) =>
      events.map(({ type, message, inboxes }) => [type, message, [...inboxes].sort()]);
    function listen(of: Store = store): { events: ChangeEvent[]; stop: () => void } {
      const events: ChangeEvent[] = [];
      return { events, stop: of.feed.subscribe((event) => events.push(event)) };
    }

    it('tells what came, changed and went, live and afterwards, with ids that grow', async () => {
      const { events, stop } = listen();
      const message = sampleMessage({ to: ['a@example.com', 'b@example.com'], raw: mail('Told', 'with text') });
      await store.save(message);
      await store.save(message); // known already
      await store.change({ all: true }, { read: true });
      await store.change({ all: true }, { read: true }); // nothing to change
      await store.remove({ inbox: 'a@example.com' });
      await store.remove({ all: true });
      stop();
      const expected = [
        ['received', message.id, ['a@example.com', 'b@example.com']],
        ['changed', message.id, ['a@example.com', 'b@example.com']],
        ['deleted', message.id, ['a@example.com']],
        ['deleted', message.id, ['b@example.com']],
      ];
      expect(plainly(events)).toEqual(expected);
      expect(events.map(({ id }) => id)).toEqual([1, 2, 3, 4].map((n) => from + n));
      expect(events[0]?.summary).toMatchObject({ id: message.id, subject: 'Told', read: false, pinned: false });
      expect(events[1]?.summary).toMatchObject({ id: message.id, read: true });
      expect(events[2]?.summary).toBeUndefined();
      expect(Math.abs(events[0]!.at.getTime() - Date.now())).toBeLessThan(60_000);
      const later = await since(from);
      expect(plainly(later)).toEqual(expected);
      expect(later.map(({ id, at }) => [id, at])).toEqual(events.map(({ id, at }) => [id, at]));
      expect(store.feed.latest()).toBe(from + 4);
    });

    it('has told of a message when saving it is done', async () => {
      const { events, stop } = listen();
      for (let n = 1; n <= 20; n++) {
        const message = sampleMessage();
        await store.save(message);
        expect(events).toHaveLength(n);
        expect(events.at(-1)?.message).toBe(message.id);
        expect(store.feed.latest()).toBe(events.at(-1)?.id);
      }
      stop();
      await store.save(sampleMessage());
      expect(events).toHaveLength(20);
    });

    it('gives what came after an id, so many at a time', async () => {
      const messages = Array.from({ length: 30 }, () => sampleMessage());
      await Promise.all(messages.map((message) => store.save(message)));
      const ids: string[] = [];
      for (let at = from; ; ) {
        const events = await since(at, 7);
        if (events.length === 0) break;
        expect(events.length).toBeLessThanOrEqual(7);
        ids.push(...events.map(({ message }) => message));
        at = events.at(-1)!.id;
      }
      expect(ids).toEqual(messages.map(({ id }) => id));
      expect((await since(from, 1))[0]?.summary).toMatchObject({
        id: messages[0]?.id,
        snippet: expect.any(String) as string,
      });
      expect(await since(store.feed.latest())).toEqual([]);
    });

    it('takes no id of an earlier store for one of its own, however far it has counted', async () => {
      const earlier = await open({});
      await earlier.save(sampleMessage());
      const old = earlier.feed.latest();
      await earlier.close();
      const own = await open({});
      for (let n = 0; n < 3; n++) await own.save(sampleMessage());
      expect(own.feed.latest()).toBeGreaterThan(old);
      expect(await own.feed.since(old, 10)).toBe('gone');
      expect(await own.feed.since(0, 10)).toHaveLength(3);
      await own.close();
    });

    it('says when some are no longer kept, or never were', async () => {
      const own = await open({ keptEvents: 100 });
      const start = own.feed.latest();
      for (let n = 0; n < 25; n++) await Promise.all(Array.from({ length: 100 }, () => own.save(sampleMessage())));
      expect(own.feed.latest()).toBe(start + 2500);
      expect(await own.feed.since(0, 10)).toBe('gone');
      expect(await own.feed.since(start + 2501, 10)).toBe('gone');
      expect(await own.feed.since(start + 2400, 1000)).toHaveLength(100);
      await own.close();
    });

    it('tells of what the bounds take', async () => {
      const own = await open({ keepPerInbox: 1 });
      const { events } = listen(own);
      const [first, second] = [sampleMessage(), sampleMessage()];
      await own.save(first);
      await own.save(second);
      expect(plainly(events)).toEqual([
        ['received', first.id, ['anna@example.com']],
        ['received', second.id, ['anna@example.com']],
        ['deleted', first.id, ['anna@example.com']],
      ]);
      await own.close();
    });

    it('goes on telling others when one listener throws, and reports it', async () => {
      const wrong: unknown[] = [];
      const own = await open({ report: (report) => report.type === 'crash' && wrong.push(report.error) });
      const error = new Error('a listener of the test');
      own.feed.subscribe(() => {
        throw error;
      });
      const { events } = listen(own);
      await own.save(sampleMessage());
      expect(events).toHaveLength(1);
      expect(wrong).toEqual([error]);
      await own.close();
    });

    it('misses nothing between a look and a message', async () => {
      const seen = new Set<string>();
      let isOver = false;
      let at = from;
      const follow = async (): Promise<void> => {
        for (let isLast = false; !isLast; ) {
          isLast = isOver;
          const events = await since(at, 13);
          if (events.length > 0) isLast = false;
          for (const { id, message } of events) {
            expect(id).toBe(++at);
            seen.add(message);
          }
        }
      };
      const following = follow();
      const messages = Array.from({ length: 400 }, () => sampleMessage());
      await Promise.all(messages.map((message) => store.save(message)));
      isOver = true;
      await following;
      expect([...seen]).toEqual(messages.map(({ id }) => id));
    });

    it('tells of changes by query while messages come', async () => {
      const { events, stop } = listen();
      const messages = Array.from({ length: 700 }, () => sampleMessage());
      await Promise.all(messages.map((message) => store.save(message)));
      const changed = await store.change({ query: { kind: 'is', what: 'unread' } }, { addTags: ['seen'] });
      await until(() => events.length >= 1400);
      expect(changed).toHaveLength(700);
      expect(events.slice(700).every(({ type, summary }) => type === 'changed' && summary?.tags[0] === 'seen')).toBe(
        true,
      );
      stop();
    });
  });
}
