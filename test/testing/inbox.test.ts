import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startInbox, type TestInbox } from '../../src/testing.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';

let inbox: TestInbox;
let client: SmtpClient;

beforeAll(async () => {
  inbox = await startInbox({ timeout: 60_000 }); // a busy machine is no reason to fail
  client = await SmtpClient.open({ host: inbox.smtp.host, port: inbox.smtp.port });
});
beforeEach(() => inbox.clear());
afterAll(async () => {
  await client.quit();
  await inbox.stop();
});

interface Sent {
  readonly subject?: string;
  readonly from?: string;
  readonly body?: string;
  readonly type?: string;
}

async function send(to: string | readonly string[], sent: Sent = {}): Promise<Buffer> {
  const { subject = 'Hello', from = 'Shop <shop@shop.example>', body = 'Hi.', type = 'text/plain' } = sent;
  const header = [`From: ${from}`, 'To: You <you@there.example>', `Subject: ${subject}`, `Content-Type: ${type}`];
  const content = Buffer.from(`${header.join('\r\n')}\r\n\r\n${body}\r\n`);
  await deliver(client, { from: 'bounce@shop.example', to: typeof to === 'string' ? [to] : [...to], content });
  return content;
}

/** The message of an error that has to come. */
async function failure(wait: Promise<unknown>): Promise<Error> {
  const outcome = await wait.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error('no error came');
  return outcome;
}

describe('an address', () => {
  it('is never made up twice, and says what it is for', () => {
    const made = Array.from({ length: 100 }, () => inbox.newAddress('Sign up: <evil>\r\n'));
    expect(new Set([...made, inbox.address]).size).toBe(101);
    for (const address of made) expect(address).toMatch(/^sign-up-evil-[0-9a-f]{12}@inbox\.test$/);
    expect(inbox.newAddress('注册')).toMatch(/^inbox-[0-9a-f]{12}@inbox\.test$/);
    expect(inbox.newAddress('x'.repeat(500)).length).toBeLessThan(64);
  });
});

