import { afterEach, describe, expect, it } from 'vitest';
import { threadEntry } from '../../src/mail/killable-thread.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Store } from '../../src/mail/store.ts';
import type { Fate } from '../../src/responders/carrier.ts';
import { Dispatch, type DispatchOptions } from '../../src/responders/dispatch.ts';
import type { DocketMethods } from '../../src/responders/docket-thread.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { startThread, type Thread } from '../../src/store/sqlite/thread.ts';
import { until } from '../support/until.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

type Outgoing = Extract<Report, { type: 'outgoing' }>;

/** A dispatch whose carrier gives these fates, one after the other, and then takes everything. */
async function start(fates: readonly Fate[], options: Partial<DispatchOptions> = {}) {
  const entry = threadEntry('../../src/responders/docket-thread', import.meta.url);
  const docket: Thread<DocketMethods> = await startThread<DocketMethods>(entry, { name: 'docket', data: ':memory:' });
  undo.push(() => docket.end());
  const told: Outgoing[] = [];
  const carried: string[] = [];
  const report = (one: Report): void => {
    if (one.type === 'outgoing') told.push(one);
  };
  const bounds = { directory: ':memory:', naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  const store: Store = await createSqliteStore({ ...bounds, report });
  undo.push(() => store.close());
  const rest = [...fates];
  const dispatch = new Dispatch({
    docket,
    store,
    carrier: {
      carry: async ({ recipient }) => {
        carried.push(recipient);
        return rest.shift() ?? { kind: 'sent', where: 'here' };
      },
      close() {},
    },
    hostname: 'mx.here.example',
    outgoingMs: 60_000,
    backOff: { firstMs: 1, longestMs: 1 },
    report,
    ...options,
  });
  undo.push(() => dispatch.close());
  const queue = async (recipient: string, content: Uint8Array | undefined): Promise<void> => {
    const kind = content ? 'answer' : 'forward';
    const job = { kind, message: `01${recipient}`, inbox: 'echo@a', worker: '', isPending: false } as const;
    await docket.call('take', { event: 1, jobs: [job], known: [] });
    const begun = await docket.call('begin', []);
    const limits = { now: Date.now(), intervalMs: 0, perHour: 0, outgoingMails: 100 };
    await docket.call('queue', { job: begun!, sender: recipient, mail: { recipient, content }, bounds: limits });
  };
  const results = (): string[] => told.map(({ recipient, result, attempts }) => `${recipient} ${result} ${attempts}`);
  return { dispatch, docket, queue, carried, results, told };
}

const content = new TextEncoder().encode('hi');
const later = { kind: 'later', why: 'greylisted', forAll: false } as const;
const down = { kind: 'later', why: 'no answer', forAll: true } as const;

describe('a mail that waits to leave', () => {
  it('is tried until it is taken', async () => {
    const { dispatch, queue, results, docket } = await start([later, down, later]);
    await queue('ann@b', content);
    dispatch.wake();
    await until(() => results().length === 4);
    expect(results()).toEqual(['ann@b later 1', 'ann@b later 2', 'ann@b later 3', 'ann@b sent 4']);
    expect(await docket.call('due', Date.now() + 1e9)).toBeUndefined();
  });

  it('is given up when it is too old', async () => {
    const { dispatch, queue, results, docket } = await start([down], { outgoingMs: 0 });
    await queue('ann@b', content);
    dispatch.wake();
    await until(() => results().length === 1);
    expect(results()).toEqual(['ann@b expired 1']);
    expect(await docket.call('due', Date.now() + 1e9)).toBeUndefined();
  });

  it.each(['refused', 'unknown'] as const)('is %s once and not tried again', async (kind) => {
    const { dispatch, queue, results, carried } = await start([{ kind, why: 'no' }]);
    await queue('ann@b', content);
    await queue('bob@b', content);
    dispatch.wake();
    await until(() => results().length === 2);
    expect(results()).toEqual([`ann@b ${kind} 1`, 'bob@b sent 1']);
    expect(carried).toEqual(['ann@b', 'bob@b']);
  });

  it('does not try others while the smarthost is down', async () => {
    const { dispatch, queue, results, carried } = await start([down], { backOff: { firstMs: 1e6, longestMs: 1e6 } });
    await queue('ann@b', content);
    await queue('bob@b', content);
    dispatch.wake();
    await until(() => results().length === 1);
    dispatch.wake();
    await dispatch.close();
    expect(carried).toEqual(['ann@b']);
  });

  it('is refused if it is a message that was deleted meanwhile', async () => {
    const { dispatch, queue, told, carried } = await start([]);
    await queue('admin@target.example', undefined);
    dispatch.wake();
    await until(() => told.length === 1);
    expect(told).toMatchObject([{ kind: 'forward', result: 'refused', detail: expect.stringContaining('deleted') }]);
    expect(carried).toEqual([]);
  });
});
