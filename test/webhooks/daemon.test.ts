import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConfigInput } from '../../src/config.ts';
import { createDaemon, type Daemon } from '../../src/daemon.ts';
import type { Report } from '../../src/mail/report.ts';
import { PENDING } from '../../src/mail/verification.ts';
import { mail, sampleMessage } from '../store/support.ts';
import { writeCertificate } from '../support/certificate-files.ts';
import { until } from '../support/until.ts';
import { verified } from '../support/verifications.ts';
import { Receiver } from './receiver.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const folder = mkdtempSync(join(tmpdir(), 'inboxd-webhooks-'));
writeFileSync(join(folder, 'secret'), `${SECRET}\n`);
const closing: AsyncDisposable[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const one of closing.splice(0).reverse()) await one[Symbol.asyncDispose]();
});
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

async function openReceiver(...how: Parameters<typeof Receiver.open>): Promise<Receiver> {
  const receiver = await Receiver.open(...how);
  closing.push(receiver);
  return receiver;
}

interface Running {
  readonly daemon: Daemon;
  readonly reports: readonly Report[];
  /** Keeps a mail, and resolves when it is in the store. */
  send(subject: string, ...to: string[]): Promise<string>;
  api<T>(path: string, post?: object): Promise<T>;
}

async function start(input: ConfigInput): Promise<Running> {
  const reports: Report[] = [];
  const listen = ['http://127.0.0.1:0'];
  const config = { listen, data: ':memory:', webhookAllowPrivate: true, ...input };
  const daemon = await createDaemon(config, { report: (report) => reports.push(report) });
  closing.push({ [Symbol.asyncDispose]: () => daemon.stop({ graceMs: 0 }) });
  return {
    daemon,
    reports,
    async send(subject, ...to) {
      const message = sampleMessage({ raw: mail(subject), to: to.length > 0 ? to : ['ann@x.test'] });
      await daemon.store.save(message);
      return message.id;
    },
    async api<T>(path: string, post?: object) {
      const init = post && { method: 'POST', body: JSON.stringify(post) };
      const url = `${daemon.listeners[0]!.url.replace(/\/$/, '')}/api/webhooks${path}`;
      const reply = await fetch(url, { ...init, headers: { connection: 'close' } });
      return (await reply.json()) as T;
    },
  };
}

const outcomes = (reports: readonly Report[]): string[] =>
  reports.flatMap((report) => (report.type === 'webhook' ? [`${report.outcome} ${report.why}`.trim()] : []));
const count = async (queue: Running): Promise<{ waiting: number; dead: number; state: string }> =>
  (await queue.api<{ webhooks: { waiting: number; dead: number; state: string }[] }>('')).webhooks[0]!;

