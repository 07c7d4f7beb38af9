/** A client that disappears in the middle of whatever it was doing leaves nothing behind. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';

/** Beyond what stays in memory: it goes to a spool file while it arrives. */
const LARGE = Buffer.from('x'.repeat(998).concat('\r\n').repeat(2_000));
const SMALL = Buffer.from('Subject: half a mess');

const MAIL = 'MAIL FROM:<ada@out.example>';
const RCPT = 'RCPT TO:<vanish@in.example>';

type Doing = (client: SmtpClient) => Promise<unknown>;

async function says(client: SmtpClient, ...lines: string[]): Promise<void> {
  for (const line of lines) await client.command(line);
}

const content =
  (...parts: (string | Buffer)[]): Doing =>
  async (client) => {
    await says(client, 'EHLO client.example', MAIL, RCPT, 'DATA');
    for (const part of parts) await client.write(part);
  };

const chunks =
  (...parts: (string | Buffer)[]): Doing =>
  async (client) => {
    await says(client, 'EHLO client.example', MAIL, RCPT);
    for (const part of parts) await client.write(part);
  };

const MOMENTS: readonly (readonly [when: string, doing: Doing])[] = [
  ['after it connected', async () => {}],
  ['before the greeting, having said much', (client) => client.write(`EHLO client.example\r\n${MAIL}\r\n${RCPT}\r\n`)],
  ['in the middle of a command', (client) => client.write('EHLO cli')],
  ['after EHLO', (client) => says(client, 'EHLO client.example')],
  ['after MAIL', (client) => says(client, 'EHLO client.example', MAIL)],
  ['after RCPT', (client) => says(client, 'EHLO client.example', MAIL, RCPT)],
  ['after DATA', content()],
  ['in a small content', content(SMALL)],
  ['in a large content', content(LARGE)],
  ['before the lone dot', content(SMALL, '\r\n\r\nHello\r\n')],
  ['within the lone dot', content(LARGE, '\r\n.')],
  ['within the last CR LF', content(SMALL, '\r\n.\r')],
  ['in a small BDAT chunk', chunks('BDAT 1000 LAST\r\n', SMALL)],
  ['in a large BDAT chunk', chunks(`BDAT ${LARGE.length + 1} LAST\r\n`, LARGE)],
  ['between BDAT chunks', chunks(`BDAT ${SMALL.length}\r\n`, SMALL)],
  ['between large BDAT chunks', chunks(`BDAT ${LARGE.length}\r\n`, LARGE)],
  ['in a BDAT command', chunks(`BDAT ${SMALL.length}\r\n`, SMALL, 'BDAT 5 LA')],
  [
    'in the content of its second message',
    async (client) => {
      await says(client, 'EHLO client.example', MAIL, RCPT, 'RSET', MAIL, RCPT, 'DATA');
      await client.write(LARGE);
    },
  ],
];

const WAYS: readonly (readonly [how: string, vanish: (client: SmtpClient) => Promise<void>])[] = [
  ['with FIN', (client) => client.drop()],
  ['with RST', (client) => client.reset()],
];

describe('Dead sockets: a client that disappears', () => {
  let daemon: DaemonProcess;
  let atRest: number;
  beforeAll(async () => {
    daemon = await startDaemon();
    // whatever the daemon opens once and keeps is open after a first message, a large one and a first request
    const client = await SmtpClient.open(daemon.smtpPort);
    for (const bytes of [Buffer.from('Subject: first\r\n\r\n'), LARGE]) {
      await deliver(client, { from: 'ada@out.example', to: ['base@in.example'], content: bytes });
    }
    await client.quit();
    expect((await daemon.list()).total).toBe(2);
    await daemon.api('/messages', { method: 'DELETE' });
    atRest = await settledDescriptors(daemon);
  });
  afterAll(() => daemon.stop());

  const expectNothingLeft = async () => {
    await expect.poll(() => readdirSync(join(daemon.data, 'spool')), { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => daemon.descriptors, { timeout: 10_000 }).toBeLessThanOrEqual(atRest);
    expect((await daemon.list()).total).toBe(0);
  };

  describe.each(MOMENTS)('%s', (_when, doing) => {
    it.each(WAYS)('%s leaves no message, no file and no descriptor', async (_how, vanish) => {
      const clients = await Promise.all(Array.from({ length: 5 }, () => SmtpClient.connect(daemon.smtpPort)));
      for (const client of clients) await doing(client);
      await Promise.all(clients.map(vanish));
      await expectNothingLeft();
    });
  });

  it('with half-closed connection after the lone dot still gets its 250: the message is whole', async () => {
    const client = await SmtpClient.open(daemon.smtpPort);
    await says(client, MAIL, RCPT, 'DATA');
    client.socket.end('Subject: whole\r\n\r\n.\r\n');
    expect((await client.reply()).code).toBe(250);
    await client.closed;
    expect((await daemon.list()).messages.map(({ Subject }) => Subject)).toEqual(['whole']);
    await daemon.api('/messages', { method: 'DELETE' });
  });

  it('leaves a daemon that serves the next one', async () => {
    const client = await SmtpClient.open(daemon.smtpPort);
    const [id] = await deliver(client, { from: 'ada@out.example', to: ['next@in.example'], content: LARGE });
    await client.quit();
    expect((await daemon.raw(id!)).equals(LARGE)).toBe(true);
    expect(daemon.log.filter(({ level }) => level !== 'info')).toEqual([]);
  });
});

/** The number of descriptors once it has stopped to change, longer than work in the background lets wait for itself. */
async function settledDescriptors(daemon: DaemonProcess): Promise<number> {
  let last = daemon.descriptors;
  for (let same = 0; same < 65; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = daemon.descriptors;
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}
