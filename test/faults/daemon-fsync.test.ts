/**
 * 250 after the content means "on disk". The system calls of a running daemon, in the order the kernel saw them, show
 * that nothing of a message is still to be synced when its 250 leaves.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { describeWithPeers } from '../support/peers.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

const CALLS = 'trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat,write,writev,pwrite64';

describeWithPeers('before its 250 leaves', ['strace'], ({ strace }) => {
  let daemon: DaemonProcess;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'inboxd-strace-'));
    daemon = await startDaemon();
  });
  afterAll(async () => {
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the daemon did to its files while it took one message, up to the reply: lines such as `fsync inboxd.db-wal`. */
  async function traceOne(content: Buffer): Promise<string[]> {
    const client = await SmtpClient.open(daemon.smtpPort);
    const file = join(folder, `${content.length}.trace`);
    const args = [
      '--follow-forks',
      '--decode-fds=path',
      '--string-limit=40',
      '-e',
      CALLS,
      '-o',
      file,
      '-p',
      String(daemon.pid),
    ];
    const tracer = spawn(strace, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const detached = once(tracer, 'exit');
    await attached(tracer.stderr);
    const [id] = await deliver(client, { from: 'ada@out.example', to: ['disk@in.example'], content });
    const trace = (): string[] => completed(readFileSync(file, 'utf8').split('\n'));
    const isReply = (step: string): boolean => step.includes(`queued as ${id!.slice(0, 10)}`);
    // the client may have its reply before strace has written down that the call returned
    await until(() => trace().some(isReply));
    tracer.kill('SIGINT');
    await detached;
    await client.quit();
    const steps = trace();
    return steps.slice(0, steps.findIndex(isReply)).flatMap(namesBelow);
  }

  /** One call as its name and the files below the data folder that it is about; nothing for other files. */
  function namesBelow(line: string): string[] {
    const call = /^(\w+)\(/.exec(line)?.[1];
    const quoted = [...line.matchAll(/[<"]([^<>"]*)[>"]/g)].map((found) => found[1]!);
    const paths = quoted
      .filter((path) => path.startsWith(daemon.data))
      .map((path) => path.slice(daemon.data.length + 1));
    return paths.length === 0 ? [] : [[call, ...paths].join(' ')];
  }

  /** The steps behind the first one that matches, or the last one; fails if none does. */
  function after(steps: readonly string[], pattern: RegExp, which: 'first' | 'last' = 'first'): string[] {
    const matches = (step: string) => pattern.test(step);
    const at = which === 'first' ? steps.findIndex(matches) : steps.findLastIndex(matches);
    expect([pattern, at >= 0, steps]).toEqual([pattern, true, steps]);
    return steps.slice(at + 1);
  }

  /** How the daemon has opened its files of some name. */
  function flagsOf(name: RegExp): number[] {
    const open = readdirSync(`/proc/${daemon.pid}/fd`);
    const wanted = open.filter((fd) => name.test(basename(readlinkSync(`/proc/${daemon.pid}/fd/${fd}`))));
    return wanted.map((fd) => {
      const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/${daemon.pid}/fdinfo/${fd}`, 'utf8'))?.[1];
      return Number.parseInt(flags ?? '', 8);
    });
  }

  it('a small message has been written to the intake log, whose every write is on disk when it returns', async () => {
    const steps = await traceOne(Buffer.from('Subject: small\r\n\r\nHello\r\n'));
    after(steps, /^pwrite64 intake-[01]$/);
    expect(flagsOf(/^intake-[01]$/).map((flags) => flags & constants.O_DSYNC)).toEqual([
      constants.O_DSYNC,
      constants.O_DSYNC,
    ]);
  });

  it('a large one has been written, synced, named, its folder synced, and only then the log', async () => {
    let rest = await traceOne(Buffer.from(`Subject: large\r\n\r\n${`${'x'.repeat(78)}\r\n`.repeat(10_000)}`));
    rest = after(rest, /^(pwrite64|writev?) spool\/[^ ]+$/, 'last');
    rest = after(rest, /^f(data)?sync spool\/[^ ]+$/);
    rest = after(rest, /^(rename|link)\w* spool\/[^ ]+ contents\/[^ ]+$/);
    rest = after(rest, /^fsync contents$/);
    after(rest, /^pwrite64 intake-[01]$/);
  });
});

/** The calls in the order they returned: one that others overtook stands where strace says that it resumed. */
function completed(lines: readonly string[]): string[] {
  const unfinished = new Map<string, string>();
  return lines.flatMap((line) => {
    const [, thread, call] = /^(\d+) +(.*)$/.exec(line) ?? ['', '', ''];
    if (call!.endsWith('<unfinished ...>')) {
      unfinished.set(thread!, call!);
      return [];
    }
    return call!.startsWith('<... ') ? [unfinished.get(thread!) ?? ''] : [call!];
  });
}

/** Resolves when strace says that it has attached to the process. */
function attached(stderr: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    stderr.on('data', (text: Buffer) => {
      said += text;
      if (said.includes('attached')) resolve();
    });
    stderr.on('end', () => reject(new Error(`strace: ${said}`)));
  });
}
