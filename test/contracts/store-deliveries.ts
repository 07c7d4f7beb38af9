import { afterEach, describe, expect, it } from 'vitest';
import type { DeliveryBounds, DeliveryQueue, DeliveryTarget, Overflow } from '../../src/mail/deliveries.ts';
import type { Store } from '../../src/mail/store.ts';
import { mail, sampleMessage } from '../store/support.ts';
import type { StoreSettings } from './store.ts';

/** A way to have a store that knows who is to be told of mail. */
export interface DeliveriesVariant {
  readonly name: string;
  open(settings: DeliveriesSettings): Promise<Store & { readonly deliveries: DeliveryQueue }>;
}

export type DeliveriesSettings = StoreSettings & {
  readonly deliveries?: { readonly targets: readonly DeliveryTarget[]; readonly bounds: DeliveryBounds };
};

const BOUNDS = { waiting: 100, dead: 10 };
const ATTEMPT = { at: 1_000, status: 503, why: 'answered 503', milliseconds: 7 };

/** What every queue of deliveries does. */
export function describeDeliveries({ name, open }: DeliveriesVariant): void {
  describe(`delivery contract: ${name}`, () => {
    let store: Awaited<ReturnType<DeliveriesVariant['open']>>;
    afterEach(() => store.close());

    async function openFor(
      targets: readonly DeliveryTarget[],
      bounds: DeliveryBounds = BOUNDS,
      settings: StoreSettings = {},
    ): Promise<DeliveryQueue> {
      store = await open({ ...settings, deliveries: { targets, bounds } });
      return store.deliveries;
    }

    async function save(subject: string, ...to: string[]): Promise<string> {
      const message = sampleMessage({ raw: mail(subject), to });
      await store.save(message);
      return message.id;
    }

    const all = { name: 'all', inboxes: [] };

    it('has a delivery for each message and target, with the inboxes that the target is told of', async () => {
      const queue = await openFor([all, { name: 'shop', inboxes: ['shop*', 'till@x.test'] }]);
      const first = await save('one', 'shop-1@x.test', 'ann@x.test', 'till@x.test');
      const second = await save('two', 'ann@x.test');
      expect(await queue.waiting('all', 0, 10)).toMatchObject([
        { id: `${first}:all`, message: first, inboxes: ['ann@x.test', 'shop-1@x.test', 'till@x.test'], attempts: 0 },
        { id: `${second}:all`, inboxes: ['ann@x.test'], isWanted: false },
      ]);
      const [shop, ...others] = await queue.waiting('shop', 0, 10);
      expect(others).toEqual([]);
      expect(shop).toMatchObject({ id: `${first}:shop`, inboxes: ['shop-1@x.test', 'till@x.test'] });
      expect(await queue.waiting('nobody', 0, 10)).toEqual([]);
    });

    it('has none of a message that is there already', async () => {
      const queue = await openFor([all]);
      const message = sampleMessage();
      await store.save(message);
      await store.save(message);
      expect(await queue.waiting('all', 0, 10)).toHaveLength(1);
    });

    it('pages, oldest first', async () => {
      const queue = await openFor([all]);
      const ids = [await save('1', 'a@x.test'), await save('2', 'a@x.test'), await save('3', 'a@x.test')];
      const [first, second] = await queue.waiting('all', 0, 2);
      expect([first?.message, second?.message]).toEqual(ids.slice(0, 2));
      expect((await queue.waiting('all', second!.seq, 2)).map(({ message }) => message)).toEqual(ids.slice(2));
    });

    it('keeps the summary of a message that is gone, by retention in its own transaction too', async () => {
      const queue = await openFor([all], BOUNDS, { keepPerInbox: 1 });
      await Promise.all([save('one', 'a@x.test'), save('two', 'a@x.test'), save('three', 'a@x.test')]);
      await store.remove({ all: true });
      expect((await store.stats()).messages).toBe(0);
      const waiting = await queue.waiting('all', 0, 10);
      const summaries = await Promise.all(waiting.map(async ({ seq }) => (await queue.get(seq))?.summary));
      expect(summaries.map((summary) => summary?.subject).sort()).toEqual(['one', 'three', 'two']);
      expect(summaries[0]).toMatchObject({ from: { address: 'sender@example.org' }, inboxes: ['a@x.test'] });
    });

    it('has what was settled no longer, and what is to be tried again with its count and time', async () => {
      const queue = await openFor([all]);
      for (const subject of ['done', 'unwanted', 'later', 'dead']) await save(subject, `${subject}@x.test`);
      const [done, unwanted, later, dead] = await queue.waiting('all', 0, 10);
      await Promise.all([
        queue.settle({ seq: done!.seq, outcome: 'delivered', attempt: { ...ATTEMPT, status: 200, why: '' } }),
        queue.settle({ seq: unwanted!.seq, outcome: 'unwanted' }),
        queue.settle({ seq: later!.seq, outcome: 'wanted' }),
        queue.settle({ seq: later!.seq, outcome: 'later', attempts: 3, dueAt: 5_000, attempt: ATTEMPT }),
        queue.settle({ seq: dead!.seq, outcome: 'dead', attempts: 4, why: 'answered 503, after 4 attempts' }),
      ]);
      expect(await queue.waiting('all', 0, 10)).toMatchObject([{ seq: later!.seq, isWanted: true, attempts: 3, dueAt: 5_000 }]); // biome-ignore format: a row
      expect(await queue.get(done!.seq)).toBeUndefined();
      expect(await queue.get(dead!.seq)).toBeUndefined();
      expect(await queue.dead('all', 10)).toMatchObject([
        { id: dead!.id, subject: 'dead', inboxes: ['dead@x.test'], attempts: 4, why: 'answered 503, after 4 attempts' },
      ]);
      const [counts] = await queue.counts();
      expect(counts).toMatchObject({ name: 'all', isConfigured: true, waiting: 1, dead: 1, last: ATTEMPT });
      expect(counts?.oldest).toBeInstanceOf(Date);
    });

    it('buries the oldest when more waits than may, tells of it, and forgets the oldest dead', async () => {
      const queue = await openFor([all], { waiting: 2, dead: 1 });
      const overflows: Overflow[] = [];
      queue.onOverflow((overflow) => overflows.push(overflow));
      const ids: string[] = [];
      for (let count = 1; count <= 4; count++) ids.push(await save(String(count), 'a@x.test'));
      expect((await queue.waiting('all', 0, 10)).map(({ message }) => message)).toEqual(ids.slice(2));
      expect(await queue.dead('all', 10)).toMatchObject([{ message: ids[1], why: 'more than 2 waited' }]);
      expect(overflows.reduce((sum, { buried }) => sum + buried, 0)).toBe(2);
      expect(overflows.reduce((sum, { forgotten }) => sum + forgotten, 0)).toBe(1);
      expect((await queue.counts())[0]).toMatchObject({ waiting: 2, dead: 1 });
    });

    it('takes one that was buried under way and delivered after all out of the dead', async () => {
      const queue = await openFor([all], { waiting: 1, dead: 5 });
      await save('one', 'a@x.test');
      const [underWay] = await queue.waiting('all', 0, 10);
      await save('two', 'a@x.test');
      expect(await queue.dead('all', 10)).toHaveLength(1);
      await queue.settle({ seq: underWay!.seq, outcome: 'delivered', attempt: { ...ATTEMPT, status: 200, why: '' } });
      expect(await queue.dead('all', 10)).toEqual([]);
      expect((await queue.counts())[0]).toMatchObject({ waiting: 1, dead: 0 });
    });

    it('replays the dead behind all that wait, oldest first, as far as there is room', async () => {
      const queue = await openFor([all], { waiting: 3, dead: 10 });
      let told = 0;
      for (const subject of ['one', 'two', 'three']) await save(subject, 'a@x.test');
      for (const { seq } of await queue.waiting('all', 0, 10)) await queue.settle({ seq, outcome: 'dead', attempts: 20, why: 'no' }); // biome-ignore format: a line
      await save('four', 'a@x.test');
      const last = (await queue.waiting('all', 0, 10)).at(-1)!.seq;
      queue.onAdded(() => told++);
      const [three, , one] = await queue.dead('all', 10);
      expect(await queue.replay('all', [one!.id])).toBe(1);
      expect(told).toBe(1);
      const [again] = await queue.waiting('all', last, 10);
      expect(again).toMatchObject({ id: one!.id, attempts: 0 });
      expect(await queue.replay('all')).toBe(1);
      expect(await queue.dead('all', 10)).toMatchObject([{ id: three!.id }]);
      expect(await queue.replay('all', ['unknown.all'])).toBe(0);
      expect(await queue.replay('nobody')).toBe(0);
      expect((await queue.counts())[0]).toMatchObject({ waiting: 3, dead: 1 });
    });

    it('keeps nothing for anybody where nobody is to be told', async () => {
      const queue = await openFor([]);
      await save('one', 'a@x.test');
      expect(await queue.counts()).toEqual([]);
    });
  });
}