describe('wait', () => {
  it('gives a message that is there, and one that comes', async () => {
    await send(inbox.address, { subject: 'there' });
    expect((await inbox.wait()).subject).toBe('there');
    const coming = inbox.wait();
    await send(inbox.address, { subject: 'coming' });
    expect((await coming).subject).toBe('coming');
  });

  it('gives the message taken apart', async () => {
    const html =
      '<p>Your code is <b>271828</b>.</p><a href="https://shop.example/verify?token=a1b2c3">Confirm your address</a>';
    const lines = [
      '--x', 'Content-Type: text/plain', '', 'Your code is 271828.',
      '--x', 'Content-Type: text/html', '', html,
      '--x', 'Content-Type: application/pdf; name=a.pdf', 'Content-Disposition: attachment; filename=a.pdf', '', '%PDF',
      '--x--',
    ]; // biome-ignore format: a mail
    const sent = await send([inbox.address, 'hidden@there.example'], {
      subject: '=?utf-8?Q?Gr=C3=BC=C3=9Fe?=',
      type: 'multipart/mixed; boundary=x',
      body: lines.join('\r\n'),
    });
    const message = await inbox.wait();
    expect(message.subject).toBe('Grüße');
    expect(message.from).toEqual({ name: 'Shop', address: 'shop@shop.example' });
    expect(message.to).toEqual([{ name: 'You', address: 'you@there.example' }]);
    expect(message.envelope).toEqual({ from: 'bounce@shop.example', to: [inbox.address, 'hidden@there.example'] });
    expect(message.text).toContain('Your code is 271828.');
    expect(message.html).toContain('<b>271828</b>');
    expect(message.code).toBe('271828');
    expect(message.codes.map(({ code }) => code)).toEqual(['271828']);
    expect(message.links).toEqual([
      { url: 'https://shop.example/verify?token=a1b2c3', text: 'Confirm your address', kind: 'verify' },
    ]);
    expect(message.link()).toBe(message.link('verify'));
    expect(message.attachments).toMatchObject([{ fileName: 'a.pdf', contentType: 'application/pdf' }]);
    expect(message.attachments[0]?.content.toString()).toContain('%PDF');
    expect(message.headers[0]).toEqual({ name: 'From', value: 'Shop <shop@shop.example>' });
    expect(message.raw()).toEqual(sent);
  });

  it('does not miss what has come when there is no time to wait', async () => {
    for (let round = 0; round < 20; round++) {
      await send(inbox.address, { subject: `round ${round}` });
      expect((await inbox.wait({ timeout: 0 })).subject).toBe(`round ${round}`);
    }
  });

  it('chooses by recipient, the hidden ones as well, with and without a tag', async () => {
    const [ann, bob] = [inbox.newAddress('ann'), inbox.newAddress('bob')];
    await send(ann, { subject: 'for ann' });
    await send(bob.replace('@', '+tag@'), { subject: 'for bob' });
    await expect(inbox.wait({ to: bob.replace('@', '+other@'), timeout: 0 })).rejects.toThrow();
    expect((await inbox.wait({ to: bob.toUpperCase() })).subject).toBe('for bob');
    expect((await inbox.wait({ to: ann })).subject).toBe('for ann');
  });

  it('chooses by subject and sender, as text or as a pattern', async () => {
    for (const subject of ['Welcome', 'Invoice 17', 'Reset']) await send(inbox.address, { subject });
    await send(inbox.address, { subject: 'Other', from: '"Ann Lee" <ann@lee.example>' });
    const pattern = /invoice \d+/gi;
    pattern.lastIndex = 5;
    expect((await inbox.wait({ subject: pattern })).subject).toBe('Invoice 17');
    expect((await inbox.wait({ subject: 'RESET' })).subject).toBe('Reset');
    expect((await inbox.wait({ from: 'ann lee' })).subject).toBe('Other');
    expect((await inbox.wait({ from: /@shop\./, subject: /^W/ })).subject).toBe('Welcome');
  });

  it('gives each message out once, the oldest first, to whoever waits longest', async () => {
    const waits = [inbox.wait(), inbox.wait({ subject: 'b' }), inbox.wait()];
    for (const subject of ['a', 'b', 'c', 'd']) await send(inbox.address, { subject });
    expect((await Promise.all(waits)).map(({ subject }) => subject)).toEqual(['a', 'b', 'c']);
    expect((await inbox.wait()).subject).toBe('d');
    expect((await inbox.messages()).map(({ subject }) => subject)).toEqual(['a', 'b', 'c', 'd']);
    expect((await inbox.messages({ subject: 'c' })).map(({ subject }) => subject)).toEqual(['c']);
  });

  it('says on a time-out what did come, safely, and points at the line that waited', async () => {
    await send(inbox.address, { subject: 'given' });
    await inbox.wait();
    await send('other@there.example', { subject: '=?utf-8?Q?red=E2=80=AE?=' });
    const error = await failure(inbox.wait({ to: inbox.address, subject: /welcome/i, timeout: 10 }));
    expect(error.message.split('\n')).toEqual([
      `No mail to ${inbox.address} with subject /welcome/i within 10 ms. What has come:`,
      `  to ${inbox.address}, from Shop <shop@shop.example>: "given" (given out before)`,
      '  to other@there.example, from Shop <shop@shop.example>: "red\\u202e"',
    ]);
    expect(error.stack).toContain('inbox.test.ts');
    expect((await inbox.wait()).subject).toContain('red'); // nothing is lost by waiting for something else
  });

  it('says on a time-out that nothing came, and where it would have', async () => {
    const { host, port } = inbox.smtp;
    const error = await failure(inbox.wait({ from: 'x', timeout: 0 }));
    expect(error.message).toBe(`No mail from "x" within 0 ms. No mail at all has come to ${host}:${port}.`);
  });

  it('refuses what is no address', async () => {
    await expect(inbox.wait({ to: ' ' })).rejects.toThrow('to: " " is no address');
  });
});

describe('a message', () => {
  it('without a code or a link says so with what it has', async () => {
    await send(inbox.address, { subject: 'Plain', body: 'Hello.\r\nhttps://shop.example/unsubscribe' });
    const message = await inbox.wait();
    expect(message.codes).toEqual([]);
    expect(() => message.code).toThrow('No code in the mail "Plain". Its text: Hello.');
    expect(() => message.link('verify')).toThrow(
      'No link of the kind verify in the mail "Plain". It has: unsubscribe https://shop.example/unsubscribe',
    );
    expect(() => message.link()).toThrow('No link to follow in the mail "Plain".');
  });
});

describe('clear', () => {
  it('forgets what came', async () => {
    await send(inbox.address);
    await inbox.clear();
    expect(await inbox.messages()).toEqual([]);
    await expect(inbox.wait({ timeout: 0 })).rejects.toThrow('No mail at all has come');
  });
});

describe('stop', () => {
  it('ends all waiting, may be called twice, and is what the end of a scope calls', async () => {
    let waiting: Promise<Error>;
    let stopped: TestInbox;
    {
      await using other = await startInbox({ domain: 'mine.test', host: '127.0.0.2' });
      expect(other.smtp.host).toBe('127.0.0.2');
      expect(other.address).toMatch(/@mine\.test$/);
      waiting = failure(other.wait());
      stopped = other;
    }
    expect((await waiting).message).toBe('The inbox was stopped');
    await stopped.stop();
    await expect(stopped.wait()).rejects.toThrow('The inbox was stopped');
    await expect(SmtpClient.connect(stopped.smtp)).rejects.toThrow('ECONNREFUSED');
  });
});
