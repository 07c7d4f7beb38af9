import { type AddressInfo, connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { EVERYTHING } from '../../../src/http/auth/grant.ts';
import { parseSince } from '../../../src/http/native/wait-routes.ts';
import { WaitingRoom } from '../../../src/http/native/waiting-room.ts';
import type { ChangeEvent } from '../../../src/mail/feed.ts';
import type { Store } from '../../../src/mail/store.ts';
import { until } from '../../support/until.ts';
import { deliver, expectSchema, mail, useServer } from './support.ts';

const server = useServer();
const arrive = (subject: string, to: string, at?: Date) =>
  deliver(server.store, mail(`Subject: ${subject}\n\nHello ${subject}\n`), { to: [to], ...(at && { at }) });
/** Async, since `inject` sends only what somebody waits for. */
const wait = async (app: FastifyInstance, inbox: string, query = '') =>
  await app.inject(`/api/inboxes/${inbox}/wait?${query}`);

describe('GET /api/inboxes/{inbox}/wait', () => {
  it('answers with the oldest that is there already', async () => {
    const first = await arrive('one', 'a@x.test');
    await arrive('two', 'a@x.test');
    const reply = await wait(server.app, 'a@x.test');
    await expectSchema('Message', reply.json());
    expect(reply.json()).toMatchObject({ id: first, subject: 'one' });
  });

  it('answers with the oldest after a time, a message or an event', async () => {
    const app = server.serve();
    const start = Date.now() - 60_000;
    const ids: string[] = [];
    const events: number[] = [];
    for (let n = 0; n < 4; n++) {
      ids.push(await arrive(`n${n}`, 'a@x.test', new Date(start + n * 1000)));
      await arrive('other', 'b@x.test');
      events.push(server.store.feed.latest());
    }
    const time = new Date(start + 1000).toISOString();
    expect((await wait(app, 'a@x.test', `since=${time}`)).json().id).toBe(ids[2]);
    expect((await wait(app, 'a@x.test', `since=${ids[0]}`)).json().id).toBe(ids[1]);
    expect((await wait(app, 'a@x.test', `since=${events[2]}`)).json().id).toBe(ids[3]);
    expect((await wait(app, 'a@x.test', `since=${ids[3]}&timeout=0`)).statusCode).toBe(204);
    expect((await wait(app, 'a@x.test', `since=${events[3]}&timeout=0`)).statusCode).toBe(204);
  });

  it('waits for one that fits, by what the header says and by the text', async () => {
    const app = server.serve();
    await arrive('old', 'a@x.test');
    const bySubject = wait(app, 'a@x.test', 'q=subject:wanted');
    const byText = wait(app, 'a@x.test', `q=${encodeURIComponent('"hello wanted"')}`);
    const byNothing = wait(app, 'a@x.test', 'q=subject:nothing&timeout=0');
    expect((await byNothing).statusCode).toBe(204);
    await arrive('unwanted', 'a@x.test');
    await arrive('wanted', 'b@x.test');
    const id = await arrive('wanted', 'a@x.test');
    expect((await bySubject).json().id).toBe(id);
    expect((await byText).json().id).toBe(id);
  });

  it.each([
    ['timeout=301', 'timeout'],
    ['timeout=-1', 'timeout'],
    ['timeout=x', 'timeout'],
    ['since=yesterday', 'since'],
    ['q=(', 'q'],
    ['wait=1', 'wait'],
  ])('refuses ?%s', async (query, parameter) => {
    expect((await wait(server.app, 'a@x.test', query)).json()).toMatchObject({ status: 400, parameter });
  });

  /** A store that says how many listen to its feed: one while anybody waits. */
  function watched(): { readonly store: Store; readonly listeners: () => number } {
    let listeners = 0;
    const { feed } = server.store;
    const store: Store = {
      ...server.store,
      feed: {
        latest: () => feed.latest(),
        since: (id, limit) => feed.since(id, limit),
        subscribe(listener) {
          listeners++;
          const leave = feed.subscribe(listener);
          return () => {
            listeners--;
            leave();
          };
        },
      },
    };
    return { store, listeners: () => listeners };
  }

  it('Unbounded input: takes no more than so many', async () => {
    const { store, listeners } = watched();
    const app = server.serve({ store, limits: { waiters: 1 } });
    const first = wait(app, 'a@x.test');
    await until(() => listeners() === 1);
    expect((await wait(app, 'b@x.test')).statusCode).toBe(503);
    await arrive('x', 'a@x.test');
    expect((await first).statusCode).toBe(200);
    expect((await wait(app, 'b@x.test', 'timeout=0')).statusCode).toBe(204);
  });

  it('lets a server close while somebody waits', async () => {
    const { store, listeners } = watched();
    const app = server.serve({ store });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const waiting = fetch(`http://127.0.0.1:${port}/api/inboxes/a@x.test/wait?timeout=300`);
    await until(() => listeners() === 1);
    await app.close();
    expect((await waiting).status).toBe(503);
  });

  it('notices that a client leaves', async () => {
    const { store, listeners } = watched();
    const app = server.serve({ store });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /api/inboxes/a@x.test/wait?timeout=300 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => listeners() === 1);
    socket.destroy();
    await until(() => listeners() === 0);
  });
});

