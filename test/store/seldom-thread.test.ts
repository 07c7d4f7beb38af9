import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeldomThread } from '../../src/store/sqlite/seldom-thread.ts';
import { until } from '../support/until.ts';
import type { SeldomMethods } from './seldom-worker.ts';

const NEVER_MS = 2 ** 31 - 1;

let folder: string;
let deaths: Error[];
let seldom: SeldomThread<SeldomMethods>;

function make(idleMs: number): SeldomThread<SeldomMethods> {
  const data = join(folder, 'opened');
  seldom = new SeldomThread(new URL('./seldom-worker.ts', import.meta.url), {
    name: 'seldom thread',
    data,
    idleMs,
    onDeath: (error) => deaths.push(error),
  });
  return seldom;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-seldom-'));
  writeFileSync(join(folder, 'opened'), 'first');
  deaths = [];
});
afterEach(async () => {
  await seldom.close();
  rmSync(folder, { recursive: true });
});

describe('a thread that is seldom wanted', () => {
  it('is started by the first call and has the others too', async () => {
    const thread = make(NEVER_MS);
    const [one, other] = await Promise.all([thread.call('thread', undefined), thread.call('thread', undefined)]);
    expect(other).toBe(one);
    expect(await thread.call('thread', undefined)).toBe(one);
  });

  it('ends when no call has come for a while, and comes back with the next', async () => {
    const thread = make(1);
    const first = await thread.call('thread', undefined);
    await until(async () => (await thread.call('thread', undefined)) !== first);
    expect(deaths).toEqual([]);
  });

  it('does not end while it works, however long that takes', async () => {
    const thread = make(1);
    const [waited, quick] = await Promise.all([thread.call('wait', 200), thread.call('thread', undefined)]);
    expect(waited).toBe('waited');
    expect(quick).toBeGreaterThan(0);
    expect(deaths).toEqual([]);
  });

  it('hands on what a method throws, and lives', async () => {
    const thread = make(NEVER_MS);
    const first = await thread.call('thread', undefined);
    await expect(thread.call('fail', undefined)).rejects.toThrow('no');
    expect(await thread.call('thread', undefined)).toBe(first);
  });

  it('is started anew after it has died, which is told once', async () => {
    const thread = make(NEVER_MS);
    const first = await thread.call('thread', undefined);
    const waiting = thread.call('wait', 60_000);
    await expect(thread.call('die', undefined)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: 'The seldom thread stopped: exit code 3',
    });
    await expect(waiting).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(await thread.call('thread', undefined)).not.toBe(first);
    expect(deaths.map(({ message }) => message)).toEqual(['The seldom thread stopped: exit code 3']);
  });

  it('rejects a call for which it cannot be opened, and is opened for the next', async () => {
    const thread = make(NEVER_MS);
    rmSync(join(folder, 'opened'));
    await expect(thread.call('text', undefined)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(thread.start()).rejects.toMatchObject({ code: 'ENOENT' });
    writeFileSync(join(folder, 'opened'), 'second');
    expect(await thread.call('text', undefined)).toBe('second');
    expect(deaths).toEqual([]);
  });
});

describe('closing it', () => {
  it.each([
    ['while it starts', false],
    ['when it has started', true],
  ])('%s lets what was called end, and refuses what comes', async (_when, isStarted) => {
    const thread = make(NEVER_MS);
    if (isStarted) await thread.start();
    const called = thread.call('thread', undefined);
    const closing = thread.close();
    await expect(thread.call('thread', undefined)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    expect(await called).toBeGreaterThan(0);
    await closing;
    expect(deaths).toEqual([]);
  });

  it('waits for one that is just ending', async () => {
    const thread = make(0);
    await thread.start();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await thread.close();
    expect(deaths).toEqual([]);
  });

  it('is nothing to one that was never wanted', async () => {
    await make(NEVER_MS).close();
    expect(deaths).toEqual([]);
  });
});
