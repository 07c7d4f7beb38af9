import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MALLOC_ENVIRONMENT, NODE_FLAGS } from '../../../src/system/heaps.ts';
import type { Contestant, RunningServer } from '../contest.ts';
import { freePorts, startServer } from './process.ts';

/** What Node.js is given to run the daemon, as the unit of systemd and `npm start` have it. */
export const DAEMON = [...NODE_FLAGS, fileURLToPath(new URL('../../../bin/inboxd.ts', import.meta.url))];
/** The peers log nothing either. */
const QUIET = ['--log-level', 'warn'];
export const DISCARDING = [...QUIET, '--sink', 'discard'];
const KEEP_ALL = ['--keep-per-inbox', '0', '--keep-bytes', '0'];

export interface RunningInboxd extends RunningServer {
  /** What its API begins with. */
  readonly api: string;
  held(): Promise<number>;
}

/**
 * @param args beside those that set ports and data folder; without others it logs nothing and keeps everything
 * @param folder that is kept; without one, a new one that goes in the end
 */
export async function startInboxd(
  args: readonly string[] = [...QUIET, ...KEEP_ALL],
  folder?: string,
): Promise<RunningInboxd> {
  const data = folder ?? mkdtempSync(join(tmpdir(), 'inboxd-bench-'));
  const [port, httpPort] = await freePorts();
  const ports = ['--port', String(port), '--http-port', String(httpPort)];
  const server = await startServer(
    process.execPath,
    [...DAEMON, 'serve', '--allow-root', ...ports, '--data', data, ...args],
    port,
    { env: MALLOC_ENVIRONMENT },
  );
  const api = `http://127.0.0.1:${httpPort}/api`;
  return {
    ...server,
    api,
    async held() {
      const response = await fetch(`${api}/v1/messages?limit=1`);
      return ((await response.json()) as { total: number }).total;
    },
    async empty() {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${api}/messages/delete`, { method: 'POST', headers, body: '{"all":true}' });
      if (!response.ok) throw new Error(`The store is not emptied: ${await response.text()}`);
    },
    async stop() {
      await server.stop();
      if (folder === undefined) rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Every message on disk, with fsync, before its 250. */
export const inboxdStore: Contestant = {
  name: 'store',
  title: 'inboxd, stored with fsync',
  start: () => startInboxd(),
};

/** As people run it: a log line per message and per session. */
export const inboxdStoreLogging: Contestant = {
  name: 'store-logging',
  title: 'inboxd, stored with fsync, logging',
  start: () => startInboxd(KEEP_ALL),
};

export const inboxdDiscard: Contestant = {
  name: 'discard',
  title: 'inboxd, discarding',
  async start() {
    const { held: _, empty: __, ...server } = await startInboxd(DISCARDING);
    return server;
  },
};
