/**
 * A disk that says no at one point alone. Folders of their own make files that cannot be opened or filled; for the rest
 * strace has the kernel answer one call on one file with an error. Whatever the point: the client gets 452 or 451 or,
 * where nothing of his mail depends on it (what is in the intake log reaches the tables later), his 250; the session goes
 * on; nothing that was acknowledged is lost; no file and no descriptor is left behind; and when the disk says yes again,
 * so does the daemon.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { describeAsRoot, describeWithPeers } from '../support/peers.ts';
import { runWell } from '../support/run.ts';
import { deliver, SmtpClient, SmtpRefusal } from '../support/smtp-client.ts';

const SMALL = Buffer.from('Subject: small\r\n\r\nHello\r\n');
const LARGE = Buffer.from(`Subject: large\r\n\r\n${'x'.repeat(998).concat('\r\n').repeat(400)}`);
const MIDDLE = Buffer.from(`Subject: middle\r\n\r\n${'x'.repeat(998).concat('\r\n').repeat(100)}`);

type Break = (daemon: DaemonProcess, strace: string) => Promise<() => Promise<unknown>>;

/** The kernel answers a call on a file of the data folder with an error. */
const refused =
  (calls: string, error: string, file: string): Break =>
  async (daemon, strace) => {
    const args = ['-f', '-q', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}`];
    const tracer = spawn(strace, [...args, '-P', join(daemon.data, file), '-p', String(daemon.pid)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const gone = once(tracer, 'exit');
    await untilTraced(daemon.pid, tracer);
    return async () => {
      tracer.kill('SIGINT');
      await gone;
    };
  };

/** A folder of the data folder has room for so little. */
const cramped =
  (folder: string, size: string): Break =>
  async ({ data }) => {
    await runWell('mount', ['-o', `remount,${size}`, join(data, folder)]);
    return () => runWell('mount', ['-o', 'remount,size=64m,nr_inodes=10000', join(data, folder)]);
  };

interface Point {
  readonly name: string;
  readonly breaks: Break;
  readonly content: Buffer;
  /** What the client may be told; 250 where the point is none of his business. */
  readonly codes: readonly number[];
}

// biome-ignore format: a table
const POINTS: readonly Point[] = [
  { name: 'opening a spool file',                 breaks: cramped('spool', 'nr_inodes=1'),                    content: LARGE,  codes: [452] },
  { name: 'writing a spool file',                 breaks: cramped('spool', 'size=64k'),                       content: LARGE,  codes: [452] },
  { name: 'naming a content file',                breaks: cramped('contents', 'nr_inodes=2'),                 content: LARGE,  codes: [452] },
  { name: 'writing a content file',               breaks: cramped('contents', 'size=500k'),                    content: LARGE,  codes: [452] },
  { name: 'syncing the folder of contents',       breaks: refused('fsync', 'ENOSPC', 'contents'),             content: LARGE,  codes: [452] },
  { name: 'syncing it on a broken disk',          breaks: refused('fsync', 'EIO', 'contents'),                content: LARGE,  codes: [451] },
  { name: 'writing to the intake log',            breaks: refused('pwrite64', 'ENOSPC', 'intake-0'),          content: SMALL,  codes: [250] },
  { name: 'writing it to a broken disk',          breaks: refused('pwrite64', 'EIO', 'intake-0'),             content: SMALL,  codes: [250] },
  { name: 'appending to the WAL',                 breaks: refused('pwrite64', 'ENOSPC', 'inboxd.db-wal'),     content: SMALL,  codes: [250, 451, 452] },
  { name: 'appending to the WAL over quota',      breaks: refused('pwrite64', 'EDQUOT', 'inboxd.db-wal'),     content: SMALL,  codes: [250, 451, 452] },
  { name: 'appending to a WAL turned read-only',  breaks: refused('pwrite64', 'EROFS', 'inboxd.db-wal'),      content: SMALL,  codes: [250, 451, 452] },
  { name: 'syncing the WAL',                      breaks: refused('fsync,fdatasync', 'EIO', 'inboxd.db-wal'), content: SMALL,  codes: [250, 451, 452] },
  { name: 'copying the WAL into the database',    breaks: refused('pwrite64', 'ENOSPC', 'inboxd.db'),         content: MIDDLE, codes: [250, 451, 452] },
  { name: 'syncing the database',                 breaks: refused('fsync,fdatasync', 'EIO', 'inboxd.db'),     content: MIDDLE, codes: [250, 451, 452] },
];
/** Enough of the middle ones to have the WAL copied. */
const TIMES = (content: Buffer): number => (content === MIDDLE ? 100 : 3);

describeAsRoot('where the disk says no', () => {
  describeWithPeers('at one point', ['strace'], ({ strace }) => {
    const folder = mkdtempSync(join(tmpdir(), 'inboxd-points-'));
    let daemon: DaemonProcess;
    let client: SmtpClient;
    const acknowledged = new Map<string, Buffer>();

    beforeEach(async () => {
      for (const name of ['spool', 'contents']) {
        mkdirSync(join(folder, name), { recursive: true });
        await runWell('mount', [
          '-t',
          'tmpfs',
          '-o',
          'size=64m,nr_inodes=10000,mode=0700',
          'inboxd-test',
          join(folder, name),
        ]);
      }
      daemon = await startDaemon({ data: folder, args: ['--keep-per-inbox', '0', '--keep-bytes', '0'] });
      client = await SmtpClient.open(daemon.smtpPort);
    });
    afterEach(async () => {
      await client.drop();
      await daemon.stop();
      for (const name of ['spool', 'contents']) await runWell('umount', [join(folder, name)]);
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
      acknowledged.clear();
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    /** Sends one; gives the code of the reply that decided. */
    async function send(content: Buffer): Promise<number> {
      try {
        const [id] = await deliver(client, { from: 'a@b.test', to: ['points@in.test'], content });
        acknowledged.set(id!, content);
        return 250;
      } catch (error) {
        if (!(error instanceof SmtpRefusal)) throw error;
        await client.expect(250, 'RSET');
        return error.reply.code;
      }
    }

    it.each(POINTS)('$name', { timeout: 180_000 }, async ({ breaks, content, codes }) => {
      for (const first of [SMALL, LARGE]) expect(await send(first)).toBe(250);
      const mend = await breaks(daemon, strace);
      const heard = new Set<number>();
      try {
        for (let times = TIMES(content); times > 0; times--) heard.add(await send(content));
      } finally {
        await mend();
      }
      expect([...heard].filter((code) => !codes.includes(code))).toEqual([]);
      if (!codes.includes(250)) expect(heard.has(250)).toBe(false);

      await expect.poll(() => send(content), { timeout: 60_000, interval: 500 }).toBe(250);
      const { messages } = await daemon.list();
      expect(messages.map(({ ID }) => ID).toSorted()).toEqual([...acknowledged.keys()].toSorted());
      for (const [id, raw] of acknowledged) expect((await daemon.raw(id)).equals(raw)).toBe(true);
      await expect.poll(() => readdirSync(join(folder, 'spool')), { timeout: 20_000 }).toEqual([]);
      const large = [...acknowledged.values()].filter((one) => one === LARGE).length;
      await expect.poll(() => readdirSync(join(folder, 'contents')).length, { timeout: 20_000 }).toBe(large);
    });
  });
});

/** Waits until every thread of a process is traced. */
async function untilTraced(pid: number, tracer: ChildProcess): Promise<void> {
  for (;;) {
    if (tracer.exitCode !== null) throw new Error(`strace ended: ${tracer.stderr?.read() ?? ''}`);
    const traced = readdirSync(`/proc/${pid}/task`).every((task) => {
      const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'latin1');
      return !/^TracerPid:\s+0$/m.test(status);
    });
    if (traced) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
