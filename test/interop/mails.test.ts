/** Mails that others wrote, malformed ones among them (test/mails/README.md): none may be lost, changed or deadly. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { createRandom, pick } from '../support/random.ts';
import { deliver, SmtpClient, withCrlf } from '../support/smtp-client.ts';

const FOLDER = fileURLToPath(new URL('../mails/', import.meta.url));
const MAILS = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.eml'))
  .sort();

const readMail = (name: string): Buffer => readFileSync(join(FOLDER, name));

it('are all here', () => {
  expect(MAILS.length).toBe(107);
});

describe.each([
  { how: 'with CR LF line ends, by DATA', by: 'DATA', args: [], prepare: withCrlf },
  { how: 'with CR LF line ends, by BDAT', by: 'BDAT', args: [], prepare: withCrlf },
  {
    how: 'as the files are, by BDAT, with --bare-newlines keep',
    by: 'BDAT',
    args: ['--bare-newlines', 'keep'],
    prepare: (bytes: Buffer) => bytes,
  },
] as const)('250, then lost: 107 mails sent $how', ({ by, args, prepare }) => {
  let daemon: DaemonProcess;
  let client: SmtpClient;
  const ids: string[] = [];
  beforeAll(async () => {
    daemon = await startDaemon({ args });
    client = await SmtpClient.open(daemon.smtpPort);
  });
  afterAll(async () => {
    await client.quit();
    await daemon.stop();
  });

  it.each(MAILS)('%s is stored byte for byte, and shown or at least served raw', async (name) => {
    const content = prepare(readMail(name));
    const [id] = await deliver(
      client,
      { from: 'ada@out.example', to: ['mails@in.example'], content },
      { by, chunkBytes: 1000 },
    );
    ids.push(id!);
    expect((await daemon.raw(id!)).equals(content)).toBe(true);
    for (const view of ['', '/headers']) {
      const response = await daemon.api(`/message/${id}${view}`);
      expect([view, response.status]).toEqual([view, 200]);
      expect(await response.json()).toBeTypeOf('object');
    }
  });

  it('are all listed, newest first', async () => {
    const list = await daemon.list();
    expect(list.total).toBe(MAILS.length);
    expect(list.messages.map((message) => message.ID)).toEqual([...ids].reverse());
  });

  it('left no crash in the log', () => {
    expect(daemon.log.filter((entry) => entry.level === 'error' || entry.level === 'fatal')).toEqual([]);
    expect(daemon.stray).toBe('');
  });
});

describe('250, then lost: mails spoilt at random', () => {
  const COUNT = 150;
  const SPOILS = [
    Buffer.from('\0'),
    Buffer.from('\r\n\r\n'),
    Buffer.from('\n'),
    Buffer.from('--'),
    Buffer.from('=?utf-8?q?='),
    Buffer.from([0xff, 0xfe, 0x80]),
    Buffer.from('Content-Type: multipart/mixed; boundary=""\r\n'),
    Buffer.alloc(3000, 'x'),
  ];

  /** Cuts, repeats, overwrites and puts in, a few times each. */
  function spoil(mail: Buffer, random: () => number): Buffer {
    let spoilt = mail.subarray(0, 200_000);
    for (let turns = 1 + Math.floor(random() * 6); turns > 0; turns--) {
      const at = Math.floor(random() * spoilt.length);
      const end = Math.min(spoilt.length, at + Math.floor(random() * 400));
      const middle = pick(random, [
        Buffer.alloc(0),
        pick(random, SPOILS),
        spoilt.subarray(at, end),
        spoilt.subarray(0, at),
      ]);
      spoilt = Buffer.concat([spoilt.subarray(0, at), middle, spoilt.subarray(random() < 0.5 ? at : end)]);
    }
    return spoilt.subarray(0, 1_000_000);
  }

  it('are all listed, served raw as they came, and shown somehow', async () => {
    const random = createRandom(107);
    const daemon = await startDaemon({ args: ['--bare-newlines', 'keep'] });
    try {
      const client = await SmtpClient.open(daemon.smtpPort);
      const ids: string[] = [];
      for (let n = 0; n < COUNT; n++) {
        const name = MAILS[n % MAILS.length]!;
        const content = spoil(readMail(name), random);
        const envelope = { from: 'ada@out.example', to: ['spoilt@in.example'], content };
        const [id] = await deliver(client, envelope, { by: 'BDAT', chunkBytes: 100_000 });
        ids.push(id!);
        expect([n, name, (await daemon.raw(id!)).equals(content)]).toEqual([n, name, true]);
        expect([n, name, (await daemon.api(`/message/${id}`)).status]).toEqual([n, name, 200]);
      }
      await client.quit();
      const list = await daemon.list();
      expect(list.messages.map((message) => message.ID)).toEqual(ids.toReversed());
      expect(daemon.log.filter((entry) => entry.level === 'error' || entry.level === 'fatal')).toEqual([]);
    } finally {
      await daemon.stop();
    }
  }, 240_000);
});
