import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeliveryTarget, Overflow } from '../../src/mail/deliveries.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { mail, sampleMessage } from './support.ts';

const DAY = 86_400_000;

describe('deliveries over a restart', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'inboxd-deliveries-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const open = (names: readonly string[], { waiting = 10, dead = 10, days = 0 } = {}) => {
    const targets: DeliveryTarget[] = names.map((name) => ({ name, inboxes: [] }));
    return createSqliteStore({
      directory,
      naming: 'full',
      keepPerInbox: 0,
      keepBytes: 0,
      keepAgeMs: 0,
      report: () => {},
      now: () => Date.now() + days * DAY,
      deliveries: { targets, bounds: { waiting, dead } },
    });
  };

  it('stay as they were, and of a target that is gone while it is', async () => {
    const first = await open(['here', 'gone']);
    await first.save(sampleMessage({ raw: mail('one') }));
    const [delivery] = await first.deliveries.waiting('here', 0, 10);
    await first.deliveries.settle({ seq: delivery!.seq, outcome: 'later', attempts: 3, dueAt: 9 });
    await first.close();
    const second = await open(['here']);
    await second.save(sampleMessage({ raw: mail('two') }));
    expect(await second.deliveries.waiting('here', 0, 10)).toMatchObject([
      { id: delivery!.id, attempts: 3, dueAt: 9 },
      {},
    ]);
    expect(await second.deliveries.counts()).toMatchObject([
      { name: 'gone', isConfigured: false, waiting: 1 },
      { name: 'here', isConfigured: true, waiting: 2 },
    ]);
    await second.close();
    const third = await open(['here', 'gone']);
    expect(await third.deliveries.counts()).toMatchObject([{ isConfigured: true, waiting: 1 }, { waiting: 2 }]);
    await third.close();
  });

  it('go when they are old: dead letters, and what waits for a target that is gone', async () => {
    const first = await open(['here', 'gone']);
    for (const subject of ['dead', 'waits']) await first.save(sampleMessage({ raw: mail(subject) }));
    const [dead] = await first.deliveries.waiting('here', 0, 10);
    await first.deliveries.settle({ seq: dead!.seq, outcome: 'dead', attempts: 1, why: 'no' });
    await first.close();
    const later = await open(['here'], { days: 29 });
    expect(await later.deliveries.counts()).toMatchObject([
      { name: 'gone', waiting: 2 },
      { waiting: 1, dead: 1 },
    ]);
    await later.close();
    const last = await open(['here'], { days: 31 });
    expect(await last.deliveries.counts()).toMatchObject([{ name: 'here', waiting: 1, dead: 0 }]);
    await last.close();
  });

  it('are brought under bounds that have become narrower, and who listens then is told', async () => {
    const first = await open(['here']);
    for (let count = 0; count < 5; count++) await first.save(sampleMessage());
    await first.close();
    const second = await open(['here'], { waiting: 3, dead: 1 });
    const overflows: Overflow[] = [];
    second.deliveries.onOverflow((overflow) => overflows.push(overflow));
    expect(overflows).toEqual([{ target: 'here', buried: 2, forgotten: 1 }]);
    expect(await second.deliveries.counts()).toMatchObject([{ waiting: 3, dead: 1 }]);
    await second.close();
  });
});
