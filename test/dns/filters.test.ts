import { afterEach, describe, expect, it } from 'vitest';
import { judgeAnswer, parseBlockList } from '../../src/dns/block-list.ts';
import { blockLists } from '../../src/dns/block-list-filter.ts';
import { createResolver } from '../../src/dns/resolver.ts';
import { confirmReverseNames } from '../../src/dns/reverse-name-filter.ts';
import { type ConfigInput, createDaemon, type Daemon, type Report } from '../../src/index.ts';
import { filterContract } from '../contracts/filter.ts';
import { type DnsServer, startDnsServer, type Zone } from '../support/dns-server.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

interface Served {
  readonly daemon: Daemon;
  readonly dns: DnsServer;
  readonly reports: Report[];
  readonly port: number;
}

async function start(zone: Zone | 'silent', config: ConfigInput): Promise<Served> {
  const reports: Report[] = [];
  const dns = await startDnsServer(zone);
  undo.push(() => dns.close());
  const daemon = await createDaemon(
    { listen: 'smtp://127.0.0.1:0', data: ':memory:', exempt: [], dnsServer: dns.address, ...config },
    { report: (one) => reports.push(one) },
  );
  undo.push(() => daemon.stop({ graceMs: 0 }));
  return { daemon, dns, reports, port: Number(new URL(daemon.listeners[0]!.url).port) };
}

const mail = { from: 'me@here.test', to: ['a@b.test'], content: Buffer.from('Subject: hi\r\n\r\nhello\r\n') };

async function mailFrom({ port }: Served, from: string): Promise<{ code: number; text: string }> {
  const client = await SmtpClient.open({ port, from });
  const reply = await client.command('MAIL FROM:<a@b.test>');
  await client.quit();
  return reply;
}

describe('a block list as it is configured', () => {
  it.each([
    'zen.example.org',
    'a.b.c-d.example.org=127.0.0.2',
    'x.test=127.0.0.[2..4;10..11]',
    'x.test=127.[0..1].0.9',
  ])('is %s', (text) => expect(parseBlockList(text)).toBeDefined());

  it.each([
    '',
    'localhost',
    'a b.test',
    'x.test=',
    'x.test=127.0.0',
    'x.test=127.0.0.256',
    'x.test=127.0.0.[4..2]',
    '=127.0.0.2',
    'x.test=1=2',
    '-.test',
  ])('is not %j', (text) => expect(parseBlockList(text)).toBeUndefined());

  it('counts the answers that it names, and by default all that lists give', () => {
    const some = parseBlockList('x.test=127.0.0.[2..4;10]')!;
    expect(['127.0.0.2', '127.0.0.4', '127.0.0.10'].map((answer) => judgeAnswer(some, answer))).toEqual([
      'listed',
      'listed',
      'listed',
    ]);
    expect(['127.0.0.5', '127.0.1.2', '192.0.2.2'].map((answer) => judgeAnswer(some, answer))).toEqual([
      'other',
      'other',
      'other',
    ]);
    const any = parseBlockList('x.test')!;
    expect(['127.0.0.99', '127.255.255.254', '192.0.2.1'].map((answer) => judgeAnswer(any, answer))).toEqual([
      'listed',
      'refused',
      'other',
    ]);
  });
});

