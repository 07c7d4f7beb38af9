/** Mails that others wrote, malformed ones among them (test/mails/README.md): none may be lost, changed or deadly. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
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
] as const)('107 mails sent $how', ({ by, args, prepare }) => {
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
