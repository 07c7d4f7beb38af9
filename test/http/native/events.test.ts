import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpOptions } from '../../../src/http/server.ts';
import type { Store } from '../../../src/mail/store.ts';
import { until } from '../../support/until.ts';
import { EventClient } from './sse-client.ts';
import { deliver, expectSchema, mail, openStore, useServer } from './support.ts';

const server = useServer();
const clients: EventClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function listen(options: Partial<HttpOptions> = {}): Promise<number> {
  const app = server.serve(options);
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}
function watch(port: number, query = '', headers: Record<string, string> = {}): Promise<EventClient> {
  const client = new EventClient(port, `/api/events${query && `?${query}`}`, headers);
  clients.push(client);
  return client.open();
}
const arrive = (subject: string, to: string, store: Store = server.store) =>
  deliver(store, mail(`Subject: ${subject}\n\nHello ${subject}\n`), { to: [to] });

describe('GET /api/events', () => {
  it('tells what comes, changes and goes, in order, by numbers that rise', async () => {
    const client = await watch(await listen());
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    const id = await arrive('one', 'a@x.test');
    await server.store.change({ ids: [id] }, { read: true });
    await server.store.remove({ ids: [id] });
    const events = await client.take(3);
    expect(events.map(({ event }) => event)).toEqual(['received', 'changed', 'deleted']);
    expect(events[0]!.data).toMatchObject({
      id,
      inboxes: ['a@x.test'],
      at: expect.any(String),
      message: { id, subject: 'one' },
    });
    await expectSchema('Summary', events[0]!.data.message);
    expect(events[1]!.data).toMatchObject({ id, message: { read: true } });
    expect(events[2]!.data).toMatchObject({ id, inboxes: ['a@x.test'] });
    expect(events[2]!.data).not.toHaveProperty('message');
    const numbers = events.map((event) => Number(event.id));
    expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
    expect(new Set(numbers).size).toBe(3);
  });

  it('tells only of one inbox, or of what a search finds', async () => {
    const port = await listen();
    const inbox = await watch(port, 'inbox=A%2Btag@x.test');
    const bySubject = await watch(port, 'q=subject:wanted');
    const byText = await watch(port, `q=${encodeURIComponent('"hello wanted"')}`);
    await arrive('unwanted', 'a@x.test');
    await arrive('wanted', 'b@x.test');
    await arrive('wanted', 'a@x.test');
    expect((await inbox.take(2)).map(({ data }) => data.message.subject)).toEqual(['unwanted', 'wanted']);
    expect((await bySubject.take(2)).map(({ data }) => data.inboxes)).toEqual([['b@x.test'], ['a@x.test']]);
    expect((await byText.take(2)).map(({ data }) => data.inboxes)).toEqual([['b@x.test'], ['a@x.test']]);
  });

  it.each(['Last-Event-ID', 'since'])(
    'goes on behind the event of %s and loses nothing, more than a page of it',
    async (how) => {
      const port = await listen();
      const first = await watch(port);
      await arrive('n0', 'a@x.test');
      await first.take(1);
      first.close();
      const ids: string[] = [];
      for (let n = 0; n < 450; n++) ids.push(await arrive(`n${n}`, 'a@x.test'));
      const second =
        how === 'since'
          ? await watch(port, `since=${first.lastId}`)
          : await watch(port, '', { 'last-event-id': first.lastId });
      ids.push(await arrive('live', 'a@x.test'));
      expect((await second.take(451)).map(({ data }) => data.id)).toEqual(ids);
      expect(second.events.every(({ event }) => event === 'received')).toBe(true);
    },
  );

  it('goes on over a restart of the daemon', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'inboxd-events-'));
    const serve = async (store: Store) => {
      const app = createHttpServer({ store, version: '0', hostname: 'x', report: () => {} });
      await app.listen({ host: '127.0.0.1', port: 0 });
      return { app, port: (app.server.address() as AddressInfo).port };
    };
    try {
      const store = await openStore(directory);
      const { app, port } = await serve(store);
      const client = await watch(port);
      await arrive('seen', 'a@x.test', store);
      await client.take(1);
      const missed = await arrive('missed', 'a@x.test', store);
      await client.take(2);
      const { id } = client.events[0]!;
      await app.close();
      await until(() => client.isClosed);
      await store.close();

      const again = await openStore(directory);
      const next = await serve(again);
      const back = await watch(next.port, '', { 'last-event-id': id });
      const late = await arrive('late', 'a@x.test', again);
      expect((await back.take(2)).map(({ event, data }) => [event, data.id])).toEqual([
        ['received', missed],
        ['received', late],
      ]);
      back.close();
      await next.app.close();
      await again.close();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('says so when it can not go on: everything has to be read anew', async () => {
    const port = await listen();
    const fromTheFuture = await watch(port, '', { 'last-event-id': '999999999' });
    expect((await fromTheFuture.take(1))[0]).toMatchObject({ event: 'reset', id: String(server.store.feed.latest()) });
    const gone: Store = {
      ...server.store,
      feed: {
        latest: () => server.store.feed.latest(),
        subscribe: (listener) => server.store.feed.subscribe(listener),
        since: async (id, limit) => (id === 0 ? 'gone' : server.store.feed.since(id, limit)),
      },
    };
    await arrive('x', 'a@x.test');
    const tooOld = await watch(await listen({ store: gone }), 'since=0');
    const id = await arrive('after', 'a@x.test');
    expect((await tooOld.take(2)).map(({ event, data }) => [event, data.id])).toEqual([
      ['reset', undefined],
      ['received', id],
    ]);
  });

  it('gives a client without an event yet a number to come back with', async () => {
    const port = await listen();
    const client = await watch(port);
    expect(client.events).toEqual([]);
    expect(client.lastId).toBe(String(server.store.feed.latest()));
    expect(client.retry).toBe('1000');
    client.close();
    const missed = await arrive('missed', 'a@x.test');
    const back = await watch(port, '', { 'last-event-id': client.lastId });
    expect((await back.take(1))[0]!.data.id).toBe(missed);
  });

  it('shows that it lives', async () => {
    const client = await watch(await listen({ limits: { heartbeatMs: 5 } }));
    await until(() => client.comments >= 3);
  });

  it('Unread replies: drops a client that reads nothing, and goes on for others', async () => {
    const port = await listen({ limits: { unreadEventBytes: 64 * 1024 } });
    const other = await watch(port);
    const socket = connect(port, '127.0.0.1');
    let isClosed = false;
    socket.on('close', () => (isClosed = true)).on('error', () => (isClosed = true));
    socket.write('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    const big = 'x'.repeat(60_000);
    let sent = 0;
    // until the buffers of the system are full too; a paused socket learns of its end when it is read again
    for (; sent < 400; sent++) await arrive(`${sent} ${big}`, 'a@x.test');
    socket.resume();
    await until(() => isClosed);
    expect((await other.take(sent)).length).toBe(sent);
  });

  it('takes no more than so many', async () => {
    const port = await listen({ limits: { streams: 1 } });
    await watch(port);
    const second = new EventClient(port, '/api/events');
    await until(() => second.isClosed);
    expect(second.status).toBe(503);
  });

  it.each([
    ['inbox=', 'inbox'],
    ['q=(', 'q'],
    ['since=x', 'since'],
    ['colour=red', 'colour'],
  ])('refuses ?%s', async (query, parameter) => {
    expect((await server.app.inject(`/api/events?${query}`)).json()).toMatchObject({ status: 400, parameter });
  });

  it('carries no markup, whatever a mail says', async () => {
    const port = await listen();
    const client = await watch(port);
    await arrive('</script><script>alert(1)</script>', 'a@x.test');
    expect((await client.take(1))[0]!.data.message.subject).toBe('</script><script>alert(1)</script>');
  });
});
