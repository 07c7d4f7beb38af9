import { describe, expect, it } from 'vitest';
import { OPEN_LIMITS, type TrafficLimits } from '../../src/guard/limits.ts';
import { Traffic } from '../../src/guard/traffic.ts';
import { contentOf } from '../../src/mail/content.ts';
import { NO_PARAMS, type Recipient, type Sender } from '../../src/mail/envelope.ts';
import type { Filter, MessageOpinion, Visit } from '../../src/mail/filter.ts';
import { createId, type Message } from '../../src/mail/message.ts';
import { filterContract } from '../contracts/filter.ts';

const FROM: Sender = { path: null, params: NO_PARAMS };
const to = (address: string): Recipient => {
  const [local = '', domain = ''] = address.split('@');
  return { path: { local, domain, text: address }, params: NO_PARAMS };
};

function watch(limits: Partial<TrafficLimits>) {
  const clock = { ms: 1000 };
  const traffic = new Traffic({
    limits: { ...OPEN_LIMITS, softPercent: 100, ...limits },
    isExempt: (address) => address.startsWith('127.'),
    naming: 'full',
    now: () => clock.ms,
  });
  return { clock, traffic, client: (address: string) => new Client(traffic.filter(), address) };
}

/** What a client meets, whose opinions come at once. */
class Client {
  readonly #filter: Filter;
  readonly #visit: Visit;

  constructor(filter: Filter, address: string) {
    this.#filter = filter;
    this.#visit = { session: createId(), protocol: 'SMTP', client: { address, port: 1, hello: '' } };
  }

  greets = () => this.#filter.connect!(this.#visit) as MessageOpinion | undefined;
  mails = () => this.#filter.mail!(this.#visit, FROM) as MessageOpinion | undefined;
  names = (address: string) => this.#filter.rcpt!(this.#visit, FROM, to(address), []) as MessageOpinion | undefined;
  fails = (code: number) => this.#filter.failed!(this.#visit, code, 'RCPT');
  sends(bytes: number, ...recipients: string[]) {
    const message: Message = {
      id: createId(),
      envelope: { from: FROM, to: recipients.map(to) },
      content: contentOf([Buffer.alloc(bytes)]),
      receivedAt: new Date(0),
      client: this.#visit.client,
      protocol: 'ESMTP',
      session: this.#visit.session,
      transcript: [],
    };
    return this.#filter.message!(this.#visit, message, new AbortController().signal) as MessageOpinion | undefined;
  }
}

const code = (opinion: MessageOpinion | undefined) => opinion?.verdict?.code ?? 250;

describe('connections of one address', () => {
  it('are bounded at once; others are unaffected, and who leaves makes room', () => {
    const { traffic } = watch({ addressConnections: 2 });
    expect([1, 2, 3].map(() => traffic.enter('192.0.2.1')?.reason)).toEqual([undefined, undefined, 'connections']);
    expect(traffic.enter('192.0.2.1')?.verdict).toMatchObject({ code: 421, enhanced: '4.7.0' });
    expect(traffic.enter('192.0.2.2')).toBeUndefined();
    traffic.leave('192.0.2.1');
    expect(traffic.enter('192.0.2.1')).toBeUndefined();
  });

  it('are fewer when few places are left', () => {
    const { traffic } = watch({ addressConnections: 10 });
    expect([1, 2, 3].map(() => traffic.enter('192.0.2.1', true)?.reason)).toEqual([
      undefined,
      undefined,
      'connections',
    ]);
    expect(traffic.enter('192.0.2.1', false)).toBeUndefined();
  });

  it('are counted by /64 in IPv6, and mapped IPv4 is IPv4', () => {
    const { traffic } = watch({ addressConnections: 1 });
    expect(traffic.enter('2001:db8::1')).toBeUndefined();
    expect(traffic.enter('2001:db8::ffff:2')?.reason).toBe('connections');
    expect(traffic.enter('2001:db8:0:1::1')).toBeUndefined();
    expect(traffic.enter('::ffff:192.0.2.1')).toBeUndefined();
    expect(traffic.enter('192.0.2.1')?.reason).toBe('connections');
  });

  it('are bounded per minute; who is refused does not have to wait longer for it', () => {
    const { traffic, clock } = watch({ addressConnectionsPerMinute: 10 });
    const enter = () => {
      const refusal = traffic.enter('192.0.2.1');
      if (!refusal) traffic.leave('192.0.2.1');
      return refusal?.reason ?? 'in';
    };
    for (let i = 0; i < 10; i++) expect(enter()).toBe('in');
    for (let i = 0; i < 50; i++) expect(enter()).toBe('connection-rate');
    clock.ms += 90_000; // half of what came in the minute before still counts
    for (let i = 0; i < 5; i++) expect(enter()).toBe('in');
    expect(enter()).toBe('connection-rate');
  });

  it('have no bound for those who are exempt', () => {
    const { traffic } = watch({ addressConnections: 1, addressConnectionsPerMinute: 1 });
    for (let i = 0; i < 100; i++) expect(traffic.enter('127.0.0.1')).toBeUndefined();
  });
});