describe('a webhook', { timeout: 60_000 }, () => {
  it('is told of a message in the words of the API, signed, with a delivery id', async () => {
    const receiver = await openReceiver();
    const webhooks = { ci: { url: receiver.url('/hook?key=s3cr3t'), 'secret-file': join(folder, 'secret') } };
    const { daemon, send, reports, api } = await start({ webhooks });
    const id = await send('Hello', 'ann@x.test', 'bob@x.test');
    await until(async () => receiver.received.length === 1);
    const { text, headers, body, path } = receiver.received[0]!;
    expect(path).toBe('/hook?key=s3cr3t');
    expect(new Webhook(SECRET).verify(text, headers as Record<string, string>)).toEqual(body);
    expect(headers).toMatchObject({ 'webhook-id': `${id}:ci`, 'content-type': 'application/json' });
    expect(headers['user-agent']).toMatch(/^inboxd\//);
    const page = await fetch(new URL('/api/search?q=subject:hello', daemon.listeners[0]!.url));
    const { messages } = (await page.json()) as { messages: object[] };
    const { message, gone } = body.data;
    expect(gone).toBe(false);
    // what is found in the text, a busy machine may find later
    const { snippet: _, ...found } = message;
    expect(messages).toMatchObject([found]);
    expect(Object.keys(message)).toEqual(Object.keys(messages[0]!));
    expect(body).toMatchObject({
      type: 'message.received',
      delivery: { id: `${id}:ci`, webhook: 'ci', attempt: 1 },
      data: { message: { id, subject: 'Hello', inboxes: ['ann@x.test', 'bob@x.test'] } },
    });
    await until(async () => outcomes(reports).length === 1);
    expect((await count({ daemon, send, reports, api })).waiting).toBe(0);
    expect(JSON.stringify(reports)).not.toContain('s3cr3t');
  });

  it('is told of the inboxes and searches that it wants alone', async () => {
    const receiver = await openReceiver();
    const url = receiver.url();
    const webhooks = {
      shop: { url: `${url}/shop`, inbox: ['Shop*', 'till@x.test'] },
      invoices: { url: `${url}/invoices`, query: 'subject:invoice' },
      words: { url: `${url}/words`, query: 'hello -subject:invoice' },
    };
    const { send, api } = await start({ webhooks });
    await send('An invoice', 'shop-1@x.test', 'ann@x.test');
    await send('Some news', 'ann@x.test');
    await send('More news', 'till@x.test');
    const told = (path: string): string[] => receiver.received.filter((one) => one.path.endsWith(path)).map(({ body }) => `${body.data.message.subject} ${body.data.message.inboxes}`).sort(); // biome-ignore format: a line
    await until(async () => (await api<{ webhooks: { waiting: number }[] }>('')).webhooks.every(({ waiting }) => waiting === 0)); // biome-ignore format: a line
    expect(told('shop')).toEqual(['An invoice shop-1@x.test', 'More news till@x.test']);
    expect(told('invoices')).toEqual(['An invoice ann@x.test,shop-1@x.test']);
    expect(told('words')).toEqual(['More news till@x.test', 'Some news ann@x.test']);
  });

  it('waits with a search for who sent it until that is known', async () => {
    const receiver = await openReceiver();
    const { daemon } = await start({ webhooks: { ci: { url: receiver.url(), query: 'is:verified' } } });
    const [good, bad] = ['good', 'bad'].map((name) => ({ ...sampleMessage({ raw: mail(name) }), verification: PENDING })); // biome-ignore format: a line
    for (const message of [bad!, good!]) await daemon.store.save(message);
    await daemon.store.annotate(good!.id, { verification: verified({ dmarc: 'pass' }) });
    await daemon.store.annotate(bad!.id, { verification: verified({ dmarc: 'fail' }) });
    await until(async () => receiver.received.length > 0);
    expect(receiver.subjects).toEqual(['good 200']);
  });

  it('gets what failed again before anything later of that inbox, and other inboxes meanwhile', async () => {
    const receiver = await openReceiver();
    receiver.answer = ({ body }) => (body.data.message.subject === 'a1' && body.delivery.attempt === 1 ? 500 : 200);
    const { send, reports } = await start({ webhookUrls: [receiver.url()] });
    for (const [subject, to] of [['a1', 'a@x.test'], ['a2', 'a@x.test'], ['b1', 'b@x.test'], ['ab', 'b@x.test']] as const) await send(subject, to, ...(subject === 'ab' ? ['a@x.test'] : [])); // biome-ignore format: a line
    await until(async () => receiver.received.length === 5);
    expect(receiver.subjects.filter((one) => !one.startsWith('b'))).toEqual(['a1 500', 'a1 200', 'a2 200', 'ab 200']);
    expect(receiver.subjects.indexOf('b1 200')).toBeLessThan(receiver.subjects.indexOf('a1 200'));
    const ids = receiver.received
      .filter(({ body }) => body.data.message.subject === 'a1')
      .map(({ body }) => body.delivery);
    expect(ids.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(new Set(ids.map(({ id }) => id)).size).toBe(1);
    await until(async () => reports.some((report) => report.type === 'webhook-state' && report.state === 'works'));
  });

  it('is asked again when it said, and not before', async () => {
    const receiver = await openReceiver();
    receiver.answer = ({ body }, response) => {
      response.setHeader('retry-after', '4');
      return body.delivery.attempt === 1 ? 429 : 200;
    };
    const { send } = await start({ webhookUrls: [receiver.url()] });
    await send('one');
    await until(async () => receiver.received.length === 2);
    const [first, second] = receiver.received;
    expect(second!.at - first!.at).toBeGreaterThan(3_900);
  });

  it.each([
    ['redirects', 'answered 307: redirects are not followed', 307],
    ['fails', 'answered 500', 500],
    ['breaks the connection off', 'connection reset', undefined],
    ['hangs', 'timed out', undefined],
  ])('that %s has failed', async (what, why, status) => {
    const other = await openReceiver();
    const receiver = await openReceiver();
    receiver.answer = (_received, response) => {
      if (what === 'redirects') response.setHeader('location', other.url());
      if (what.startsWith('breaks')) response.destroy();
      return status;
    };
    const { send, reports } = await start({ webhookUrls: [receiver.url()], webhookTimeoutMs: 500, webhookAttempts: 1 });
    await send('one');
    await until(async () => outcomes(reports).length > 0);
    expect(outcomes(reports)).toEqual([`dead ${why}`]);
    expect(other.received).toEqual([]);
  });

  it('that answers without end has got it', async () => {
    const receiver = await openReceiver();
    receiver.answer = (_received, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
      };
      response.on('drain', more).on('error', () => {});
      more();
      return undefined;
    };
    const { send, reports } = await start({ webhookUrls: [receiver.url()] });
    await send('one');
    await until(async () => outcomes(reports).length > 0);
    expect(outcomes(reports)).toEqual(['delivered']);
  });

  it('on a private address is asked only where that is allowed', async () => {
    const receiver = await openReceiver();
    const webhooks = {
      open: { url: receiver.url('/open'), 'allow-private': true },
      closed: { url: receiver.url('/closed', 'localhost') },
    };
    const { send, reports } = await start({ webhooks, webhookAllowPrivate: false, webhookAttempts: 1 });
    await send('one');
    await until(async () => outcomes(reports).length === 2);
    expect(outcomes(reports).sort()).toEqual([
      'dead its address is not a public one, and allow-private is not set',
      'delivered',
    ]);
    expect(receiver.received.map(({ path }) => path)).toEqual(['/open']);
  });

  it('that says it is gone is left alone until somebody says otherwise', async () => {
    const receiver = await openReceiver();
    receiver.answer = () => 410;
    const running = await start({ webhooks: { ci: { url: receiver.url() } } });
    await running.send('one');
    await until(async () => running.reports.some((report) => report.type === 'webhook-state' && report.state === 'stopped')); // biome-ignore format: a line
    await running.send('two', 'bob@x.test');
    await until(async () => (await count(running)).waiting === 2);
    expect(await count(running)).toMatchObject({ state: 'stopped', dead: 0 });
    expect(receiver.received).toHaveLength(1);
    expect(await running.api('/ci/test', {})).toMatchObject({ status: 410, why: 'answered 410' });
    expect(await count(running)).toMatchObject({ state: 'stopped', waiting: 2 });
    receiver.answer = () => 200;
    expect(await running.api('/ci/test', {})).toMatchObject({ status: 200, why: '' });
    await until(async () => (await count(running)).waiting === 0);
    expect(receiver.subjects.filter((one) => one.endsWith(' 200')).sort()).toEqual(['one 200', 'two 200', 'undefined 200']); // biome-ignore format: a line
  });

  it('has what was given up delivered when it is replayed, under its old id', async () => {
    const receiver = await openReceiver();
    receiver.answer = () => 503;
    const running = await start({ webhooks: { ci: { url: receiver.url() } }, webhookAttempts: 1 });
    const id = await running.send('one');
    await until(async () => (await count(running)).dead === 1);
    expect(await running.api('/ci/dead')).toMatchObject({
      dead: [{ id: `${id}:ci`, subject: 'one', attempts: 1, why: 'answered 503, after 1 attempt' }],
    });
    receiver.answer = () => 200;
    expect(await running.api('/ci/replay', { ids: [`${id}:ci`] })).toEqual({ replayed: 1 });
    await until(async () => (await count(running)).waiting === 0);
    expect(receiver.received.map(({ body }) => body.delivery.id)).toEqual([`${id}:ci`, `${id}:ci`]);
    expect(await count(running)).toMatchObject({ dead: 0, state: 'working' });
  });

  it('gives up what has grown old', async () => {
    const receiver = await openReceiver();
    receiver.answer = () => 503;
    const { send, reports } = await start({ webhookUrls: [receiver.url()], webhookAgeMs: 1_000 });
    await send('one');
    await until(async () => outcomes(reports).some((one) => one.startsWith('dead')));
    expect(outcomes(reports).at(-1)).toBe('dead too old');
  });

  it('is told of a message that is gone meanwhile, as it came', async () => {
    const receiver = await openReceiver();
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    receiver.answer = async () => {
      await gone;
      return receiver.received.length === 1 ? 503 : 200;
    };
    const { daemon, send } = await start({ webhookUrls: [receiver.url()] });
    const id = await send('one');
    await until(async () => receiver.received.length === 1);
    await daemon.store.remove({ ids: [id] });
    resolve();
    await until(async () => receiver.received.length === 2);
    expect(receiver.received[1]!.body.data).toMatchObject({ gone: true, message: { id, subject: 'one', snippet: '' } });
  });

  it('reports what there was no room for', async () => {
    const receiver = await openReceiver();
    receiver.answer = () => 503;
    const { daemon, send, reports } = await start({ webhookUrls: [receiver.url()], webhookQueue: 2, webhookDead: 1 });
    for (let n = 0; n < 5; n++) await send(String(n));
    await daemon.stop();
    const overflows = reports.filter((report) => report.type === 'webhook-overflow');
    expect(overflows.reduce((sum, { buried }) => sum + buried, 0)).toBe(3);
    expect(overflows.reduce((sum, { forgotten }) => sum + forgotten, 0)).toBe(2);
  });

  it('loses nothing when the clock jumps, and is not called in a hurry', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const receiver = await openReceiver();
    receiver.answer = ({ body }) => (body.delivery.attempt < 3 ? 503 : 200);
    const { send, reports } = await start({ webhookUrls: [receiver.url()] });
    await send('one');
    await until(async () => receiver.received.length === 1);
    vi.setSystemTime(Date.now() + 365 * 86_400_000);
    await until(async () => receiver.received.length === 2);
    vi.setSystemTime(Date.now() - 700 * 86_400_000);
    await until(async () => outcomes(reports).includes('delivered'));
    const [first, second] = receiver.received;
    expect(second!.at - first!.at).toBeGreaterThan(900);
  });

  it('is reached by HTTPS if its certificate is vouched for, by a file of authorities too', async () => {
    const files = await writeCertificate(folder, '127.0.0.1');
    const { readFileSync } = await import('node:fs');
    const receiver = await openReceiver({
      cert: readFileSync(files.cert, 'utf8'),
      key: readFileSync(files.key, 'utf8'),
    });
    const webhooks = {
      known: { url: receiver.url('/known'), 'ca-file': files.cert },
      unknown: { url: receiver.url('/unknown') },
    };
    const { send, reports } = await start({ webhooks, webhookAttempts: 1 });
    await send('one');
    await until(async () => outcomes(reports).length === 2);
    expect(receiver.received.map(({ path }) => path)).toEqual(['/known']);
    expect(outcomes(reports).sort()).toEqual([expect.stringMatching(/^dead .*certificate/), 'delivered']);
  });

  it('has what a stop broke off after the next start, under the same id and in order', async () => {
    const data = mkdtempSync(join(folder, 'data-'));
    const receiver = await openReceiver();
    receiver.answer = () => undefined;
    const config = { data, webhooks: { ci: { url: receiver.url() } } };
    const first = await start(config);
    const ids = [await first.send('one'), await first.send('two')];
    await until(async () => receiver.received.length === 1);
    await first.daemon.stop({ graceMs: 0 });
    receiver.answer = () => 200;
    const second = await start(config);
    await until(async () => (await count(second)).waiting === 0);
    expect(receiver.received.map(({ body }) => [body.delivery.id, body.delivery.attempt])).toEqual([
      [`${ids[0]}:ci`, 1],
      [`${ids[0]}:ci`, 1],
      [`${ids[1]}:ci`, 1],
    ]);
    expect(second.reports.filter(({ type }) => type === 'crash')).toEqual([]);
  });

  it('that is configured no longer keeps what waits for it', async () => {
    const data = mkdtempSync(join(folder, 'data-'));
    const receiver = await openReceiver();
    receiver.answer = () => 503;
    const config = { data, webhooks: { ci: { url: receiver.url() } } };
    const first = await start(config);
    await first.send('one');
    await until(async () => receiver.received.length > 0);
    await first.daemon.stop({ graceMs: 0 });
    const without = await start({ data });
    await without.send('two');
    expect(await count(without)).toMatchObject({ name: 'ci', state: 'removed', waiting: 1 });
    await without.daemon.stop({ graceMs: 0 });
    receiver.answer = () => 200;
    const again = await start(config);
    await until(async () => (await count(again)).waiting === 0);
    expect(receiver.subjects.filter((one) => one.endsWith('200'))).toEqual(['one 200']);
  });
});

