import { describe, expect, it } from 'vitest';
import { StoreFeed } from '../../src/store/sqlite/store-feed.ts';

const batch = (first: number) => ({
  first,
  count: 1,
  at: 0,
  heads: JSON.stringify([[0, `m${first}`, ['a@b.test']]]),
  rows: '[null]',
});

function feedFrom(latest: number) {
  const reads: number[] = [];
  const feed = new StoreFeed({
    latest,
    read: async (after) => {
      reads.push(after);
      return [];
    },
    onError: (error) => {
      throw error;
    },
  });
  return { feed, reads };
}

describe('what came after an event', () => {
  it('is nothing behind the newest, which is known without a read', async () => {
    const { feed, reads } = feedFrom(7);
    expect(await feed.since(7, 10)).toEqual([]);
    feed.publish(batch(8));
    expect(await feed.since(8, 10)).toEqual([]);
    expect(reads).toEqual([]);
  });

  it('is read behind an earlier one, and behind one that was never told of', async () => {
    const { feed, reads } = feedFrom(7);
    await feed.since(6, 10);
    await feed.since(9, 10);
    feed.publish(batch(8));
    await feed.since(7, 10);
    expect(reads).toEqual([6, 9, 7]);
  });
});
