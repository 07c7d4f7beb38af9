import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Docket, type Job, type NewJob } from '../../src/responders/docket.ts';

let folder = '';
let path = '';
let docket: Docket;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inboxd-docket-'));
  path = join(folder, 'responders.db');
  docket = new Docket(path);
});
afterEach(() => {
  docket.close();
  rmSync(folder, { recursive: true });
});

/** As after a kill: whatever was only in memory is gone. */
function reopen(): ReturnType<Docket['start']> {
  docket.close();
  docket = new Docket(path);
  return docket.start();
}

const job = (message: string, changes: Partial<NewJob> = {}): NewJob => {
  return { kind: 'answer', message, inbox: 'echo@a', worker: 'echo.ts', isPending: false, ...changes };
};
const take = (event: number, ...jobs: NewJob[]): number => docket.take({ event, jobs, known: [] });
const begin = (...busy: string[]): Job => docket.begin(busy)!;
const HOUR = 3_600_000;
const bounds = { now: 10 * HOUR, intervalMs: HOUR, perHour: 3, outgoingMails: 5 };
const content = new TextEncoder().encode('hi');
const queue = (one: Job, sender = 'ann@b', changes: Partial<typeof bounds> = {}) =>
  docket.queue({ job: one, sender, mail: { recipient: sender, content }, bounds: { ...bounds, ...changes } });

describe('jobs', () => {
  it('are there once, whatever is read twice, and the place is kept with them', () => {
    expect(docket.start()).toEqual({ event: null, pending: [], lost: [] });
    expect(take(7, job('m1'), job('m2'))).toBe(2);
    expect(take(8, job('m1'), job('m1', { inbox: 'time@a' }), job('m1', { kind: 'forward' }))).toBe(4);
    expect(reopen().event).toBe(8);
  });

  it('are begun oldest first, none twice, and none of the busy', () => {
    take(1, job('m1'), job('m2', { worker: 'time.ts' }), job('m3'));
    expect(begin().message).toBe('m1');
    expect(begin('echo.ts').message).toBe('m2');
    expect(docket.begin(['echo.ts'])).toBeUndefined();
    expect(begin().message).toBe('m3');
    expect(docket.begin([])).toBeUndefined();
  });

  it('are begun again after a crash, which counts, and after a stop, which does not', () => {
    take(1, job('m1'));
    expect(begin().attempts).toBe(1);
    reopen();
    const second = begin();
    expect(second.attempts).toBe(2);
    docket.putBack(second.job);
    reopen();
    expect(begin().attempts).toBe(2);
  });

  it('wait until it is known who sent the mail', () => {
    expect(take(1, job('m1', { isPending: true }))).toBe(0);
    expect(docket.begin([])).toBeUndefined();
    expect(reopen().pending).toEqual(['m1']);
    docket.take({ event: 2, jobs: [], known: ['m1'] });
    expect(begin().message).toBe('m1');
  });

  it('end without anything coming of them', () => {
    take(1, job('m1'), job('m2'));
    expect(docket.drop(begin().job)).toBe(1);
    expect(begin().message).toBe('m2');
  });
});

describe('what goes out', () => {
  it('is in line when the job is done, all or nothing', () => {
    take(1, job('m1'));
    const one = begin();
    expect(queue(one)).toBeUndefined();
    expect(docket.begin([])).toBeUndefined();
    reopen();
    expect(docket.due(bounds.now)).toMatchObject({ mail: { message: 'm1', recipient: 'ann@b', attempts: 0, content } });
  });

  it('goes out once for a mail, even if its job should come again', () => {
    take(1, job('m1'));
    queue(begin());
    take(1, job('m1'));
    const again = begin();
    expect(docket.excess({ job: again, sender: 'other@b', bounds })).toBe('twice');
    expect(queue(again, 'other@b')).toBe('twice');
    expect(docket.begin([])).toBeUndefined();
  });

  it('goes once in an interval from an inbox to a sender', () => {
    take(1, job('m1'), job('m2'), job('m3', { inbox: 'time@a' }), job('m4'), job('m5'));
    expect(queue(begin())).toBeUndefined();
    expect(queue(begin(), 'ann@b', { now: bounds.now + HOUR - 1 })).toBe('interval');
    expect(queue(begin())).toBeUndefined();
    expect(queue(begin(), 'bob@b')).toBeUndefined();
    expect(queue(begin(), 'ann@b', { now: bounds.now + HOUR })).toBeUndefined();
  });

  it('does not wait for a time that a clock in the future has written down', () => {
    take(1, job('m1'), job('m2'));
    queue(begin(), 'ann@b', { now: bounds.now + 1000 * HOUR });
    expect(queue(begin())).toBeUndefined();
  });

  it('has no interval where that is off', () => {
    take(1, job('m1'), job('m2'));
    queue(begin());
    expect(queue(begin(), 'ann@b', { intervalMs: 0 })).toBeUndefined();
  });

  it('is bounded for everybody, and by what waits to leave', () => {
    take(1, ...['1', '2', '3', '4', '5', '6', '7'].map((id) => job(id)));
    for (const sender of ['a@b', 'b@b', 'c@b']) expect(queue(begin(), sender)).toBeUndefined();
    expect(queue(begin(), 'd@b')).toBe('hour');
    for (const sender of ['d@b', 'e@b']) expect(queue(begin(), sender, { perHour: 100 })).toBeUndefined();
    expect(queue(begin(), 'f@b', { perHour: 100 })).toBe('queue');
  });

  it('leaves when it is due, the earliest first', () => {
    take(1, job('m1'), job('m2'));
    queue(begin(), 'a@b');
    queue(begin(), 'b@b');
    const first = docket.due(bounds.now);
    if (!first || !('mail' in first)) throw new Error('nothing is due');
    docket.defer({ mail: first.mail.mail, dueAt: bounds.now + 500 });
    expect(docket.due(bounds.now)).toMatchObject({ mail: { recipient: 'b@b' } });
    const second = docket.due(bounds.now);
    if (second && 'mail' in second) docket.settle(second.mail.mail);
    expect(docket.due(bounds.now)).toEqual({ at: bounds.now + 500 });
    expect(docket.due(bounds.now + 500)).toMatchObject({ mail: { recipient: 'a@b', attempts: 1 } });
  });

  it('that was handed over when the daemon died is told once, and never sent again', () => {
    take(1, job('m1'));
    queue(begin());
    const due = docket.due(bounds.now);
    if (!due || !('mail' in due)) throw new Error('nothing is due');
    docket.handOver(due.mail.mail);
    expect(reopen().lost).toMatchObject([{ message: 'm1', recipient: 'ann@b' }]);
    expect(reopen().lost).toEqual([]);
    expect(docket.due(bounds.now)).toBeUndefined();
  });
});

describe('the file', () => {
  it('of another program, or of a later version, is left alone', () => {
    const foreign = join(folder, 'foreign.db');
    const other = new DatabaseSync(foreign);
    other.exec('PRAGMA application_id = 5; CREATE TABLE x (y)');
    other.close();
    expect(() => new Docket(foreign)).toThrow('it is a database of another program');
    const later = new DatabaseSync(path);
    later.exec('PRAGMA user_version = 9');
    later.close();
    expect(() => new Docket(path)).toThrow('it is of version 9, and this inboxd knows version 1');
    writeFileSync(join(folder, 'junk.db'), 'x'.repeat(4096));
    expect(() => new Docket(join(folder, 'junk.db'))).toThrow('not a database');
  });
});
