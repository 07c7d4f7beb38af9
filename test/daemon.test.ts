import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createDaemon, type Daemon, type Report } from '../src/index.ts';
import { deliver, SmtpClient } from './support/smtp-client.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'inboxd-daemon-'));
  undo.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function start(...args: Parameters<typeof createDaemon>): Promise<Daemon> {
  const daemon = await createDaemon(...args);
  undo.push(() => daemon.stop({ graceMs: 0 }));
  return daemon;
}

const port = (daemon: Daemon, protocol = 'smtp'): number =>
  Number(new URL(daemon.listeners.find((one) => one.protocol === protocol)!.url).port);
const mail = { from: 'me@here.test', to: ['a@b.test'], content: Buffer.from('Subject: hi\r\n\r\nhello\r\n') };
const both = ['smtp://127.0.0.1:0', 'http://127.0.0.1:0'];

describe("a daemon in one's own process", () => {
  it('takes mail and shows it by API and store, in memory', async () => {
    const reports: Report[] = [];
    const daemon = await start({ listen: both, data: ':memory:' }, { report: (report) => reports.push(report) });
    const client = await SmtpClient.open(port(daemon));
    const [id] = await deliver(client, mail);
    await client.quit();
    const list = await (await fetch(`${daemon.listeners[1]!.url}/api/v1/messages`)).json();
    expect(list).toMatchObject({ total: 1, messages: [{ ID: id, Subject: 'hi' }] });
    expect((await daemon.store.get(id!))?.inboxes).toEqual(['a@b.test']);
    expect(reports.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['listening', 'session-start', 'message', 'stored', 'session-end']),
    );
  });

  it('keeps mail over a restart, and leaves a card while it runs', async () => {
    const data = await folder();
    const first = await start({ listen: both, data });
    const client = await SmtpClient.open(port(first));
    const [id] = await deliver(client, mail);
    await client.quit();
    const card = JSON.parse(await readFile(join(data, 'inboxd.json'), 'utf8'));
    expect(card).toEqual({ pid: process.pid, listeners: first.listeners });
    await first.stop();
    expect(existsSync(join(data, 'inboxd.json'))).toBe(false);
    const second = await start({ listen: both, data });
    expect((await second.store.get(id!))?.subject).toBe('hi');
  });

  it('gives messages to a sink that the program brings', async () => {
    const got: string[] = [];
    const daemon = await start({ listen: both[0]! }, { sink: (message) => void got.push(message.id) });
    const client = await SmtpClient.open(port(daemon));
    const ids = await deliver(client, mail);
    await client.quit();
    expect(got).toEqual(ids);
  });

  it('names the port that is taken, and leaves nothing open behind', async () => {
    const taken: Server = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    undo.push(() => new Promise((resolve) => taken.close(resolve)));
    const { port: number } = taken.address() as { port: number };
    const data = await folder();
    await expect(
      createDaemon({ listen: ['smtp://127.0.0.1:0', `http://127.0.0.1:${number}`], data }),
    ).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: `port ${number} on 127.0.0.1 is already in use (http://127.0.0.1:${number})`,
    });
    await start({ listen: both, data }); // the folder is free again
  });

  it("refuses a second daemon on one folder, naming the first one's pid", async () => {
    const data = await folder();
    await start({ listen: both, data });
    await expect(createDaemon({ listen: both, data })).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(String(process.pid)),
    });
  });

  it('listens on UNIX sockets too, and on one that a killed daemon left behind', async () => {
    const path = join(await folder(), 'lmtp.sock');
    const daemon = await start({ listen: `lmtp://${path}`, data: ':memory:' });
    const client = await SmtpClient.open({ path }, 'LHLO me.test');
    expect(await deliver(client, { ...mail, to: ['a@b.test', 'c@d.test'] }, { lmtp: true })).toHaveLength(2);
    await client.quit();
    await expect(createDaemon({ listen: `lmtp://${path}`, data: ':memory:' })).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
    });
    await daemon.stop();
  });

  it('tells one client too many so and closes, and serves the next when a place is free', async () => {
    const daemon = await start({ listen: both[0]!, data: ':memory:', maxConnections: 1 });
    const first = await SmtpClient.open(port(daemon));
    const second = await SmtpClient.connect(port(daemon));
    expect(await second.reply()).toMatchObject({ code: 421, text: expect.stringContaining('4.3.2') });
    await second.closed;
    await first.quit();
    let code = 0;
    for (let tries = 0; code !== 220 && tries < 200; tries++) {
      const third = await SmtpClient.connect(port(daemon));
      ({ code } = await third.reply());
      await third.drop();
    }
    expect(code).toBe(220);
  });

  it('stops gracefully: idle clients get 421, a transaction in flight finishes', async () => {
    const daemon = await start({ listen: both[0]!, data: ':memory:' });
    const idle = await SmtpClient.open(port(daemon));
    const busy = await SmtpClient.open(port(daemon));
    await busy.expect(250, 'MAIL FROM:<a@b.test>');
    await busy.expect(250, 'RCPT TO:<c@d.test>');
    await busy.expect(354, 'DATA');
    const stopped = daemon.stop({ graceMs: 10_000 });
    expect((await idle.reply()).code).toBe(421);
    await idle.closed;
    await busy.expect(250, 'Subject: last one\r\n\r\nbye\r\n.');
    expect((await busy.reply()).code).toBe(421);
    await stopped;
  });

  it('refuses by chance what a test asks it to, and only when it was started for that', async () => {
    const daemon = await start({ listen: both, data: ':memory:', chaos: true });
    const client = await SmtpClient.open(port(daemon));
    const chaos = `${daemon.listeners[1]!.url}/api/v1/chaos`;
    const certain = (ErrorCode: number) => ({ ErrorCode, Probability: 100 });
    await fetch(chaos, { method: 'PUT', body: JSON.stringify({ Sender: certain(421) }) });
    expect((await client.command('MAIL FROM:<a@b.test>')).code).toBe(421);
    await fetch(chaos, { method: 'PUT', body: JSON.stringify({ Recipient: certain(552) }) });
    await client.expect(250, 'MAIL FROM:<a@b.test>');
    expect((await client.command('RCPT TO:<c@d.test>')).code).toBe(552);
    await fetch(chaos, { method: 'PUT', body: '{}' });
    await client.expect(250, 'RCPT TO:<c@d.test>');
    await client.quit();
    const calm = await start({ listen: both, data: ':memory:' });
    expect((await fetch(`${calm.listeners[1]!.url}/api/v1/chaos`)).status).toBe(400);
  });

  it('cuts what is left after the grace period', async () => {
    const daemon = await start({ listen: both[0]!, data: ':memory:' });
    const busy = await SmtpClient.open(port(daemon));
    await busy.expect(250, 'MAIL FROM:<a@b.test>');
    await daemon.stop({ graceMs: 50 });
    await busy.closed;
  });
});
