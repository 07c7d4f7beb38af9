import { findPeer } from '../../support/program.ts';
import type { Contestant } from '../contest.ts';
import { freePort, startServer } from './process.ts';

const BACKLOG = '1000';

/** Postfix's own, in C; throws every message away. */
export const smtpSink: Contestant = {
  name: 'smtp-sink',
  title: 'smtp-sink (C), discarding',
  async start() {
    const program = findPeer('smtp-sink');
    if (!program) throw new Error('smtp-sink is missing: apt-get install postfix');
    const port = await freePort();
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []; // it refuses to stay root
    return await startServer(program, [...user, `127.0.0.1:${port}`, BACKLOG], port);
  },
};
