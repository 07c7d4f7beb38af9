import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createDaemon } from '../../src/index.ts';
import { deliver, SmtpClient, submit } from '../support/smtp-client.ts';

const example = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url));
const undo: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Starts a daemon on the sink and gives the port of its only listener. */
async function start(sink: string, protocol = 'smtp'): Promise<number> {
  const daemon = await createDaemon({ listen: `${protocol}://127.0.0.1:0`, sink: example(sink) });
  undo.push(() => daemon.stop({ graceMs: 0 }));
  return Number(new URL(daemon.listeners[0]!.url).port);
}

const content = Buffer.from('Subject: hi\r\n\r\n.dotted\r\nlast\r\n');
const from = 'me@here.test';

describe('a sink of a third party', () => {
  it('files each message, byte for byte, and refuses in its own words', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inboxd-example-'));
    undo.push(() => rm(folder, { recursive: true }));
    process.env.MAIL_FOLDER = folder;
    const client = await SmtpClient.open(await start('file-each.ts'));
    const [id] = await deliver(client, { from, to: ['a@b.test'], content });
    expect(await readdir(folder)).toEqual([`${id}.eml`]);
    expect(await readFile(join(folder, `${id}.eml`))).toEqual(content);
    await expect(submit(client, { from, to: ['nobody@b.test'], content })).rejects.toThrow('550 5.1.1 No such mailbox');
    expect(await readdir(folder)).toHaveLength(1);
    await client.quit();
  });

  it('answers each recipient alone over LMTP', async () => {
    const client = await SmtpClient.open(await start('per-recipient.ts', 'lmtp'), 'LHLO client.example');
    await client.expect(250, 'MAIL FROM:<me@here.test>');
    for (const to of ['a', 'full-1', 'b']) await client.expect(250, `RCPT TO:<${to}@b.test>`);
    await client.expect(354, 'DATA');
    await client.write('hi\r\n.\r\n');
    expect([(await client.reply()).code, (await client.reply()).code, (await client.reply()).code]).toEqual([
      250, 452, 250,
    ]);
    await client.quit();
  });

  it('reads content as a stream', async () => {
    const client = await SmtpClient.open(await start('head-count.ts'));
    const [reply] = await submit(client, { from, to: ['a@b.test'], content });
    expect(reply?.text).toBe('2.0.0 4 lines, thank you');
    await client.quit();
  });

  it('that is none stops the start, with its path and what is missing', async () => {
    await expect(start('no-sink.ts')).rejects.toThrow(
      `sink ${example('no-sink.ts')}: must export a function named "process", or one as default; it exports version`,
    );
    await expect(start('not-there.ts')).rejects.toThrow(`sink ${example('not-there.ts')}: there is no such file`);
  });
});
