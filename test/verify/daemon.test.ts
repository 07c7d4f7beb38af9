import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConfigInput, createDaemon, type Daemon, type DaemonParts } from '../../src/index.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Verification } from '../../src/mail/verification.ts';
import { type DnsServer, startDnsServer, type Zone } from '../support/dns-server.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';
import { plainMail, rsaKey, type SigningKey, signed, zoneResolver } from './support.ts';

let key: SigningKey;
beforeAll(() => {
  key = rsaKey();
});

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** As seen from 127.0.0.1, where the tests are. */
const zone = (): Zone => ({
  'example.org': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] },
  's1._domainkey.example.org': { TXT: [key.record] },
  '_dmarc.example.org': { TXT: ['v=DMARC1; p=reject'] },
  'bad.test': { TXT: ['v=spf1 -all'] },
});

async function start(config: ConfigInput, parts: DaemonParts = {}): Promise<Daemon> {
  const listen = ['smtp://127.0.0.1:0', 'http://127.0.0.1:0', 'lmtp://127.0.0.1:0'];
  const daemon = await createDaemon({ listen, data: ':memory:', verifyPrivate: true, ...config }, parts);
  undo.push(() => daemon.stop({ graceMs: 0 }));
  return daemon;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'inboxd-verify-'));
  undo.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

const urlOf = (daemon: Daemon, protocol: string): URL =>
  new URL(daemon.listeners.find((one) => one.protocol === protocol)!.url);

async function send(daemon: Daemon, raw: string, from = 'ann@example.org'): Promise<string> {
  const client = await SmtpClient.open(Number(urlOf(daemon, 'smtp').port));
  try {
    const [id] = await deliver(client, { from, to: ['bob@example.com'], content: Buffer.from(raw, 'latin1') });
    return id!;
  } finally {
    client.socket.destroy();
  }
}

interface ApiMessage {
  readonly verification: Verification | null;
}

async function shown(daemon: Daemon, id: string): Promise<Verification | null> {
  const response = await fetch(new URL(`/api/messages/${id}`, urlOf(daemon, 'http')));
  return ((await response.json()) as ApiMessage).verification;
}

async function finished(daemon: Daemon, id: string): Promise<Verification> {
  await until(async () => (await shown(daemon, id))?.status !== 'pending');
  return (await shown(daemon, id))!;
}

describe('verify = "annotate"', () => {
  it('shows in the API who sent a message, finds it by that and tells of the change', async () => {
    const daemon = await start({}, { resolver: zoneResolver(zone()) });
    const events: string[] = [];
    daemon.store.feed.subscribe(({ type }) => events.push(type));
    const id = await send(daemon, await signed(plainMail(), { key, domain: 'example.org' }));
    expect(await finished(daemon, id)).toMatchObject({
      status: 'done',
      spf: { result: 'pass', domain: 'example.org', identity: 'mailfrom' },
      dkim: [{ result: 'pass', domain: 'example.org', selector: 's1' }],
      dmarc: { result: 'pass', domain: 'example.org', policy: 'reject' },
      arc: { result: 'none' },
    });
    expect(events).toEqual(['received', 'changed']);
    const found = await fetch(new URL('/api/search?q=is:verified+dkim:pass', urlOf(daemon, 'http')));
    expect(await found.json()).toMatchObject({ messages: [{ id }] });
  });

  it('takes forged mail all the same and says what it is', async () => {
    const daemon = await start({}, { resolver: zoneResolver(zone()) });
    const id = await send(daemon, plainMail(), 'x@bad.test');
    expect(await finished(daemon, id)).toMatchObject({ spf: { result: 'fail' }, dmarc: { result: 'fail' } });
  });

  it('asks nobody about clients on this machine and in private networks', async () => {
    const resolver = zoneResolver(zone());
    const daemon = await start({ verifyPrivate: false }, { resolver });
    const id = await send(daemon, plainMail());
    expect(await shown(daemon, id)).toBeNull();
    expect(resolver.questions).toEqual([]);
  });

  it('is off when it is off', async () => {
    const resolver = zoneResolver(zone());
    const daemon = await start({ verify: 'off' }, { resolver });
    expect(await shown(daemon, await send(daemon, plainMail()))).toBeNull();
    expect(resolver.questions).toEqual([]);
  });

  it('takes up after a restart what was not done, large mails too', async () => {
    const data = await folder();
    const never = new Proxy({}, { get: () => () => new Promise(() => {}) }) as NonNullable<DaemonParts['resolver']>;
    const first = await start({ data }, { resolver: never });
    const small = await send(first, await signed(plainMail(), { key, domain: 'example.org' }));
    const large = await send(
      first,
      await signed(plainMail(undefined, 'x\r\n'.repeat(200_000)), { key, domain: 'example.org' }),
    );
    expect(await shown(first, small)).toMatchObject({ status: 'pending', spf: null, dkim: [] });
    await first.stop({ graceMs: 0 });
    const second = await start({ data }, { resolver: zoneResolver(zone()) });
    for (const id of [small, large]) {
      expect(await finished(second, id)).toMatchObject({ status: 'done', dkim: [{ result: 'pass' }] });
    }
  });

  it('says of what an earlier run left that nobody looks at it, when it is off now', async () => {
    const data = await folder();
    const never = new Proxy({}, { get: () => () => new Promise(() => {}) }) as NonNullable<DaemonParts['resolver']>;
    const first = await start({ data }, { resolver: never });
    const id = await send(first, plainMail());
    await first.stop({ graceMs: 0 });
    const second = await start({ data, verify: 'off' });
    expect(await finished(second, id)).toMatchObject({ status: 'failed', reason: 'verification was turned off' });
  });

  it.each(['silent', 'SERVFAIL'] as const)(
    'loses no mail and logs no flood when DNS is down (%s)',
    async (fails) => {
      const dns = await startDnsServer(
        fails === 'silent' ? 'silent' : { 'example.org': { fails }, '_dmarc.example.org': { fails } },
      );
      undo.push(() => dns.close());
      const reports: Report[] = [];
      const daemon = await start({ dnsServer: dns.address }, { report: (one) => reports.push(one) });
      const ids: string[] = [];
      for (let n = 0; n < 20; n++) ids.push(await send(daemon, plainMail()));
      for (const id of ids) {
        expect(await finished(daemon, id)).toMatchObject({
          spf: { result: 'temperror' },
          dmarc: { result: 'temperror' },
        });
      }
      expect(reports.filter(({ type }) => type === 'crash')).toEqual([]);
    },
    60_000,
  );
});

