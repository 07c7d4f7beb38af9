import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../support/program.ts';
import { run } from '../../support/run.ts';
import type { Contestant, RunningServer } from '../contest.ts';
import { freePorts, startServer } from './process.ts';

const PROGRAM = 'maildev';

/** What developers catch the mail of their programs with: parses each message and keeps it, before its 250. */
export const maildev: Contestant = {
  name: 'maildev',
  title: 'MailDev, stored without fsync',
  share: ({ reconnects }) => (reconnects ? 1 / 20 : 1 / 10), // npm smtp-server, which waits 100 ms before it greets
  lacks: () => (findProgram(PROGRAM) ? undefined : 'npm install --prefix /tmp/peers maildev, and have it on the PATH'),
  async start(): Promise<RunningServer> {
    const files = mkdtempSync(join(tmpdir(), 'inboxd-bench-maildev-'));
    const [port, webPort] = await freePorts();
    const ports = ['--smtp', String(port), '--web', String(webPort)];
    const server = await startServer(
      process.execPath,
      [findProgram(PROGRAM)!, '--silent', '--ip', '127.0.0.1', '--web-ip', '127.0.0.1', ...ports],
      webPort, // which it opens last
      { env: { TMPDIR: files } }, // where its files go; a folder named in its options would be a store of another kind
    );
    return {
      ...server,
      port,
      async held() {
        const response = await fetch(`http://127.0.0.1:${webPort}/api/email/summary?limit=1`);
        return ((await response.json()) as { total: number }).total;
      },
      async stop() {
        await server.stop();
        rmSync(files, { recursive: true, force: true });
      },
    };
  },
};

/** Undefined where it is not installed. */
export async function maildevVersion(): Promise<string | undefined> {
  const program = findProgram(PROGRAM);
  return program && (await run(process.execPath, [program, '--version'])).stdout.trim();
}
