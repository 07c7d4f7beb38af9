/** A wall clock that is set, forwards and backwards, while the daemon runs. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createId, idTime } from '../../src/mail/message.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { sampleMessage } from '../store/support.ts';
import { parseDialogues, play } from '../support/dialogue.ts';

const DAY = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('ids stay unique and go on in order', () => {
  const ids: string[] = [];
  const start = Date.now();
  for (const jump of [0, 1, -1000, -365 * DAY, 2, 30 * DAY, -30 * DAY]) {
    vi.setSystemTime(Date.now() + jump);
    for (let count = 0; count < 500; count++) ids.push(createId());
  }
  expect(new Set(ids).size).toBe(ids.length);
  const times = ids.map(idTime);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBeGreaterThanOrEqual(start);
});

it('a jump ahead by a year takes no mail away, and one back keeps none from expiring', async () => {
  const store = await createSqliteStore({
    directory: ':memory:',
    naming: 'full',
    keepPerInbox: 0,
    keepBytes: 0,
    keepAgeMs: 7 * DAY,
    report: () => {},
  });
  const list = async (): Promise<number> => (await store.list({})).messages.length;
  await store.save(sampleMessage());
  vi.setSystemTime(Date.now() + 365 * DAY);
  await store.save(sampleMessage());
  expect(await list()).toBe(2);
  vi.setSystemTime(Date.now() - 365 * DAY);
  await store.save(sampleMessage());
  expect(await list()).toBe(3);
  const old = new Date(Date.now() - 8 * DAY);
  await store.save(sampleMessage({ receivedAt: old }));
  await store.save(sampleMessage());
  expect((await store.list({})).messages.map(({ receivedAt }) => receivedAt)).not.toContainEqual(old);
  await store.close();
});

it('deadlines of a session stand still: neither jump ends it', async () => {
  const steps = (jump: number): Promise<void> => {
    const text = '== jump\n@ commandMs 60000\nS: 220\nC: EHLO x.test\nS: 250\nC: NOOP\nS: 250\n';
    vi.setSystemTime(Date.now() + jump);
    return play('smtp', parseDialogues(text)[0]!, 'whole');
  };
  await steps(DAY);
  await steps(-2 * DAY);
});