describe('webhooks', () => {
  it.each([[{ sink: 'discard' as const }], [{ sink: 'maildir:/tmp/nowhere' }]])('need the store: %j', async (sink) => {
    const made = createDaemon({ ...sink, webhookUrls: ['http://127.0.0.1:1/'] });
    await expect(made).rejects.toMatchObject({ code: 'CONFIG_CONFLICT', message: expect.stringContaining('webhooks need the sink store') }); // biome-ignore format: a line
  });

  it('do not go with a sink of the program', async () => {
    const config = { listen: ['http://127.0.0.1:0'], webhookUrls: ['http://127.0.0.1:1/'] };
    await expect(createDaemon(config, { sink: async () => {} })).rejects.toMatchObject({ code: 'CONFIG_CONFLICT' });
  });

  it('do not start without their files', async () => {
    const webhooks = { ci: { url: 'http://127.0.0.1:1/', 'secret-file': join(folder, 'none') } };
    const made = createDaemon({ listen: ['http://127.0.0.1:0'], data: ':memory:', webhooks });
    await expect(made).rejects.toMatchObject({ code: 'WEBHOOK_UNUSABLE' });
  });

  it('take up changed secrets at a reload, and keep the old ones where that fails', async () => {
    const receiver = await openReceiver();
    const file = join(folder, 'changing');
    writeFileSync(file, SECRET);
    const { daemon, api, reports } = await start({ webhooks: { ci: { url: receiver.url(), 'secret-file': file } } });
    const isSignedBy = (secret: string): boolean => {
      const { text, headers } = receiver.received.at(-1)!;
      try {
        return new Webhook(secret).verify(text, headers as Record<string, string>) !== undefined;
      } catch {
        return false;
      }
    };
    const next = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    writeFileSync(file, `${next}\n${SECRET}`);
    await daemon.reload();
    await api('/ci/test', {});
    expect([isSignedBy(next), isSignedBy(SECRET)]).toEqual([true, true]);
    writeFileSync(file, 'nothing');
    await daemon.reload();
    await api('/ci/test', {});
    expect(isSignedBy(next)).toBe(true);
    expect(reports.filter(({ type }) => type === 'webhook-secrets')).toHaveLength(1);
  });
});
