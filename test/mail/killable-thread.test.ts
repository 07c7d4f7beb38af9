import { afterEach, describe, expect, it } from 'vitest';
import {
  createKillableThread,
  type KillableThread,
  type KillableThreadOptions,
} from '../../src/mail/killable-thread.ts';
import type { Report } from '../../src/mail/report.ts';

type Job = 'work' | 'hang' | 'throw' | 'reject' | 'exit' | 'gorge' | 'count' | 'retire';

const MODULE = `
import { answerJobs } from '${new URL('../../src/mail/killable-thread.ts', import.meta.url)}';
let jobs = 0;
answerJobs((job, retire) => {
  jobs++;
  if (job === 'retire') retire();
  if (job === 'hang') for (;;);
  if (job === 'throw') throw new Error('thrown');
  if (job === 'reject') return Promise.reject(new Error('rejected'));
  if (job === 'exit') process.exit(3);
  if (job === 'gorge') for (const all = []; ; ) all.push(new Array(100_000).fill(all.length));
  return job === 'count' ? jobs : 'done';
});
`;

let reports: Report[] = [];
let thread: KillableThread<Job, unknown>;

function start(options: Partial<KillableThreadOptions> = {}): void {
  reports = [];
  thread = createKillableThread<Job, unknown>({
    name: 'test',
    entry: new URL(`data:text/javascript,${encodeURIComponent(MODULE)}`),
    jobMs: 5_000,
    waitingJobs: 10,
    heapMebibytes: 64,
    idleMs: 60_000,
    report: (report) => reports.push(report),
    ...options,
  });
}
afterEach(() => thread.close());

const reported = () =>
  reports.map((report) => (report.type === 'crash' ? [report.where, String(report.error)] : report));

describe('a killable thread', () => {
  it('works on one job after the other', async () => {
    start();
    expect(await Promise.all([thread.run('count'), thread.run('count'), thread.run('count')])).toEqual([1, 2, 3]);
    expect(reports).toEqual([]);
  });

  it.each([
    ['throw', 'thrown'],
    ['reject', 'rejected'],
    ['exit', 'ended with code 3'],
    ['gorge', 'memory'],
  ] as const)('answers undefined to a job that ends in %s, reports it and goes on afresh', async (job, cause) => {
    start();
    expect(await Promise.all([thread.run('work'), thread.run(job), thread.run('count')])).toEqual([
      'done',
      undefined,
      1,
    ]);
    expect(reported()).toEqual([['test', expect.stringContaining(cause)]]);
  });

  it('stops at a job that takes too long', async () => {
    start({ jobMs: 1_000 });
    expect(await thread.run('hang')).toBeUndefined();
    expect(reported()).toEqual([['test', expect.stringContaining('after 1000 ms')]]);
    await expect.poll(() => thread.run('work'), { timeout: 15_000 }).toBe('done');
  });

  it('takes no more jobs than may wait', async () => {
    start({ waitingJobs: 2 });
    const jobs = Array.from({ length: 5 }, () => thread.run('work'));
    expect(await Promise.all(jobs)).toEqual(['done', 'done', 'done', undefined, undefined]);
  });

  it('starts afresh after a job that asks for it, and reports nothing', async () => {
    start();
    expect(await Promise.all([thread.run('count'), thread.run('retire'), thread.run('count')])).toEqual([1, 'done', 1]);
    expect(reports).toEqual([]);
  });

  it('stops when nothing comes, and starts again', async () => {
    start({ idleMs: 1 });
    thread.prepare();
    expect(await thread.run('count')).toBe(1);
    await expect.poll(() => thread.run('count')).toBe(1);
    expect(reports).toEqual([]);
  });

  it('starts when a job is expected, and is there until none has come for a while', async () => {
    const port = new BroadcastChannel('killable-thread.test');
    const started = new Promise((resolve) => port.addEventListener('message', resolve, { once: true }));
    const announce = `new BroadcastChannel('killable-thread.test').postMessage('started'); ${MODULE}`;
    start({ entry: new URL(`data:text/javascript,${encodeURIComponent(announce)}`) });
    thread.prepare();
    await started;
    thread.prepare();
    expect(await Promise.all([thread.run('count'), thread.run('count')])).toEqual([1, 2]);
    thread.prepare();
    expect(await thread.run('count')).toBe(3);
    port.close();
    expect(reports).toEqual([]);
  });

  it('is not started for a job that is expected once it is closed', async () => {
    start({ entry: new URL('data:text/javascript,throw new Error("was started")') });
    await thread.close();
    thread.prepare();
    expect(await thread.run('work')).toBeUndefined();
    expect(reports).toEqual([]);
  });

  it('answers undefined to everything once it is closed', async () => {
    start();
    const jobs = [thread.run('hang'), thread.run('work')];
    await thread.close();
    expect(await Promise.all(jobs)).toEqual([undefined, undefined]);
    expect(await thread.run('work')).toBeUndefined();
    expect(reports).toEqual([]);
  });
});
