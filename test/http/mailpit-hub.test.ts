import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import type { Grant } from '../../src/http/auth/grant.ts';
import type { Context } from '../../src/http/context.ts';
import { HUB_LIMITS, MailpitHub } from '../../src/http/dialects/mailpit-hub.ts';
import { MailpitHubs } from '../../src/http/dialects/mailpit-hubs.ts';
import type { Refusal } from '../../src/mail/report.ts';

/** A socket that nobody reads from the other side of. */
class FakeSocket extends EventEmitter {
  bufferedAmount = 0;
  readonly sent: string[] = [];
  pings = 0;
  end: string | undefined;

  send(frame: string): void {
    this.sent.push(frame);
  }
  ping(): void {
    this.pings++;
  }
  close(code: number): void {
    this.#finish(`closed with ${code}`);
  }
  terminate(): void {
    this.#finish('dropped');
  }
  #finish(end: string): void {
    this.end ??= end;
    this.emit('close');
  }
}

describe('clients of the WebSocket', () => {
  let hub: MailpitHub;
  let context: Context;
  let followers: number;
  let refuse: ((refusal: Refusal) => void) | undefined;
  const add = (isGood = () => true): FakeSocket => {
    const socket = new FakeSocket();
    hub.add(socket as unknown as WebSocket, isGood);
    return socket;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    followers = 0;
    const subscribe = () => {
      followers++;
      return () => {
        followers--;
      };
    };
    context = {
      store: { feed: { subscribe }, stats: async () => ({ messages: 3, unread: 2 }) },
      version: '1',
      report: () => {},
      refusals: (listener: typeof refuse) => {
        refuse = listener;
        return () => {
          refuse = undefined;
        };
      },
    } as unknown as Context;
    hub = new MailpitHub(context);
  });
  afterEach(() => {
    hub.close();
    vi.useRealTimers();
  });

  it('are told what was refused to whom, one of a burst, and only while they listen', () => {
    const refusal = {
      type: 'refusal',
      protocol: 'SMTP',
      session: 's1',
      address: '192.0.2.7',
      phase: 'rcpt',
      reason: 'syntax',
      code: 501,
      text: '501 5.1.3 Malformed recipient address',
    } as const;
    expect(refuse).toBeUndefined();
    const socket = add();
    const errors = () => socket.sent.map((frame) => JSON.parse(frame)).filter(({ Type }) => Type === 'error');
    for (let n = 0; n < 50; n++) refuse!(refusal);
    expect(errors()).toEqual([
      { Type: 'error', Data: { Level: 'error', Type: 'smtpd', IP: '192.0.2.7', Message: refusal.text } },
    ]);
    vi.advanceTimersByTime(HUB_LIMITS.refusalMs);
    refuse!({ ...refusal, protocol: 'POP3' });
    expect(errors()[1].Data.Type).toBe('pop3');
    socket.terminate();
    expect(refuse).toBeUndefined();
  });

  it('are told the figures when they come', async () => {
    const socket = add();
    await vi.advanceTimersByTimeAsync(HUB_LIMITS.statsMs);
    expect(socket.sent).toEqual(['{"Type":"stats","Data":{"Total":3,"Unread":2,"Version":"1"}}']);
  });

  it('are dropped when they do not read', async () => {
    const [slow, quick] = [add(), add()];
    slow.bufferedAmount = HUB_LIMITS.unreadBytes + 1;
    hub.prune();
    expect([slow.end, quick.end]).toEqual(['dropped', undefined]);
    expect(quick.sent).toContain('{"Type":"prune","Data":null}');
  });

  it('are dropped when they do not answer pings', async () => {
    const [dead, alive] = [add(), add()];
    for (let round = 0; round < 3; round++) {
      await vi.advanceTimersByTimeAsync(HUB_LIMITS.pingMs);
      alive.emit('pong');
    }
    expect([dead.end, dead.pings]).toEqual(['dropped', 1]);
    expect([alive.end, alive.pings]).toEqual([undefined, 3]);
  });

  it('are let go when their credentials hold no more', async () => {
    let isGood = true;
    const socket = add(() => isGood);
    await vi.advanceTimersByTimeAsync(HUB_LIMITS.pingMs);
    socket.emit('pong');
    isGood = false;
    await vi.advanceTimersByTimeAsync(HUB_LIMITS.pingMs);
    expect(socket.end).toBe('closed with 1008');
  });

  it('are no more than so many, whatever they may see', () => {
    const hubs = new MailpitHubs(context);
    const some: Grant[] = ['a@x.test', 'b@x.test'].map((name) => ({ name, rights: ['read'], scope: [name] }));
    const grants: Grant[] = [{ name: 'all', rights: ['read'] }, ...some];
    for (let n = 0; n < HUB_LIMITS.clients; n++) {
      expect(hubs.isFull).toBe(false);
      hubs.for(grants[n % 3]!).add(new FakeSocket() as unknown as WebSocket, () => true);
    }
    expect(hubs.isFull).toBe(true);
    const one = hubs.for(some[0]!);
    expect(hubs.for(some[0]!)).toBe(one);
    hubs.close();
    expect(hubs.isFull).toBe(false);
    expect(hubs.for(some[0]!)).not.toBe(one); // nothing is kept for credentials that nobody listens with
  });

  it('are the only reason to follow the store', () => {
    expect(followers).toBe(0);
    const sockets = [add(), add()];
    expect(followers).toBe(1);
    for (const socket of sockets) socket.emit('close');
    expect(followers).toBe(0);
    add();
    expect(followers).toBe(1);
  });
});
