import { describe, expect, it } from 'vitest';
import { Directory } from '../../src/eurechat/directory.ts';
import { DIRECTORY_LIMITS, type DirectoryLimits } from '../../src/eurechat/limits.ts';
import { usersOf } from '../../src/eurechat/names.ts';
import { mayCall } from '../../src/eurechat/place.ts';
import type { Naming } from '../../src/mail/inbox.ts';
import type { Report } from '../../src/mail/report.ts';
import { passOf, ScriptedCaller, ScriptedFeed } from '../support/scripted-directory.ts';
import { until } from '../support/until.ts';

const place = (port: number, address = '127.0.0.1') => ({ address, port, source: address });

class Desk implements Disposable {
  readonly caller = new ScriptedCaller([5001, 5002, 5003]);
  readonly feed = new ScriptedFeed();
  readonly reports: Report[] = [];
  readonly directory: Directory;

  constructor(limits: Partial<DirectoryLimits> = {}, naming: Naming = 'full') {
    this.directory = new Directory({
      caller: this.caller,
      limits: { ...DIRECTORY_LIMITS, restMs: 0, ...limits },
      feed: this.feed,
      naming,
      report: (one) => void this.reports.push(one),
    });
  }

  get bound(): readonly string[] {
    return this.directory.list(passOf(''));
  }

  /** What the directory told, as `ID port`. */
  get told(): string[] {
    return this.caller.calls.flatMap((call) => {
      const match = /^MESSAGE \d+ inboxd\n(\S+) .*:(\d+)$/.exec(call);
      return match ? [`${match[1]} ${match[2]}`] : [];
    });
  }

  results(): string[] {
    return this.reports.flatMap((one) =>
      one.type === 'notice' ? [`${one.message} ${one.result} ${one.why}`.trim()] : [],
    );
  }

  async settled(count: number): Promise<void> {
    await until(() => this.results().length >= count);
  }

  [Symbol.dispose](): void {
    this.directory.close();
  }
}

