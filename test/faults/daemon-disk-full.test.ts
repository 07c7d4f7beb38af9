/** A real full disk: the data folder is a small tmpfs of its own. */
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { describeAsRoot } from '../support/peers.ts';
import { run, runWell } from '../support/run.ts';
import { deliver, SmtpClient, SmtpRefusal, type SmtpReply } from '../support/smtp-client.ts';

const DISK_BYTES = 12 * 1024 * 1024;
const KEEP_ALL = ['--keep-per-inbox', '0', '--keep-bytes', '0'];

const content = (subject: string, bytes: number): Buffer =>
  Buffer.from(`Subject: ${subject}\r\n\r\n${`${'x'.repeat(78)}\r\n`.repeat(Math.ceil(bytes / 80))}`);

const mail = (subject: string, bytes: number) => ({
  from: 'ada@out.example',
  to: ['full@in.example'],
  content: content(subject, bytes),
});

describeAsRoot('on a full disk', () => {
  let folder: string;
  let daemon: DaemonProcess;
  let client: SmtpClient;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'inboxd-full-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeEach(async () => {
    await runWell('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=0700`, 'inboxd-disk-full', folder]);
    daemon = await startDaemon({ data: folder, args: KEEP_ALL });
    client = await SmtpClient.open(daemon.smtpPort);
  });
  afterEach(async () => {
    await client.drop();
    await daemon.stop();
    await runWell('umount', [folder]);
  });

  /** Sends messages of a size until one is refused; gives the ids of those accepted and the refusal. */
  async function fill(bytes: number, by: 'DATA' | 'BDAT' = 'DATA'): Promise<{ ids: string[]; refusal: SmtpReply }> {
    const ids: string[] = [];
    for (;;) {
      try {
        ids.push(...(await deliver(client, mail(`${bytes} number ${ids.length}`, bytes), { by })));
      } catch (error) {
        if (!(error instanceof SmtpRefusal)) throw error;
        return { ids, refusal: error.reply };
      }
    }
  }

  /** Something else on the same disk takes what is left, the daemon's own reserve too. */
  function fillBehindItsBack(): void {
    const ballast = openSync(join(folder, 'ballast'), 'w');
    const block = Buffer.alloc(4096);
    try {
      for (;;) writeSync(ballast, block);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(ballast);
    }
  }

  async function expectKept(ids: readonly string[], bytes: number): Promise<void> {
    const { messages } = await daemon.list();
    expect(messages.map(({ ID }) => ID).reverse()).toEqual(ids);
    for (const [n, id] of ids.entries()) {
      expect((await daemon.raw(id)).equals(content(`${bytes} number ${n}`, bytes))).toBe(true);
    }
  }

  /** It lives, the session goes on, and after a deletion the same session can send again. */
  async function expectRecovery(): Promise<void> {
    await client.expect(250, 'RSET');
    expect((await daemon.api('/messages', { method: 'DELETE' })).status).toBe(200);
    const give = Date.now() + 15_000; // it looks at the disk from time to time
    for (;;) {
      try {
        const [id] = await deliver(client, mail('after', 1000));
        expect((await daemon.raw(id!)).equals(content('after', 1000))).toBe(true);
        return;
      } catch (error) {
        if (!(error instanceof SmtpRefusal) || Date.now() > give) throw error;
        await client.expect(250, 'RSET');
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  it.each([
    { bytes: 4_000, where: 'in the database' },
    { bytes: 100_000, where: 'in the database' },
    { bytes: 300_000, where: 'in files' },
  ])(
    'refuses messages of $bytes octets (kept $where) with 452 4.3.1, loses none, and recovers',
    { timeout: 60_000 },
    async ({ bytes }) => {
      const { ids, refusal } = await fill(bytes);
      expect([refusal.code, refusal.text.split(' ')[0]]).toEqual([452, '4.3.1']);
      expect(ids.length).toBeGreaterThan(1);
      await expectKept(ids, bytes);
      await expectRecovery();
    },
  );

  it('answers 452 4.3.1 when the disk fills up while a large message arrives', { timeout: 60_000 }, async () => {
    const [id] = await deliver(client, mail('4000 number 0', 4_000));
    await client.expect(250, 'MAIL FROM:<ada@out.example>');
    await client.expect(250, 'RCPT TO:<full@in.example>');
    await client.expect(354, 'DATA');
    await client.write(content('large', 2_000_000));
    fillBehindItsBack();
    await client.write(content('larger', 6_000_000));
    await client.write('.\r\n');
    const refusal = await client.reply();
    expect([refusal.code, refusal.text.split(' ')[0]]).toEqual([452, '4.3.1']);
    await expect.poll(() => readdirSync(join(folder, 'spool')), { timeout: 10_000 }).toEqual([]);
    rmSync(join(folder, 'ballast'));
    await expectKept([id!], 4_000);
    await expectRecovery();
  });

  it('keeps what it accepted when something else has taken the last octet', { timeout: 60_000 }, async () => {
    const before = await deliver(client, mail('4000 number 0', 4_000));
    fillBehindItsBack();
    const { ids, refusal } = await fill(4_000);
    expect([refusal.code, refusal.text.split(' ')[0]]).toEqual([452, '4.3.1']);
    rmSync(join(folder, 'ballast'));
    const { messages } = await daemon.list();
    expect(messages.map(({ ID }) => ID).reverse()).toEqual([...before, ...ids]);
    for (const { ID, Size } of messages) expect((await daemon.raw(ID)).length).toBe(Size);
    await expectRecovery();
  });

  it('loses nothing when many clients meet the end of the disk at once', { timeout: 60_000 }, async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const own = await SmtpClient.open(daemon.smtpPort);
        const ids: string[] = [];
        try {
          for (;;)
            ids.push(...(await deliver(own, mail(`client ${n}`, 50_000), { by: n % 2 === 0 ? 'DATA' : 'BDAT' })));
        } catch (error) {
          if (!(error instanceof SmtpRefusal)) throw error;
          return { ids, refusal: error.reply };
        } finally {
          await own.drop();
        }
      }),
    );
    for (const { refusal } of outcomes) expect([refusal.code, refusal.text.split(' ')[0]]).toEqual([452, '4.3.1']);
    const { messages } = await daemon.list();
    expect(messages.map(({ ID }) => ID).sort()).toEqual(outcomes.flatMap(({ ids }) => ids).sort());
    for (const { ID } of messages)
      expect((await daemon.raw(ID)).length).toBe(messages.find((one) => one.ID === ID)!.Size);
    await expectRecovery();
  });
});

it.runIf(process.getuid?.() === 0)('left no mount behind', async () => {
  expect((await run('grep', ['-c', '^inboxd-disk-full ', '/proc/mounts'])).stdout.trim()).toBe('0');
});
