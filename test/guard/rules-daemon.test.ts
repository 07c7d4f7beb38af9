import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config.ts';
import { createDaemon, type Daemon } from '../../src/daemon.ts';
import type { Report } from '../../src/mail/report.ts';
import { SmtpClient } from '../support/smtp-client.ts';

let daemon: Daemon;
let reports: Report[];

async function open(input: ConfigInput): Promise<SmtpClient> {
  reports = [];
  const listen = ['smtp://127.0.0.1:0', 'lmtp://127.0.0.1:0'];
  daemon = await createDaemon(
    { listen, data: ':memory:', tls: 'off', ...input },
    { report: (one) => reports.push(one) },
  );
  return SmtpClient.open(Number(new URL(daemon.listeners[0]!.url).port));
}

async function inboxes(): Promise<string[]> {
  const { inboxes: found } = await daemon.store.inboxes();
  return found.map(({ inbox }) => inbox).sort();
}

const send = async (
  client: SmtpClient,
  from: string,
  ...to: readonly (readonly [string, number])[]
): Promise<number> => {
  await client.expect(250, `MAIL FROM:<${from}>`);
  for (const [address, code] of to) await client.expect(code, `RCPT TO:<${address}>`);
  await client.expect(354, 'DATA');
  const { code } = await client.command('Subject: hi\r\n\r\nHello\r\n.');
  return code;
};

describe('a daemon with rules', () => {
  afterEach(() => daemon.stop({ graceMs: 0 }));

  it('stores for who is accepted, says yes for who is discarded, refuses the others, in one message', async () => {
    const client = await open({ rejectTo: ['spam.example'], discardTo: ['noreply@*'], acceptTo: ['*'] });
    const to = [
      ['ann@in.example', 250],
      ['noreply@in.example', 250],
      ['bob@spam.example', 550],
      ['postmaster', 250],
    ] as const;
    expect(await send(client, 'a@out.example', ...to)).toBe(250);
    expect(await inboxes()).toEqual(['ann@in.example', 'postmaster']);
    // nobody but who is discarded: yes, and nothing kept
    expect(await send(client, 'a@out.example', ['noreply@in.example', 250])).toBe(250);
    expect(await inboxes()).toEqual(['ann@in.example', 'postmaster']);
    expect(reports.filter(({ type }) => type === 'refusal')).toMatchObject([
      { phase: 'rcpt', reason: 'recipient', filter: 'rules', code: 550 },
    ]);
  });

  it('answers each recipient of LMTP, the discarded ones too', async () => {
    await (await open({ discardTo: ['noreply@*'] })).quit();
    const client = await SmtpClient.open(Number(new URL(daemon.listeners[1]!.url).port), 'LHLO x.test');
    const to = [
      ['noreply@in.example', 250],
      ['ann@in.example', 250],
    ] as const;
    expect(await send(client, 'a@out.example', ...to)).toBe(250);
    expect(await client.reply()).toMatchObject({ code: 250 });
    expect(await inboxes()).toEqual(['ann@in.example']);
  });

  it('goes by the sender, and lets bounces through', async () => {
    const client = await open({ acceptFrom: ['out.example'], discardFrom: ['news@out.example'] });
    await client.expect(550, 'MAIL FROM:<a@elsewhere.example>');
    expect(await send(client, 'news@out.example', ['a@in.example', 250])).toBe(250);
    expect(await inboxes()).toEqual([]);
    expect(await send(client, '', ['a@in.example', 250])).toBe(250);
    expect(await inboxes()).toEqual(['a@in.example']);
  });

  it('bounds the inboxes of one message', async () => {
    const client = await open({ maxInboxes: 1 });
    const to = [
      ['a@in.example', 250],
      ['A+x@in.example', 250],
      ['b@in.example', 452],
    ] as const;
    expect(await send(client, 'a@out.example', ...to)).toBe(250);
    expect(await inboxes()).toEqual(['a@in.example']);
  });
});

describe('rules in the configuration', () => {
  it.each([
    [{ rejectTo: ['a b@x.test'] }, 'reject-to'],
    [{ acceptTo: ['<>'] }, 'accept-to'],
    [{ acceptFrom: ['a@b@'] }, 'accept-from'],
    [{ proxyFrom: ['192.0.2.0/33'] }, 'proxy-from'],
    [{ proxyFrom: ['everywhere'] }, 'proxy-from'],
    [{ xclientFrom: ['2001:db8::/129'] }, 'xclient-from'],
    [{ authRequired: true }, 'auth-required lets nobody in'],
  ] as const)('%j is none: %s is named', async (input, named) => {
    await expect(createDaemon({ listen: 'smtp://127.0.0.1:0', ...(input as ConfigInput) })).rejects.toThrow(
      // a program names its own properties
      new RegExp(named.includes(' ') ? named : Object.keys(input)[0]!),
    );
  });
});