describe('notices', () => {
  it('are one line of id, sender, subject and size', async () => {
    using desk = new Desk();
    await desk.directory.bind(passOf('ann@in.test'), place(5001), 's');
    desk.feed.receive({ id: '01abc' }, 'ann@in.test');
    await desk.settled(1);
    expect(desk.caller.calls).toEqual([
      'reach 127.0.0.1:5001',
      'MESSAGE 33 inboxd\n01abc  ada@out.test  hello  237 B 127.0.0.1:5001',
    ]);
  });

  it('Metadata injection: what a sender wrote moves no cursor, begins no line and no frame', async () => {
    using desk = new Desk();
    await desk.directory.bind(passOf('ann@in.test'), place(5001), 's');
    const from = { name: '', address: 'a\u202e\x9b@x\nPONG 0' };
    desk.feed.receive(
      { id: '01abc', from, subject: `\x1b]0;title\x07\r\nMESSAGE 9 bob\n${'é'.repeat(900)}` },
      'ann@in.test',
    );
    await desk.settled(1);
    const [, call = ''] = desk.caller.calls;
    expect(call).toMatch(
      /^MESSAGE \d+ inboxd\n01abc {2}a\?\?@x\?PONG 0 {2}\?\]0;title\?\?\?MESSAGE 9 bob\?\?+ {2}237 B 127/,
    );
    expect(call).not.toMatch(/[^\x20-\x7e\n]/);
    expect(call.length).toBeLessThan(320);
  });

  it('go to whom an inbox belongs, by its whole name or its local part', async () => {
    using desk = new Desk();
    await desk.directory.bind(passOf('ann@in.test'), place(5001), 's');
    await desk.directory.bind(passOf('ann'), place(5002), 's');
    await desk.directory.bind(passOf('in.test'), place(5003), 's');
    desk.feed.receive({ id: '1' }, 'ann@in.test');
    desk.feed.receive({ id: '2' }, 'ann@out.test');
    desk.feed.receive({ id: '3' }, 'ben@in.test');
    await desk.settled(3);
    expect(desk.told.sort()).toEqual(['1 5001', '1 5002', '2 5002']);
  });

  it.each([
    ['full', 'ann@in.test', ['ann@in.test', 'ann']],
    ['full', 'a@b@in.test', ['a@b@in.test', 'a@b']],
    ['full', 'ann', ['ann']],
    ['local', 'ann', ['ann']],
    ['local', 'a@b', ['a@b']],
    ['domain', 'in.test', ['in.test']],
  ] as const)('with naming %s, %s is for %j', (naming, inbox, users) => {
    expect(usersOf(inbox, naming)).toEqual(users);
  });

  it('tell an endpoint once of a message, however many of its users it came to', async () => {
    using desk = new Desk();
    for (const user of ['ann', 'ben', 'ann@in.test']) await desk.directory.bind(passOf(user), place(5001), 's');
    desk.feed.receive({ id: '1' }, 'ann@in.test', 'ben@in.test');
    desk.feed.receive({ id: '2' }, 'ben@in.test');
    await desk.settled(2);
    expect(desk.told).toEqual(['1 5001', '2 5001']);
  });

  it('tell nobody of an inbox that his token does not cover, or when it does not hold any more', async () => {
    using desk = new Desk();
    let holds = true;
    const sees = (inbox: string): boolean => inbox === 'ann@in.test';
    await desk.directory.bind(passOf('ann', { sees, holds: () => holds }), place(5001), 's');
    desk.feed.receive({ id: '1' }, 'ann@out.test');
    desk.feed.receive({ id: '2' }, 'ann@in.test');
    await desk.settled(1);
    holds = false;
    desk.feed.receive({ id: '3' }, 'ann@in.test');
    expect(desk.results()).toEqual(['2 sent']);
    expect(desk.told).toEqual(['2 5001']);
  });

  it('are for what comes, not for what changes or goes, nor for what has gone already or is in quarantine', async () => {
    using desk = new Desk();
    await desk.directory.bind(passOf('ann'), place(5001), 's');
    const event = { id: 1, message: 'm', inboxes: ['ann'], at: new Date() };
    desk.feed.tell({ ...event, type: 'deleted' });
    desk.feed.tell({ ...event, type: 'changed' });
    desk.feed.tell({ ...event, type: 'received', summary: undefined });
    desk.feed.receive({ id: '0', quarantine: 'spam' }, 'ann');
    desk.feed.receive({ id: '1' }, 'ann');
    await desk.settled(1);
    expect(desk.told).toEqual(['1 5001']);
  });

  it('Unbounded input: wait in a bounded queue for each endpoint, and a slow one delays only itself', async () => {
    using desk = new Desk({ waitingNotices: 2 });
    const goOn = Promise.withResolvers<void>();
    const tell = desk.caller.tell;
    desk.caller.tell = async (at, frame) => {
      if (at.port === 5001) await goOn.promise;
      return tell(at, frame);
    };
    await desk.directory.bind(passOf('ann'), place(5001), 's');
    await desk.directory.bind(passOf('ann'), place(5002), 's');
    const others = (): string[] => desk.told.filter((one) => one.endsWith('5002'));
    for (const id of ['1', '2', '3', '4', '5']) {
      desk.feed.receive({ id }, 'ann');
      await until(() => others().includes(`${id} 5002`));
    }
    expect(desk.told.filter((one) => one.endsWith('5001'))).toEqual([]);
    goOn.resolve();
    await desk.settled(10);
    expect(desk.told.filter((one) => one.endsWith('5001'))).toEqual(['1 5001', '2 5001', '3 5001']);
    expect(desk.results().filter((one) => one.includes('dropped'))).toEqual(['4 dropped', '5 dropped']);
  });

  it('that nobody takes are reported, and end no binding', async () => {
    using desk = new Desk();
    await desk.directory.bind(passOf('ann'), place(5001), 's');
    desk.caller.listening.clear();
    desk.feed.receive({ id: '1' }, 'ann');
    await desk.settled(1);
    expect(desk.results()).toEqual(['1 failed ECONNREFUSED']);
    expect(desk.bound).toEqual(['ann,127.0.0.1,5001']);
  });

  it('cost the feed nothing while nobody is bound', async () => {
    using desk = new Desk();
    expect(desk.feed.listeners).toBe(0);
    await desk.directory.bind(passOf('ann'), place(5001), 's');
    await desk.directory.bind(passOf('ben'), place(5001), 's');
    expect(desk.feed.listeners).toBe(1);
    desk.directory.leave(passOf('ann'), '127.0.0.1', 's');
    expect(desk.feed.listeners).toBe(1);
    desk.directory.leave(passOf('ben'), '127.0.0.1', 's');
    expect(desk.feed.listeners).toBe(0);
    await desk.directory.bind(passOf('ann'), place(5001), 's');
    desk.directory.close();
    expect(desk.feed.listeners).toBe(0);
  });
});