describe('verify = "enforce"', () => {
  let dns: DnsServer;
  async function enforcing(config: ConfigInput = {}): Promise<Daemon> {
    dns = await startDnsServer(zone());
    undo.push(() => dns.close());
    return start({ verify: 'enforce', dnsServer: dns.address, ...config });
  }

  it('refuses with 550 5.7.1 what the domain of From wants refused, and keeps the rest', async () => {
    const daemon = await enforcing();
    await expect(send(daemon, plainMail(), 'x@bad.test')).rejects.toThrow(/550 5\.7\.1 DMARC policy/);
    const id = await send(daemon, await signed(plainMail(), { key, domain: 'example.org' }), 'x@bad.test');
    expect(await shown(daemon, id)).toMatchObject({ status: 'done', dmarc: { result: 'pass' } });
    const other = await send(daemon, plainMail('x@nobody.test'), 'x@bad.test');
    expect(await shown(daemon, other)).toMatchObject({ spf: { result: 'fail' }, dmarc: { result: 'none' } });
    expect((await daemon.store.stats()).messages).toBe(2);
  });

  it('takes mail while DNS does not answer', async () => {
    const resolver = zoneResolver({ 'bad.test': { fails: 'silent' }, '_dmarc.example.org': { fails: 'silent' } });
    const daemon = await start({ verify: 'enforce' }, { resolver });
    const id = await send(daemon, plainMail(), 'x@bad.test');
    expect(await shown(daemon, id)).toMatchObject({ status: 'done', dmarc: { result: 'temperror' } });
  });

  it('lets nothing in by making it too large to look at', async () => {
    const daemon = await enforcing();
    const padded = `${'X-Pad: y\r\n'.repeat(10_000)}${plainMail()}`;
    await expect(send(daemon, padded, 'x@bad.test')).rejects.toThrow(/550 5\.6\.0/);
  });

  it('looks also where nothing is kept', async () => {
    const daemon = await enforcing({ sink: 'discard' });
    await expect(send(daemon, plainMail(), 'x@bad.test')).rejects.toThrow(/550 5\.7\.1/);
    expect(await send(daemon, await signed(plainMail(), { key, domain: 'example.org' }))).not.toBe('');
  });

  it('answers each recipient of LMTP', async () => {
    const daemon = await enforcing();
    const client = await SmtpClient.connect(Number(urlOf(daemon, 'lmtp').port));
    undo.push(async () => client.socket.destroy());
    client.socket.write(
      `LHLO here.test\r\nMAIL FROM:<x@bad.test>\r\nRCPT TO:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n`,
    );
    const replies = [];
    for (let n = 0; n < 6; n++) replies.push((await client.reply()).code);
    client.socket.write(`${plainMail()}.\r\n`);
    expect(replies).toEqual([220, 250, 250, 250, 250, 354]);
    expect([(await client.reply()).code, (await client.reply()).code]).toEqual([550, 550]);
  });

  it('puts what was found in front in a Maildir, and takes out what claims to be ours', async () => {
    const path = await folder();
    const daemon = await enforcing({ sink: `maildir:${path}`, hostname: 'mx.example.com' });
    const forged = 'Authentication-Results: mx.example.com; dmarc=pass header.from=bank.test\r\n';
    await send(daemon, forged + plainMail());
    const [name] = await readdir(join(path, 'new'));
    const text = await readFile(join(path, 'new', name!), 'utf8');
    expect(text).toMatch(/^Return-Path: <ann@example.org>\nAuthentication-Results: mx.example.com;\n\tspf=pass/);
    expect(text).toContain('dmarc=pass\n\t policy.dmarc=reject\n\t header.from=example.org');
    expect(text).not.toContain('bank.test');
  });
});