describe('block lists', () => {
  const listed: Zone = { '9.0.0.127.bl.test': { A: ['127.0.0.2'] }, '8.0.0.127.bl.test': { A: ['127.0.0.20'] } };

  it('refuse mail of who is listed, with the answers that count, and nobody else', async () => {
    const served = await start(listed, { blockLists: ['bl.test=127.0.0.[2..4]'] });
    expect(await mailFrom(served, '127.0.0.9')).toMatchObject({
      code: 554,
      text: '5.7.1 127.0.0.9 is listed at bl.test',
    });
    expect(await mailFrom(served, '127.0.0.8')).toMatchObject({ code: 250 });
    expect(await mailFrom(served, '127.0.0.7')).toMatchObject({ code: 250 });
    expect(served.reports.filter(({ type }) => type === 'refusal')).toMatchObject([
      { phase: 'mail', reason: 'listed', filter: 'block-lists' },
    ]);
  });

  it('are asked once for an address, not for each connection', async () => {
    const served = await start(listed, { blockLists: ['bl.test'] });
    for (let i = 0; i < 5; i++) await mailFrom(served, '127.0.0.9');
    expect(served.dns.questions).toEqual(['A 9.0.0.127.bl.test']);
  });

  it('may tag instead', async () => {
    const served = await start(listed, { blockLists: ['other.test', 'bl.test'], blockListAction: 'tag' });
    const client = await SmtpClient.open({ port: served.port, from: '127.0.0.9' });
    const [id] = await deliver(client, mail);
    await client.quit();
    expect((await served.daemon.store.get(id!))?.tags).toEqual(['listed']);
  });

  it('that hang, fail or do not answer us have no say, and that is told once', async () => {
    const zone: Zone = {
      '9.0.0.127.hangs.test': { fails: 'silent' },
      '9.0.0.127.broken.test': { fails: 'SERVFAIL' },
      '9.0.0.127.refuses.test': { A: ['127.255.255.254'] },
      '8.0.0.127.refuses.test': { A: ['127.255.255.254'] },
      '9.0.0.127.bl.test': { A: ['127.0.0.2'] },
    };
    const lists = ['hangs.test', 'broken.test', 'refuses.test'];
    const open = await start(zone, { blockLists: lists, clientDnsMs: 300 });
    for (const from of ['127.0.0.9', '127.0.0.8', '127.0.0.9']) expect((await mailFrom(open, from)).code).toBe(250);
    const troubles = open.reports.flatMap((one) => (one.type === 'block-list' ? [`${one.zone} ${one.works}`] : []));
    expect(troubles.filter((one) => one === 'refuses.test false')).toHaveLength(1);
    // and keep no other list from having its own
    const strict = await start(zone, { blockLists: [...lists, 'bl.test'], clientDnsMs: 300 });
    expect((await mailFrom(strict, '127.0.0.9')).code).toBe(554);
  });

  it('never block mail when the DNS says nothing at all', async () => {
    const served = await start('silent', { blockLists: ['bl.test'], reverseNames: 'require', clientDnsMs: 100 });
    const client = await SmtpClient.open({ port: served.port, from: '127.0.0.9' });
    await deliver(client, mail);
    await client.quit();
  });
});

describe('names of clients', () => {
  const zone: Zone = {
    '9.0.0.127.in-addr.arpa': { PTR: ['liar.test', 'Mail.Good.test'] },
    'mail.good.test': { A: ['192.0.2.1', '127.0.0.9'] },
    'liar.test': { A: ['192.0.2.1'] },
    '8.0.0.127.in-addr.arpa': { PTR: ['liar.test'] },
    '7.0.0.127.in-addr.arpa': { fails: 'SERVFAIL' },
  };

  it('stand with what they bring when they point back to the address', async () => {
    const served = await start(zone, { reverseNames: 'annotate' });
    const names: (string | undefined)[] = [];
    for (const from of ['127.0.0.9', '127.0.0.8', '127.0.0.6']) {
      const client = await SmtpClient.open({ port: served.port, from });
      const [id] = await deliver(client, mail);
      await client.quit();
      const report = served.reports.find((one) => one.type === 'message' && one.message.id === id);
      names.push(report?.type === 'message' ? report.message.client.name : 'none');
    }
    expect(names).toEqual(['mail.good.test', undefined, undefined]);
  });

  it('may be required: 550 5.7.25 for who has none, not for whom nobody knows', async () => {
    const served = await start(zone, { reverseNames: 'require' });
    expect((await mailFrom(served, '127.0.0.9')).code).toBe(250);
    expect(await mailFrom(served, '127.0.0.8')).toMatchObject({ code: 550, text: expect.stringContaining('5.7.25') });
    expect(await mailFrom(served, '127.0.0.6')).toMatchObject({ code: 550 });
    expect((await mailFrom(served, '127.0.0.7')).code).toBe(250);
  });
});

for (const [name, zone] of [
  ['an answering', {}],
  ['a silent', 'silent'],
] as const) {
  const using = async (
    create: (resolver: ReturnType<typeof createResolver>) => Parameters<typeof filterContract>[1],
  ) => {
    const dns = await startDnsServer(zone);
    const made = await create(createResolver({ servers: [dns.address], deadlineMs: 50 }))();
    return { ...made, close: () => dns.close() };
  };
  const isExempt = (): boolean => false;
  const lists = [{ zone: 'bl.test' }];
  filterContract(`of block lists with ${name} DNS`, () =>
    using((resolver) => () => ({
      filter: blockLists({ lists, action: 'reject', resolver, deadlineMs: 50, isExempt, report() {} }),
    })),
  );
  filterContract(`of client names with ${name} DNS`, () =>
    using((resolver) => () => ({
      filter: confirmReverseNames({ required: true, resolver, deadlineMs: 50, isExempt }),
    })),
  );
}