describe('the waiting room', () => {
  const room = () => {
    const listeners = new Set<(event: ChangeEvent) => void>();
    let asked = 0;
    const feed = {
      subscribe(listener: (event: ChangeEvent) => void) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const access = {
      isGood: () => {
        asked++;
        return true;
      },
    };
    const context = { store: { feed }, access, limits: { waiters: 100_000 }, report: () => {} };
    const made = new WaitingRoom(context as unknown as ConstructorParameters<typeof WaitingRoom>[0]);
    const tell = (message: string, inbox: string) => {
      const event: ChangeEvent = { id: 1, type: 'received', message, inboxes: [inbox], at: new Date() };
      for (const listener of listeners) listener(event);
    };
    return { made, tell, listeners, asked: () => asked };
  };
  const enter = (made: WaitingRoom, inbox: string) =>
    made.enter({ inbox, query: { kind: 'all' }, grant: EVERYTHING, timeoutMs: 60_000 })!;

  it('has one listener for ten thousand, and looks only at who waits for that inbox', async () => {
    const { made, tell, listeners, asked } = room();
    const places = Array.from({ length: 10_000 }, (_, n) => enter(made, `n${n}@x.test`));
    expect(listeners.size).toBe(1);
    tell('m1', 'n42@x.test');
    tell('m2', 'nobody@x.test');
    expect(asked()).toBe(1);
    expect(made.size).toBe(9_999);
    expect(await places[42]!.arrival).toBe('m1');
    for (const place of places) place.leave();
    expect(made.size).toBe(0);
    expect(listeners.size).toBe(0);
  });

  it('answers everybody who waits for one inbox, each once', async () => {
    const { made, tell } = room();
    const places = Array.from({ length: 1_000 }, () => enter(made, 'a@x.test'));
    tell('m1', 'a@x.test');
    tell('m2', 'a@x.test');
    const ids = await Promise.all(places.map(({ arrival }) => arrival));
    expect(new Set(ids)).toEqual(new Set(['m1']));
    expect(made.size).toBe(0);
    made.close();
  });
});

describe('since', () => {
  it.each([
    [undefined, { kind: 'start' }],
    ['', { kind: 'start' }],
    ['0', { kind: 'event', id: 0 }],
    ['42', { kind: 'event', id: 42 }],
    ['01kb3v5n8e6m2c9y4q7d1t0xwz', { kind: 'message', id: '01kb3v5n8e6m2c9y4q7d1t0xwz' }],
    ['2026-11-21T10:00:00Z', { kind: 'time', at: new Date('2026-11-21T10:00:00Z') }],
    ['2026-11-21T10:00:00.123+01:00', { kind: 'time', at: new Date('2026-11-21T09:00:00.123Z') }],
    ['2026-13-21T10:00:00Z', undefined],
    ['now', undefined],
    ['-1', undefined],
  ])('%s', (text, since) => {
    expect(parseSince(text)).toEqual(since);
  });
});