describe('mail of one address', () => {
  it('is bounded in messages', () => {
    const { client } = watch({ addressMessagesPerMinute: 3 });
    const one = client('192.0.2.1');
    expect([1, 2, 3, 4].map(() => code(one.mails()))).toEqual([250, 250, 250, 450]);
    expect(one.mails()).toMatchObject({ verdict: { enhanced: '4.7.1' }, reason: 'message-rate' });
    expect(code(client('192.0.2.2').mails())).toBe(250);
    expect(code(client('127.0.0.1').mails())).toBe(250);
  });

  it('is bounded in octets', () => {
    const { client, clock } = watch({ addressBytesPerMinute: 1000 });
    const one = client('192.0.2.1');
    expect(code(one.mails())).toBe(250);
    one.sends(1500, 'a@b.test');
    expect(code(one.mails())).toBe(450);
    clock.ms += 120_000;
    expect(code(one.mails())).toBe(250);
  });

  it('is bounded in recipients', () => {
    const { client } = watch({ addressRecipientsPerMinute: 2 });
    const one = client('192.0.2.1');
    expect(['a@b.test', 'c@d.test', 'e@f.test'].map((address) => code(one.names(address)))).toEqual([250, 250, 450]);
  });

  it('is bounded by its failures: then its connections are refused', () => {
    const { client, traffic, clock } = watch({ addressFailuresPerMinute: 3 });
    const one = client('192.0.2.1');
    one.fails(450); // come again: no failure of the client's
    for (let i = 0; i < 2; i++) one.fails(550);
    expect(traffic.enter('192.0.2.1')).toBeUndefined();
    one.fails(500);
    expect(traffic.enter('192.0.2.1')).toMatchObject({ verdict: { code: 421 }, reason: 'failures' });
    clock.ms += 120_000;
    expect(traffic.enter('192.0.2.1')).toBeUndefined();
  });

  it('over a limit counts as failing, so that who keeps on is refused at the door', () => {
    const { client, traffic } = watch({ addressMessagesPerMinute: 1, addressFailuresPerMinute: 5 });
    const one = client('192.0.2.1');
    for (let i = 0; i < 6; i++) one.mails();
    expect(traffic.enter('192.0.2.1')?.reason).toBe('failures');
  });
});

describe('all addresses together', () => {
  it('have limits of their own, which nobody is exempt from', () => {
    const { client, traffic } = watch({ totalMessagesPerMinute: 3, totalConnectionsPerMinute: 2 });
    expect(
      ['192.0.2.1', '127.0.0.1', '192.0.2.2', '127.0.0.2'].map((address) => code(client(address).mails())),
    ).toEqual([250, 250, 250, 450]);
    expect(['192.0.2.1', '127.0.0.1', '192.0.2.3'].map((address) => traffic.enter(address)?.reason)).toEqual([
      undefined,
      undefined,
      'connection-rate',
    ]);
  });
});

describe('one inbox', () => {
  it('is bounded in messages, by whatever address it is meant', () => {
    const { client, clock } = watch({ inboxMessagesPerMinute: 2 });
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      expect(code(client(address).names('Ann+x@b.test'))).toBe(250);
      client(address).sends(10, 'ann@b.test', 'ANN+y@b.test');
    }
    const third = client('192.0.2.3');
    expect(third.names('ann@b.test')).toMatchObject({
      verdict: { code: 450, enhanced: '4.2.1' },
      reason: 'inbox-rate',
    });
    expect(code(third.names('bob@b.test'))).toBe(250);
    expect(code(client('127.0.0.1').names('ann@b.test'))).toBe(250);
    clock.ms += 120_000;
    expect(code(third.names('ann@b.test'))).toBe(250);
  });

  it('is bounded in octets', () => {
    const { client } = watch({ inboxBytesPerMinute: 100 });
    const one = client('192.0.2.1');
    one.sends(100, 'ann@b.test');
    expect(code(one.names('ann@b.test'))).toBe(450);
  });
});

describe('over a soft limit', () => {
  it('replies are held back, in three steps, and shorter when busy', () => {
    const { client, traffic } = watch({
      addressMessagesPerMinute: 12,
      softPercent: 50,
      tarpitMs: 1000,
      totalTarpits: 10,
    });
    const one = client('192.0.2.1');
    const delays = Array.from({ length: 12 }, () => one.mails()?.delayMs ?? 0);
    expect(delays).toEqual([0, 0, 0, 0, 0, 0, 1000, 1000, 2000, 2000, 3000, 3000]);
    const other = client('192.0.2.2');
    for (let i = 0; i < 6; i++) other.mails();
    for (let i = 0; i < 5; i++) traffic.sleepers.take(`198.51.100.${i}`);
    expect(other.mails()?.delayMs).toBe(550);
  });

  it('greetings are too', () => {
    const { client, traffic } = watch({ addressConnections: 4, softPercent: 50, tarpitMs: 1000 });
    const greeted = [1, 2, 3].map(() => {
      traffic.enter('192.0.2.1');
      return client('192.0.2.1').greets()?.delayMs ?? 0;
    });
    expect(greeted).toEqual([0, 0, 2000]);
  });

  it('only so many sleep at once, of one address and in all', () => {
    const { traffic } = watch({ totalTarpits: 3, addressTarpits: 2 });
    const { sleepers } = traffic;
    expect([1, 2, 3].map(() => sleepers.take('192.0.2.1'))).toEqual([true, true, false]);
    expect(['192.0.2.2', '192.0.2.3'].map((address) => sleepers.take(address))).toEqual([true, false]);
    sleepers.give('192.0.2.1');
    expect(sleepers.take('192.0.2.3')).toBe(true);
    expect(sleepers.count).toBe(3);
  });
});

filterContract('of traffic', () => ({
  filter: watch({
    addressMessagesPerMinute: 100,
    addressRecipientsPerMinute: 100,
    inboxMessagesPerMinute: 100,
  }).traffic.filter(),
}));