describe('the checker', () => {
  it('drops every user of an endpoint that gives no PONG, and nobody else', async () => {
    using desk = new Desk({ checkMs: 5 });
    for (const user of ['ann', 'ben']) await desk.directory.bind(passOf(user), place(5001), 's');
    await desk.directory.bind(passOf('ann'), place(5002), 's');
    desk.caller.listening.delete(5001);
    await until(() => desk.bound.length === 1);
    expect(desk.bound).toEqual(['ann,127.0.0.1,5002']);
    const dropped = desk.reports.filter((one) => one.type === 'binding' && one.event === 'dropped');
    expect(dropped).toMatchObject([
      { user: 'ann', port: 5001, why: 'no PONG', bound: 2 },
      { user: 'ben', port: 5001, why: 'no PONG', bound: 1 },
    ]);
  });

  it('asks all at once: one that hangs keeps no other from being dropped', async () => {
    using desk = new Desk({ checkMs: 5 });
    const ping = desk.caller.ping;
    desk.caller.ping = (at) => (at.port === 5001 ? new Promise(() => {}) : ping(at));
    for (const port of [5001, 5002, 5003]) await desk.directory.bind(passOf('ann'), place(port), 's');
    desk.caller.listening.delete(5003);
    await until(() => desk.bound.length === 2);
    expect(desk.bound).toEqual(['ann,127.0.0.1,5001', 'ann,127.0.0.1,5002']);
    await until(() => desk.caller.calls.filter((call) => call.startsWith('ping') && call.endsWith('5002')).length > 3);
  });

  it('drops what was bound with a token that does not hold any more, without a call', async () => {
    using desk = new Desk({ checkMs: 5 });
    await desk.directory.bind(passOf('ann', { holds: () => false }), place(5001), 's');
    await until(() => desk.bound.length === 0);
    expect(desk.caller.calls).toEqual(['reach 127.0.0.1:5001']);
    expect(desk.reports.at(-1)).toMatchObject({ event: 'dropped', why: 'token ended' });
  });

  it('spares what was bound anew while it asked', async () => {
    using desk = new Desk({ checkMs: 5 });
    const answer = Promise.withResolvers<void>();
    let pings = 0;
    desk.caller.ping = () => (++pings === 1 ? answer.promise : Promise.resolve());
    await desk.directory.bind(passOf('ann'), place(5001), 's');
    await until(() => pings === 1);
    await desk.directory.bind(passOf('ann'), place(5001), 's');
    answer.reject(new Error('of before'));
    await until(() => pings > 2);
    expect(desk.bound).toEqual(['ann,127.0.0.1,5001']);
  });

  it('rests while nobody is bound', async () => {
    using desk = new Desk({ checkMs: 5 });
    await desk.directory.bind(passOf('ann'), place(5001), 's');
    desk.caller.listening.clear();
    await until(() => desk.bound.length === 0);
    const calls = desk.caller.calls.length;
    await desk.directory.bind(passOf('ann'), place(5001), 's');
    expect(desk.caller.calls.slice(calls)).toEqual(['reach 127.0.0.1:5001']);
  });
});

describe('bindings', () => {
  it('made at once pass no bound together', async () => {
    using desk = new Desk({ bindingsPerUser: 2 });
    const troubles = await Promise.all(
      [5001, 5002, 5003].map((port) => desk.directory.bind(passOf('ann'), place(port), 's')),
    );
    expect(troubles).toEqual([undefined, undefined, 'too many of the user']);
    expect(desk.bound).toHaveLength(2);
  });

  it('that fail take no place', async () => {
    using desk = new Desk({ bindingsPerUser: 1 });
    expect(await desk.directory.bind(passOf('ann'), place(5999), 's')).toBe('unreachable');
    expect(await desk.directory.bind(passOf('ann'), place(5001), 's')).toBeUndefined();
  });

  it('are none once the directory is closed', async () => {
    using desk = new Desk();
    const reached = Promise.withResolvers<void>();
    desk.caller.reach = () => reached.promise;
    const binding = desk.directory.bind(passOf('ann'), place(5001), 's');
    desk.directory.close();
    reached.resolve();
    expect(await binding).toBe('closed');
    expect(desk.feed.listeners).toBe(0);
  });
});

describe('Server-side requests: a place is called', () => {
  it.each([
    ['at the address of its client', '192.0.2.7', '192.0.2.7', 1024, true],
    ['also where that is seen by a listener for both families', '192.0.2.7', '::ffff:192.0.2.7', 1024, true],
    ['not elsewhere', '192.0.2.8', '192.0.2.7', 1024, false],
    ['not on this machine for another', '127.0.0.1', '192.0.2.7', 1024, false],
    ['not at a low port', '192.0.2.7', '192.0.2.7', 1023, false],
    ['not at a port that there is not', '192.0.2.7', '192.0.2.7', 65_536, false],
    ['not at half a port', '192.0.2.7', '192.0.2.7', 1024.5, false],
    ['not by name', 'localhost', 'localhost', 1024, false],
    ['not within a scope', 'fe80::1%eth0', 'fe80::1%eth0', 1024, false],
    ['not for a client that nobody knows', 'unknown', 'unknown', 1024, false],
  ])('%s', (_, address, source, port, may) => {
    expect(mayCall({ address, port, source })).toBe(may);
  });
});
