import { fileURLToPath } from 'node:url';
import type { Contestant } from '../contest.ts';
import { freePort, startServer } from './process.ts';

const PROGRAM = fileURLToPath(new URL('./smtp-server-process.ts', import.meta.url));

/** The package most Node.js programs receive mail with; throws every message away. */
export const smtpServer: Contestant = {
  name: 'smtp-server',
  title: 'npm smtp-server, discarding',
  share: ({ reconnects }) => (reconnects ? 1 / 20 : 1 / 4), // it lets 100 ms pass before it greets
  async start() {
    const port = await freePort();
    return await startServer(process.execPath, [PROGRAM, String(port)], port);
  },
};
